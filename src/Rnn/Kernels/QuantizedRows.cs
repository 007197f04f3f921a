using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Rnn.Kernels;

/// <summary>
/// Rows of a product as whole numbers of 16 bits with one scale each, for weights of 8 bits. The largest number of a row is 32767, so a row of 512 numbers keeps
/// the sum of its products with weights exact in 32 bits.
/// </summary>
internal static unsafe class QuantizedRows
{
    /// <summary>The largest whole number.</summary>
    internal const int Largest = 32767;

    /// <summary>The most k whose products have an exact sum: 512 · 32767 · 127 is less than 2³¹.</summary>
    internal const int BlockLength = 512;

    // 1.5 · 2²³: added to a number of less than 2²², it leaves the nearest whole number in the lower bits of the sum.
    private const float Rounding = 12582912;

    /// <summary>Blocks of the summed dimension.</summary>
    internal static int Blocks(int inner) => (inner + BlockLength - 1) / BlockLength;

    /// <summary>Turns a row to whole numbers.</summary>
    /// <param name="row">The row.</param>
    /// <param name="count">Its length.</param>
    /// <param name="whole">Receives the whole numbers, and a zero behind an odd number of them.</param>
    /// <param name="sums">Receives 128 times the sum of each block of <see cref="BlockLength"/>.</param>
    /// <returns>The scale: 0 for a row of zeros (or numbers that count as zero), NaN where a number is not finite.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal static float Quantize(float* row, int count, short* whole, int* sums)
    {
        whole[(count - 1) | 1] = 0;
        var largest = BitConverter.Int32BitsToSingle(LargestMagnitude(row, count));
        var isZero = largest < Tiny<float>.Threshold;
        var inverse = isZero || !float.IsFinite(largest) ? 0 : Largest / largest;
        for (var k = 0; k < count; k += BlockLength)
        {
            *sums++ = unchecked(128 * Convert(row + k, Math.Min(BlockLength, count - k), whole + k, inverse));
        }

        return isZero ? 0 : float.IsFinite(largest) ? largest / Largest : float.NaN;
    }

    // As bits, which are in the order of the magnitudes; NaN is the largest.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static int LargestMagnitude(float* row, int count)
    {
        var largest = 0;
        var k = 0;
        if (Vector128.IsHardwareAccelerated)
        {
            var magnitude = Vector128.Create(int.MaxValue);
            var found = Vector128<int>.Zero;
            for (; k <= count - 4; k += 4)
            {
                found = Vector128.Max(found, Vector128.Load((int*)(row + k)) & magnitude);
            }

            for (var lane = 0; lane < 4; lane++)
            {
                largest = Math.Max(largest, found.GetElement(lane));
            }
        }

        for (; k < count; k++)
        {
            largest = Math.Max(largest, ((int*)row)[k] & int.MaxValue);
        }

        return largest;
    }

    // The sum of the whole numbers.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static int Convert(float* row, int count, short* whole, float inverse)
    {
        var sum = 0;
        var k = 0;
        if (inverse == 0)
        {
            // What is not finite has no whole number; its scale says what it is.
            new Span<short>(whole, count).Clear();
            return 0;
        }

        if (Vector128.IsHardwareAccelerated)
        {
            var factor = Vector128.Create(inverse);
            var rounding = Vector128.Create(Rounding);
            var offset = rounding.AsInt32();
            var sums = Vector128<int>.Zero;
            for (; k <= count - 8; k += 8)
            {
                var first = ((Vector128.Load(row + k) * factor) + rounding).AsInt32() - offset;
                var second = ((Vector128.Load(row + k + 4) * factor) + rounding).AsInt32() - offset;
                sums += first + second;
                Vector128.Narrow(first, second).Store(whole + k);
            }

            sum = Vector128.Sum(sums);
        }

        for (; k < count; k++)
        {
            var value = BitConverter.SingleToInt32Bits((row[k] * inverse) + Rounding) - BitConverter.SingleToInt32Bits(Rounding);
            whole[k] = (short)value;
            sum += value;
        }

        return sum;
    }
}
