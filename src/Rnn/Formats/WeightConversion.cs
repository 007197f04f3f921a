using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Rnn.Formats;

/// <summary>Bytes of a file to numbers and back.</summary>
internal static class WeightConversion
{
    /// <summary>The type of the file that holds <typeparamref name="T"/> without loss.</summary>
    internal static WeightType TypeOf<T>() => typeof(T) == typeof(double) ? WeightType.Float64
        : typeof(T) == typeof(float) ? WeightType.Float32
        : throw new NotSupportedException($"Tensors of {typeof(T)} have no type in files; use float or double.");

    /// <summary>Converts whole elements of a readable type in the machine's order of bytes, rounding to nearest where <typeparamref name="T"/> is narrower.</summary>
    internal static void Read<T>(ReadOnlySpan<byte> bytes, WeightType type, Span<T> destination)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        switch (type.Name)
        {
            case "F32":
                Convert(MemoryMarshal.Cast<byte, float>(bytes), destination);
                break;
            case "F64":
                Convert(MemoryMarshal.Cast<byte, double>(bytes), destination);
                break;
            case "F16":
                Convert(MemoryMarshal.Cast<byte, Half>(bytes), destination);
                break;
            case "BF16":
                var halves = MemoryMarshal.Cast<byte, ushort>(bytes);
                for (var i = 0; i < halves.Length; i++)
                {
                    destination[i] = T.CreateTruncating(BitConverter.UInt32BitsToSingle((uint)halves[i] << 16));
                }

                break;
            default:
                ReadWhole(bytes, type.Bits / 8, isSigned: type.Name[0] == 'I', isTruth: type.Name == "BOOL", destination);
                break;
        }
    }

    /// <summary>The little-endian bytes of these numbers: the same memory, or a reversed copy on a big-endian machine.</summary>
    internal static ReadOnlySpan<byte> Write<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes(values);
        if (BitConverter.IsLittleEndian)
        {
            return bytes;
        }

        var copy = bytes.ToArray();
        Reverse(copy, Marshal.SizeOf<T>());
        return copy;
    }

    /// <summary>Turns the order of the bytes of each element.</summary>
    internal static void Reverse(Span<byte> bytes, int size)
    {
        for (; bytes.Length >= size && size > 1; bytes = bytes[size..])
        {
            bytes[..size].Reverse();
        }
    }

    private static void Convert<TFrom, T>(ReadOnlySpan<TFrom> source, Span<T> destination)
        where TFrom : unmanaged, INumberBase<TFrom>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (typeof(TFrom) == typeof(T))
        {
            MemoryMarshal.Cast<TFrom, T>(source).CopyTo(destination);
        }
        else
        {
            TensorPrimitives.ConvertTruncating(source, destination);
        }
    }

    // One loop for all sizes: whole numbers among weights are few.
    private static void ReadWhole<T>(ReadOnlySpan<byte> bytes, int size, bool isSigned, bool isTruth, Span<T> destination)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < destination.Length; i++)
        {
            var bits = 0UL;
            for (var b = 0; b < size; b++)
            {
                bits |= (ulong)bytes[(i * size) + (BitConverter.IsLittleEndian ? b : size - 1 - b)] << (8 * b);
            }

            var unused = 64 - (8 * size);
            destination[i] = isTruth ? (bits == 0 ? T.Zero : T.One)
                : isSigned ? T.CreateTruncating((long)(bits << unused) >> unused)
                : T.CreateTruncating(bits);
        }
    }
}
