using Rnn.Tensors;

namespace Rnn.Formats;

/// <summary>
/// Reads what TorchSharp's <c>Module.save</c> writes: the number of tensors, then of each its name, type, rank, sizes and numbers. Numbers before the data have seven bits a byte, the lowest first (LEB128).
/// </summary>
internal static class TorchSharpReader
{
    /// <summary>The file's tensors, or null where its first one is none: the format has no mark of its own.</summary>
    /// <exception cref="InvalidDataException">The file begins as one of TorchSharp and is damaged.</exception>
    internal static WeightFile? Read(ByteSource bytes, string source, IDisposable? owner)
    {
        var (position, entries) = (0L, new List<WeightEntry>());
        for (var left = Number(bytes, ref position); left > 0; left--)
        {
            if (Entry(bytes, ref position, source) is { } entry)
            {
                entries.Add(entry);
                continue;
            }

            return entries.Count == 0 ? null : throw new InvalidDataException($"{source}: as a file of TorchSharp it is damaged or cut short behind the tensor '{entries[^1].Name}'.");
        }

        return entries.Count == 0 ? null
            : position == bytes.Length ? new(source, "TorchSharp", entries) { Owner = owner }
            : throw new InvalidDataException($"{source}: as a file of TorchSharp it has {bytes.Length - position} bytes behind its last tensor.");
    }

    private static WeightEntry? Entry(ByteSource bytes, ref long position, string source)
    {
        var length = Number(bytes, ref position);
        if (length is < 0 or > 4096 || length > bytes.Length - position)
        {
            return null;
        }

        var text = bytes.Read(position, (int)length);
        position += length;
        var type = Number(bytes, ref position) switch
        {
            0 => "U8",
            1 => "I8",
            2 => "I16",
            3 => "I32",
            4 => "I64",
            5 => "F16",
            6 => "F32",
            7 => "F64",
            9 => "C64",
            10 => "C128",
            11 => "BOOL",
            15 => "BF16",
            _ => null,
        };
        var rank = Number(bytes, ref position);
        if (type is null || rank is < 0 or > WeightFormats.MaxRank)
        {
            return null;
        }

        var sizes = new long[rank];
        for (var i = 0; i < sizes.Length; i++)
        {
            sizes[i] = Number(bytes, ref position);
        }

        if (sizes.Contains(-1))
        {
            return null;
        }

        var name = WeightFormats.Text(text, source);
        Shape shape = WeightFormats.Shape(sizes, name, source);
        var weightType = WeightType.Of(type);
        var begin = position;
        position += (long)shape.ElementCount * (weightType.Bits / 8);
        return position <= bytes.Length ? new(name, weightType, shape, begin, position) { Source = bytes } : null;
    }

    // −1 where there is none.
    private static long Number(ByteSource bytes, ref long position)
    {
        var value = 0L;
        Span<byte> one = stackalloc byte[1];
        for (var shift = 0; shift < 63; shift += 7)
        {
            if (position >= bytes.Length)
            {
                return -1;
            }

            bytes.Read(position++, one);
            value |= (long)(one[0] & 0x7F) << shift;
            if (one[0] < 0x80)
            {
                return value;
            }
        }

        return -1;
    }
}
