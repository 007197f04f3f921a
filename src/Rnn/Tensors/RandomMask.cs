using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Rnn.Tensors;

/// <summary>
/// Random masks by position: whether an element is kept follows from a key and its index alone, so masks are drawn in vectors of any
/// width, in any pieces and again on the backward pass, always the same.
/// </summary>
/// <remarks>
/// The bits are a hash of the index: two rounds of multiplying and xor-shifting 32 bits, with one half of the key before each.
/// </remarks>
internal static class RandomMask
{
    private const uint Golden = 0x9E3779B9;
    private const uint FirstFactor = 0x85EBCA6B;
    private const uint SecondFactor = 0xC2B2AE35;
    private const uint ThirdFactor = 0x27D4EB2F;

    /// <summary>Fills with <paramref name="value"/> at the given probability, else with zero.</summary>
    /// <param name="mask">The elements to write.</param>
    /// <param name="key">Names the mask; keys that differ in any bit give masks that have nothing to do with each other.</param>
    /// <param name="probability">From 0 to 1, exact to 2⁻³².</param>
    /// <param name="value">The value of kept elements.</param>
    /// <param name="first">The index of the first element, where a mask is drawn in pieces.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static unsafe void Fill<T>(Span<T> mask, ulong key, double probability, T value, uint first = 0)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var threshold = (ulong)Math.Round(probability * (1UL << 32));
        if (threshold is 0 or > uint.MaxValue)
        {
            mask.Fill(threshold == 0 ? T.Zero : value);
            return;
        }

        var below = (uint)threshold;
        var (low, high) = ((uint)key, (uint)(key >> 32));
        var i = 0;
        fixed (T* target = mask)
        {
            if (typeof(T) == typeof(float))
            {
                var to = (float*)target;
                var kept = (float)(object)value;
                if (Vector512.IsHardwareAccelerated)
                {
                    for (; i <= mask.Length - Vector512<uint>.Count; i += Vector512<uint>.Count)
                    {
                        var bits = Hash512(Vector512.Create(first + (uint)i) + Vector512<uint>.Indices, low, high);
                        (Vector512.LessThan(bits, Vector512.Create(below)).AsSingle() & Vector512.Create(kept)).Store(to + i);
                    }
                }

                if (Vector256.IsHardwareAccelerated)
                {
                    for (; i <= mask.Length - Vector256<uint>.Count; i += Vector256<uint>.Count)
                    {
                        var bits = Hash256(Vector256.Create(first + (uint)i) + Vector256<uint>.Indices, low, high);
                        (Vector256.LessThan(bits, Vector256.Create(below)).AsSingle() & Vector256.Create(kept)).Store(to + i);
                    }
                }
                else
                {
                    for (; i <= mask.Length - Vector128<uint>.Count; i += Vector128<uint>.Count)
                    {
                        var bits = Hash128(Vector128.Create(first + (uint)i) + Vector128<uint>.Indices, low, high);
                        (Vector128.LessThan(bits, Vector128.Create(below)).AsSingle() & Vector128.Create(kept)).Store(to + i);
                    }
                }
            }

            for (; i < mask.Length; i++)
            {
                target[i] = Hash(first + (uint)i, low, high) < below ? value : T.Zero;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Hash(uint x, uint low, uint high)
    {
        x = (x * Golden) + low;
        x = (x ^ (x >> 16)) * FirstFactor;
        x = (x ^ (x >> 13)) * SecondFactor;
        x += high;
        x = (x ^ (x >> 16)) * ThirdFactor;
        x = (x ^ (x >> 15)) * FirstFactor;
        return x ^ (x >> 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Hash512(Vector512<uint> x, uint low, uint high)
    {
        x = (x * Golden) + Vector512.Create(low);
        x = (x ^ (x >>> 16)) * FirstFactor;
        x = (x ^ (x >>> 13)) * SecondFactor;
        x += Vector512.Create(high);
        x = (x ^ (x >>> 16)) * ThirdFactor;
        x = (x ^ (x >>> 15)) * FirstFactor;
        return x ^ (x >>> 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Hash256(Vector256<uint> x, uint low, uint high)
    {
        x = (x * Golden) + Vector256.Create(low);
        x = (x ^ (x >>> 16)) * FirstFactor;
        x = (x ^ (x >>> 13)) * SecondFactor;
        x += Vector256.Create(high);
        x = (x ^ (x >>> 16)) * ThirdFactor;
        x = (x ^ (x >>> 15)) * FirstFactor;
        return x ^ (x >>> 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Hash128(Vector128<uint> x, uint low, uint high)
    {
        x = (x * Golden) + Vector128.Create(low);
        x = (x ^ (x >>> 16)) * FirstFactor;
        x = (x ^ (x >>> 13)) * SecondFactor;
        x += Vector128.Create(high);
        x = (x ^ (x >>> 16)) * ThirdFactor;
        x = (x ^ (x >>> 15)) * FirstFactor;
        return x ^ (x >>> 16);
    }
}
