using System.Buffers.Binary;
using System.Text.Json;

namespace Rnn.Tests.Golden;

/// <summary>
/// Reads the safetensors files that <c>write_golden.py</c> leaves beside this file; they are embedded in the test assembly. A reader
/// of its own, so that the golden values do not depend on the library's.
/// </summary>
internal sealed class GoldenFile
{
    private readonly byte[] _bytes;
    private readonly int _dataStart;
    private readonly Dictionary<string, Entry> _entries;

    private GoldenFile(byte[] bytes)
    {
        _bytes = bytes;
        var headerLength = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        _dataStart = 8 + headerLength;
        using var header = JsonDocument.Parse(bytes.AsMemory(8, headerLength));
        _entries = header.RootElement.EnumerateObject().ToDictionary(
            property => property.Name,
            property => new Entry(
                property.Value.GetProperty("dtype").GetString()!,
                [.. property.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32())],
                property.Value.GetProperty("data_offsets")[0].GetInt32(),
                property.Value.GetProperty("data_offsets")[1].GetInt32()));
    }

    public IEnumerable<string> Names => _entries.Keys;

    public static GoldenFile Open(string name) => new(Resource(name));

    public static byte[] Resource(string name)
    {
        using var stream = typeof(GoldenFile).Assembly.GetManifestResourceStream($"Rnn.Tests.Golden.{name}")
            ?? throw new FileNotFoundException($"The test assembly has no golden file '{name}'.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    public bool Has(string name) => _entries.ContainsKey(name);

    public int[] Shape(string name) => Find(name).Shape;

    /// <summary>The numbers of a tensor, row-major. Sixteen-bit ones are exact in float and double.</summary>
    public double[] Values(string name)
    {
        var entry = Find(name);
        var data = _bytes.AsSpan(_dataStart + entry.Start, entry.End - entry.Start);
        var size = entry.Type switch { "F16" => 2, "I32" => 4, "F64" => 8, _ => throw new InvalidDataException(entry.Type) };
        var values = new double[data.Length / size];
        for (var i = 0; i < values.Length; i++)
        {
            var number = data[(i * size)..];
            values[i] = size switch
            {
                2 => (double)BinaryPrimitives.ReadHalfLittleEndian(number),
                4 => BinaryPrimitives.ReadInt32LittleEndian(number),
                _ => BinaryPrimitives.ReadDoubleLittleEndian(number),
            };
        }

        return values;
    }

    /// <summary>The whole numbers of a tensor such as tokens.</summary>
    public int[] Integers(string name) => [.. Values(name).Select(value => checked((int)value))];

    private Entry Find(string name) => _entries.TryGetValue(name, out var entry)
        ? entry
        : throw new KeyNotFoundException($"The golden file has no tensor '{name}'.");

    private sealed record Entry(string Type, int[] Shape, int Start, int End);
}
