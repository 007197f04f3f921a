using System.Numerics;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Rnn.Layers;

/// <summary>Writes what a module is made of, without its parameters, into the JSON that stands in the metadata of its file; see <see cref="Module{T}.Describe"/>.</summary>
public sealed class DescriptionWriter
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Utf8JsonWriter _json;

    private DescriptionWriter(Utf8JsonWriter json) => _json = json;

    /// <summary>A size or count.</summary>
    /// <param name="name">The name, in small letters with underscores.</param>
    /// <param name="value">The value.</param>
    public void Write(string name, int value) => _json.WriteNumber(name, value);

    /// <summary>A number, which must be finite.</summary>
    /// <param name="name">The name, in small letters with underscores.</param>
    /// <param name="value">The value.</param>
    public void Write(string name, double value) => _json.WriteNumber(name, value);

    /// <summary>A choice.</summary>
    /// <param name="name">The name, in small letters with underscores.</param>
    /// <param name="value">The value.</param>
    public void Write(string name, bool value) => _json.WriteBoolean(name, value);

    /// <summary>A text; nothing is written for null.</summary>
    /// <param name="name">The name, in small letters with underscores.</param>
    /// <param name="value">The value.</param>
    public void Write(string name, string? value)
    {
        if (value is not null)
        {
            _json.WriteString(name, value);
        }
    }

    /// <summary>Several sizes.</summary>
    /// <param name="name">The name, in small letters with underscores.</param>
    /// <param name="values">The values.</param>
    public void Write(string name, IEnumerable<int> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        _json.WriteStartArray(name);
        foreach (var value in values)
        {
            _json.WriteNumberValue(value);
        }

        _json.WriteEndArray();
    }

    /// <summary>Several texts.</summary>
    /// <param name="name">The name, in small letters with underscores.</param>
    /// <param name="values">The values.</param>
    public void Write(string name, IEnumerable<string> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        _json.WriteStartArray(name);
        foreach (var value in values)
        {
            _json.WriteStringValue(value);
        }

        _json.WriteEndArray();
    }

    /// <summary>A module that is part of this one.</summary>
    /// <param name="name">The name, in small letters with underscores.</param>
    /// <param name="part">The part; one that does not describe itself is named and not described.</param>
    public void Write<T>(string name, Module<T> part)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(part);
        _json.WritePropertyName(name);
        WriteModule(part);
    }

    /// <summary>Modules that are parts of this one.</summary>
    /// <param name="name">The name, in small letters with underscores.</param>
    /// <param name="parts">The parts; those that do not describe themselves are named and not described.</param>
    public void Write<T>(string name, IEnumerable<Module<T>> parts)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(parts);
        _json.WriteStartArray(name);
        foreach (var part in parts)
        {
            WriteModule(part);
        }

        _json.WriteEndArray();
    }

    /// <summary>The JSON of a module.</summary>
    internal static string ToJson<T>(Module<T> module)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Writing))
        {
            new DescriptionWriter(json).WriteModule(module);
        }

        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    /// <summary>The options of a module in one line, for the printed tree: <c>width: 3, bias: true</c>.</summary>
    internal static string ToText<T>(Module<T> module)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var document = JsonDocument.Parse(ToJson(module));
        return string.Join(", ", document.RootElement.EnumerateObject()
            .Where(member => member.Name != DescriptionReader.TypeKey && member.Value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array))
            .Select(member => $"{member.Name}: {member.Value}"));
    }

    private void WriteModule<T>(Module<T> module)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        _json.WriteStartObject();
        _json.WriteString(DescriptionReader.TypeKey, module.TypeInFiles ?? string.Empty);
        if (module.TypeInFiles is null)
        {
            _json.WriteString(DescriptionReader.NameKey, module.TypeName);
        }
        else
        {
            module.DescribeTo(this);
        }

        _json.WriteEndObject();
    }
}
