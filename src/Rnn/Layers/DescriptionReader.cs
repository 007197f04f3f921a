using System.Numerics;
using System.Text.Json;

namespace Rnn.Layers;

/// <summary>
/// Reads what <see cref="DescriptionWriter"/> wrote, to recreate a module; see <see cref="ModuleCatalog.Register"/>. Where a member is missing or of another kind its exception
/// becomes an <see cref="InvalidDataException"/> of <c>Open</c>.
/// </summary>
public sealed class DescriptionReader
{
    internal const string TypeKey = "type";
    internal const string NameKey = "name";

    private readonly JsonElement _element;
    private readonly Budget _budget;
    private readonly string? _defaultType;

    private DescriptionReader(JsonElement element, Budget budget, string? defaultType = null) => (_element, _budget, _defaultType) = (element, budget, defaultType);

    /// <summary>The type under which the module was registered.</summary>
    public string Type => Has(TypeKey) ? GetString(TypeKey) : _defaultType ?? string.Empty;

    /// <summary>Whether a member is there.</summary>
    /// <param name="name">Its name.</param>
    public bool Has(string name) => _element.TryGetProperty(name, out _);

    /// <summary>A size or count.</summary>
    /// <param name="name">Its name.</param>
    public int GetInt32(string name) => Member(name).GetInt32();

    /// <summary>A number.</summary>
    /// <param name="name">Its name.</param>
    public double GetDouble(string name) => Member(name).GetDouble();

    /// <summary>A choice.</summary>
    /// <param name="name">Its name.</param>
    public bool GetBoolean(string name) => Member(name).GetBoolean();

    /// <summary>A text.</summary>
    /// <param name="name">Its name.</param>
    public string GetString(string name) => Member(name).GetString() ?? throw new JsonException($"'{name}' is null");

    /// <summary>Several sizes.</summary>
    /// <param name="name">Their name.</param>
    public int[] GetIntegers(string name) => [.. Member(name).EnumerateArray().Select(value => value.GetInt32())];

    /// <summary>Several texts.</summary>
    /// <param name="name">Their name.</param>
    public string[] GetStrings(string name) => [.. Member(name).EnumerateArray().Select(value => value.GetString() ?? throw new JsonException($"'{name}' has a null"))];

    /// <summary>A module that is part of this one, recreated without its weights.</summary>
    /// <param name="name">Its name.</param>
    /// <typeparam name="T">The element type.</typeparam>
    public Module<T> GetModule<T>(string name)
        where T : unmanaged, IFloatingPointIeee754<T> => ModuleCatalog.Create<T>(Part(name));

    /// <summary>Modules that are parts of this one, recreated without their weights.</summary>
    /// <param name="name">Their name.</param>
    /// <typeparam name="T">The element type.</typeparam>
    public Module<T>[] GetModules<T>(string name)
        where T : unmanaged, IFloatingPointIeee754<T> => [.. Member(name).EnumerateArray().Select(part => ModuleCatalog.Create<T>(new(part, _budget)))];

    /// <summary>
    /// Counts the weights that a module is about to have, before it makes them: more than the file has are refused, so that a damaged description does not end in a huge allocation.
    /// </summary>
    /// <param name="count">How many, as a product of sizes; in double, since sizes of a damaged file may have any product.</param>
    /// <exception cref="JsonException">The file has fewer; <c>Open</c> reports it as damage of the file.</exception>
    public void CountWeights(double count)
    {
        _budget.Left -= Math.Max(0, count);
        if (!(_budget.Left >= 0))
        {
            throw new JsonException($"the sizes make {count} weights here, more weights than the file has left");
        }
    }

    /// <summary>Reads a description and makes something of it; whatever is wrong with it is said as damage of the file.</summary>
    /// <exception cref="InvalidDataException">The description is damaged or of something unknown.</exception>
    internal static TResult Read<TResult>(string json, string source, double weights, Func<DescriptionReader, TResult> make, string? defaultType = null)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return make(new(document.RootElement, new() { Left = weights }, defaultType));
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException or InvalidDataException or InvalidCastException)
        {
            throw new InvalidDataException($"{source}: the description of the model is damaged: {exception.Message}", exception);
        }
    }

    /// <summary>The description of a part.</summary>
    internal DescriptionReader Part(string name, string? defaultType = null) => new(Member(name), _budget, defaultType);

    private JsonElement Member(string name) => _element.TryGetProperty(name, out var member) ? member : throw new JsonException($"it has no '{name}'");

    private sealed class Budget
    {
        internal double Left { get; set; }
    }
}
