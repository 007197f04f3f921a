using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Rnn.Formats;

/// <summary>Little-endian bytes of a file to numbers and back.</summary>
internal static class SafeTensorsConversion
{
    /// <summary>The type of the file that holds <typeparamref name="T"/> without loss.</summary>
    internal static SafeTensorsType TypeOf<T>() => typeof(T) == typeof(double) ? SafeTensorsType.Float64
        : typeof(T) == typeof(float) ? SafeTensorsType.Float32
        : throw new NotSupportedException($"Tensors of {typeof(T)} have no safetensors type; use float or double.");

    /// <summary>Converts whole elements of a readable type, rounding to nearest where <typeparamref name="T"/> is narrower.</summary>
    internal static void Read<T>(ReadOnlySpan<byte> bytes, SafeTensorsType type, Span<T> destination)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (type == SafeTensorsType.Float32)
        {
            Convert(MachineOrder<float>(bytes), destination);
        }
        else if (type == SafeTensorsType.Float64)
        {
            Convert(MachineOrder<double>(bytes), destination);
        }
        else if (type == SafeTensorsType.Float16)
        {
            Convert(MachineOrder<Half>(bytes), destination);
        }
        else
        {
            var halves = MachineOrder<ushort>(bytes);
            for (var i = 0; i < halves.Length; i++)
            {
                destination[i] = T.CreateTruncating(BitConverter.UInt32BitsToSingle((uint)halves[i] << 16));
            }
        }
    }

    /// <summary>The bytes of the file for these numbers.</summary>
    internal static ReadOnlySpan<byte> Write<T>(ReadOnlySpan<T> values)
        where T : unmanaged, IFloatingPointIeee754<T> => MemoryMarshal.AsBytes(MachineOrder<T>(MemoryMarshal.AsBytes(values)));

    /// <summary>Little-endian bytes as numbers of this machine: the same memory, or a reversed copy on a big-endian machine.</summary>
    private static ReadOnlySpan<TValue> MachineOrder<TValue>(ReadOnlySpan<byte> bytes)
        where TValue : unmanaged
    {
        var values = MemoryMarshal.Cast<byte, TValue>(bytes);
        if (BitConverter.IsLittleEndian)
        {
            return values;
        }

        var copy = values.ToArray();
        for (var i = 0; i < copy.Length; i++)
        {
            MemoryMarshal.AsBytes(copy.AsSpan(i, 1)).Reverse();
        }

        return copy;
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
}
