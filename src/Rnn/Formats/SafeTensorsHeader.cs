using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Rnn.Formats;

/// <summary>
/// The header of a safetensors file, read and checked: eight bytes of length, then JSON of that length. Every promise of the format is
/// verified before any tensor is read, so that a damaged or hostile file ends in a message and never in a huge allocation.
/// </summary>
internal sealed class SafeTensorsHeader
{
    /// <summary>What the format is called.</summary>
    internal const string Format = "safetensors";

    /// <summary>The bytes before the JSON: its length, little-endian.</summary>
    internal const int PrefixLength = 8;

    /// <summary>The longest header that any reader of the format takes.</summary>
    internal const int MaxJsonLength = 100_000_000;

    private readonly List<WeightEntry> _entries = [];
    private readonly Dictionary<string, string> _metadata = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly string _source;

    private SafeTensorsHeader(string source) => _source = source;

    /// <summary>The tensors in the order of their data.</summary>
    internal IReadOnlyList<WeightEntry> Entries => _entries;

    /// <summary>The free text that the writer left.</summary>
    internal IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>The bytes of data that must follow the header.</summary>
    internal long DataLength => _entries.Count == 0 ? 0 : _entries[^1].End;

    /// <summary>The length of the JSON, from the first eight bytes.</summary>
    internal static int JsonLength(ReadOnlySpan<byte> prefix, string source)
    {
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        return length is < 2 or > MaxJsonLength
            ? throw new InvalidDataException(
                $"{source}: not a safetensors file; its first eight bytes give a header of {length} bytes, where 2 to {MaxJsonLength} are possible.")
            : (int)length;
    }

    /// <summary>Reads and checks the JSON of a header.</summary>
    internal static SafeTensorsHeader Parse(ReadOnlySpan<byte> json, string source)
    {
        if (json[0] != (byte)'{')
        {
            throw new InvalidDataException($"{source}: not a safetensors file; its header does not begin with '{{'.");
        }

        var header = new SafeTensorsHeader(source);
        try
        {
            header.ReadObject(json);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // Utf8JsonReader reports invalid UTF-8 inside a string as InvalidOperationException.
            throw new InvalidDataException($"{source}: the safetensors header is not valid JSON: {exception.Message}", exception);
        }

        header.CheckLayout();
        return header;
    }

    private void ReadObject(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 8 });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            if (!_names.Add(name))
            {
                throw Invalid($"the name '{name}' comes twice");
            }

            reader.Read();
            if (name == "__metadata__" && reader.TokenType == JsonTokenType.Null)
            {
                // Some writers leave the place of no metadata so.
                continue;
            }

            if (reader.TokenType != JsonTokenType.StartObject)
            {
                throw Invalid($"'{name}' is not an object");
            }

            if (name == "__metadata__")
            {
                ReadMetadata(ref reader);
            }
            else
            {
                _entries.Add(ReadEntry(ref reader, name));
            }
        }

        // A further Read throws when anything but white space follows.
        reader.Read();
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String || !_metadata.TryAdd(key, reader.GetString()!))
            {
                throw Invalid($"the metadata '{key}' is not one text");
            }
        }
    }

    private WeightEntry ReadEntry(ref Utf8JsonReader reader, string name)
    {
        WeightType? type = null;
        List<long>? shape = null, offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString();
            reader.Read();
            switch (key)
            {
                case "dtype" when reader.TokenType == JsonTokenType.String && type is null:
                    type = WeightType.Of(reader.GetString()!);
                    break;
                case "shape" when reader.TokenType == JsonTokenType.StartArray && shape is null:
                    shape = ReadNumbers(ref reader, name, key);
                    break;
                case "data_offsets" when reader.TokenType == JsonTokenType.StartArray && offsets is null:
                    offsets = ReadNumbers(ref reader, name, key);
                    break;
                case "dtype" or "shape" or "data_offsets":
                    throw Invalid($"'{name}' has a {key} that comes twice or is none");
                default:
                    // What a later version of the format may say beside these three is not ours to refuse.
                    reader.Skip();
                    break;
            }
        }

        if (type is null || shape is null || offsets is not { Count: 2 })
        {
            throw Invalid($"'{name}' lacks dtype, shape or two data_offsets");
        }

        // Of a type that is not known the place is all that can be checked.
        var bits = ElementBits(shape, type.Value.Bits, name);
        if (offsets[1] < offsets[0] || (type.Value.Bits > 0 && (bits % 8 != 0 || offsets[1] - offsets[0] != bits / 8)))
        {
            throw Invalid(
                $"'{name}' of type {type} and shape [{string.Join(", ", shape)}] needs {bits / 8} bytes but its data_offsets are {offsets[0]} to {offsets[1]}");
        }

        return new(name, type.Value, WeightFormats.Shape(CollectionsMarshal.AsSpan(shape), name, _source), offsets[0], offsets[1]);
    }

    private List<long> ReadNumbers(ref Utf8JsonReader reader, string name, string key)
    {
        var numbers = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number) || number < 0)
            {
                throw Invalid($"'{name}' has a {key} that is not a list of whole numbers of zero or more");
            }

            numbers.Add(number);
        }

        return numbers;
    }

    private long ElementBits(List<long> shape, long bits, string name)
    {
        try
        {
            foreach (var size in shape)
            {
                bits = checked(bits * size);
            }

            return bits;
        }
        catch (OverflowException)
        {
            throw Invalid($"'{name}' of shape [{string.Join(", ", shape)}] is larger than any file");
        }
    }

    private void CheckLayout()
    {
        // Equal begins are empty tensors, whose end tells the order.
        _entries.Sort((a, b) => a.Begin != b.Begin ? a.Begin.CompareTo(b.Begin) : a.End.CompareTo(b.End));
        var end = 0L;
        foreach (var entry in _entries)
        {
            if (entry.Begin != end)
            {
                throw Invalid($"the data of '{entry.Name}' begin at {entry.Begin} where the tensor before ends at {end}; the format allows neither holes nor overlap");
            }

            end = entry.End;
        }
    }

    private InvalidDataException Invalid(string what) => new($"{_source}: the safetensors header is not valid: {what}.");
}
