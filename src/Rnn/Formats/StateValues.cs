using System.Globalization;
using Rnn.Tensors;

namespace Rnn.Formats;

/// <summary>
/// Counters, numbers and random sources of something that can be saved and put back, by dotted path. A branch is the same tree seen from a path, so that each part
/// saves itself under names of its own.
/// </summary>
public class StateValues
{
    private readonly SortedDictionary<string, string> _values;

    /// <summary>An empty tree.</summary>
    public StateValues()
        : this(new(StringComparer.Ordinal), string.Empty)
    {
    }

    private protected StateValues(SortedDictionary<string, string> values, string prefix) => (_values, Prefix) = (values, prefix);

    /// <summary>All values of the tree as text, by their whole paths.</summary>
    public IReadOnlyDictionary<string, string> Values => _values;

    /// <summary>The path of this branch with a dot behind, empty at the root.</summary>
    private protected string Prefix { get; }

    private protected SortedDictionary<string, string> Dictionary => _values;

    /// <summary>The same tree seen from a path below this one.</summary>
    /// <param name="name">The path.</param>
    public virtual StateValues Branch(string name) => new(_values, $"{Prefix}{name}.");

    /// <summary>Whether there is a value of this name.</summary>
    /// <param name="name">The name in this branch.</param>
    public bool Contains(string name) => _values.ContainsKey(Prefix + name);

    /// <summary>Saves a text.</summary>
    /// <param name="name">The name in this branch; one that is there already is replaced.</param>
    /// <param name="value">The text.</param>
    public void Set(string name, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        _values[Prefix + name] = value;
    }

    /// <summary>Saves a whole number.</summary>
    /// <param name="name">The name in this branch.</param>
    /// <param name="value">The number.</param>
    public void Set(string name, long value) => Set(name, value.ToString(CultureInfo.InvariantCulture));

    /// <summary>Saves a number to its last bit.</summary>
    /// <param name="name">The name in this branch.</param>
    /// <param name="value">The number; null saves nothing.</param>
    public void Set(string name, double? value)
    {
        if (value is { } number)
        {
            Set(name, number.ToString("R", CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Saves where a random source stands.</summary>
    /// <param name="name">The name in this branch.</param>
    /// <param name="value">What <see cref="RandomSource.GetState"/> gave.</param>
    public void Set(string name, RandomState value) => Set(name, value.ToString());

    /// <summary>A saved text.</summary>
    /// <param name="name">The name in this branch.</param>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public string GetText(string name) => _values.TryGetValue(Prefix + name, out var text) ? text : throw Missing(name);

    /// <summary>A saved whole number.</summary>
    /// <param name="name">The name in this branch.</param>
    /// <exception cref="InvalidDataException">There is none, or it is no whole number.</exception>
    public long GetInt64(string name) =>
        long.TryParse(GetText(name), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : throw Damaged(name);

    /// <summary>A saved number.</summary>
    /// <param name="name">The name in this branch.</param>
    /// <exception cref="InvalidDataException">There is none, or it is no number.</exception>
    public double GetDouble(string name) =>
        double.TryParse(GetText(name), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : throw Damaged(name);

    /// <summary>A saved number, or null where none was saved.</summary>
    /// <param name="name">The name in this branch.</param>
    /// <exception cref="InvalidDataException">It is no number.</exception>
    public double? FindDouble(string name) => Contains(name) ? GetDouble(name) : null;

    /// <summary>Where a random source stood.</summary>
    /// <param name="name">The name in this branch.</param>
    /// <exception cref="InvalidDataException">There is no such value, or it is none of a random source.</exception>
    public RandomState GetRandomState(string name)
    {
        try
        {
            return RandomState.Parse(GetText(name));
        }
        catch (FormatException)
        {
            throw Damaged(name);
        }
    }

    private protected InvalidDataException Missing(string name) => new($"The saved state has no '{Prefix}{name}'; it is of something else, or of another version.");

    private InvalidDataException Damaged(string name) => new($"The saved state's '{Prefix}{name}' is damaged: '{GetText(name)}'.");
}
