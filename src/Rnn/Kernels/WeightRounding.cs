using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>What numbers the compressed formats hold: weights rounded to them are exactly what the kernels multiply by.</summary>
/// <remarks>Rounding what is rounded changes nothing, so that a rounded matrix of single precision says all that its compressed form does.</remarks>
internal static unsafe class WeightRounding
{
    /// <summary>The largest whole number of 8 bits in use; −128 is not, so that both signs reach equally far.</summary>
    internal const int Largest = 127;

    /// <summary>The nearest bfloat16, of two as near the even one. NaN stays NaN, and what is too large becomes infinite.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ushort ToBFloat16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)((bits >> 16) | 0x40) : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>The number that a bfloat16 is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float FromBFloat16(ushort value) => BitConverter.UInt32BitsToSingle((uint)value << 16);

    /// <summary>
    /// The scale of a row: its largest magnitude over 127, rounded up to 16 significant bits. All 255 multiples of it are then numbers of single precision.
    /// 0 for a row of zeros, NaN where the row has a number that is not finite.
    /// </summary>
    internal static float Scale(ReadOnlySpan<float> row)
    {
        var largest = 0f;
        foreach (var value in row)
        {
            if (!float.IsFinite(value))
            {
                return float.NaN;
            }

            largest = Math.Max(largest, Math.Abs(value));
        }

        return ScaleOf(largest);
    }

    /// <summary>The scale for a largest magnitude.</summary>
    internal static float ScaleOf(float largest)
    {
        // Multiples of what is smaller would be denormal numbers; all weights so small count as zero.
        if (largest < Tiny<float>.Threshold)
        {
            return 0;
        }

        var bits = BitConverter.SingleToUInt32Bits(largest / Largest);
        return BitConverter.UInt32BitsToSingle((bits + 0xFF) & ~0xFFu);
    }

    /// <summary>The multiple of the scale that is nearest to a number, of two as near the even one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int ToInt8(float value, float scale) => scale > 0 ? (int)MathF.Round(value / scale) : 0;

    /// <summary>Rounds a matrix [rows, columns] to the numbers that a format holds; 8 bits have a scale for each row.</summary>
    internal static void Round(Span<float> matrix, int columns, PackedFormat format)
    {
        switch (format)
        {
            case PackedFormat.BFloat16:
                foreach (ref var value in matrix)
                {
                    value = FromBFloat16(ToBFloat16(value));
                }

                break;
            case PackedFormat.Int8:
                for (var i = 0; i < matrix.Length; i += columns)
                {
                    var row = matrix.Slice(i, columns);
                    var scale = Scale(row);
                    foreach (ref var value in row)
                    {
                        value = ToInt8(value, scale) * scale;
                    }
                }

                break;
        }
    }
}
