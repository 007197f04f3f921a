using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Tensors;

/// <summary>
/// Random masks by position: whether an element is kept follows from a key and its index alone, so a mask can be drawn in any pieces, on any thread
/// and again in the backward pass, always the same.
/// </summary>
/// <remarks>The bits are those of <see cref="SplitMix64"/>, begun at the key; one of its numbers serves two elements.</remarks>
internal static class RandomMask
{
    /// <summary>A key of its own for a purpose, row or step under another key.</summary>
    internal static ulong Key(ulong key, int number) => SplitMix64.Mix(key + (SplitMix64.Increment * ((ulong)(uint)number + 1)));

    /// <summary>Fills with <paramref name="value"/> at the given probability, else with zero.</summary>
    /// <param name="mask">The elements to write.</param>
    /// <param name="key">Names the mask: a random number, or what <see cref="Key"/> made of one.</param>
    /// <param name="probability">From 0 to 1, exact to 2⁻³².</param>
    /// <param name="value">The value of kept elements.</param>
    /// <param name="first">The index of the first element, where a mask is drawn in pieces.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal static unsafe void Fill<T>(Span<T> mask, ulong key, double probability, T value, uint first = 0)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var threshold = (ulong)Math.Round(probability * (1UL << 32));
        if (threshold is 0 or > uint.MaxValue)
        {
            mask.Fill(threshold == 0 ? T.Zero : value);
            return;
        }

        // Two elements to a number: one that begins with its second half goes first, so that vectors hold whole numbers.
        var count = first / 2;
        var i = 0;
        if (first % 2 == 1 && mask.Length > 0)
        {
            mask[i++] = (SplitMix64.Mix(key + (SplitMix64.Increment * (++count))) >> 32) < threshold ? value : T.Zero;
        }

        if (!Vector.IsHardwareAccelerated)
        {
            FillSingly(mask[i..], key, count, threshold, value);
            return;
        }

        var lanes = Vector<uint>.Count;
        var below = new Vector<uint>((uint)threshold);
        var kept = new Vector<T>(value);
        var counters = new Vector<ulong>(key + (SplitMix64.Increment * (count + 1UL))) + (Vector<ulong>.Indices * SplitMix64.Increment);
        var step = new Vector<ulong>(SplitMix64.Increment * (ulong)Vector<ulong>.Count);
        fixed (T* target = mask)
        {
            for (; i <= mask.Length - lanes; i += lanes)
            {
                Store(Vector.LessThan(Bits(counters), below), kept, target + i);
                counters += step;
            }

            // What the last vector has beyond the mask is dropped.
            var piece = stackalloc T[lanes];
            Store(Vector.LessThan(Bits(counters), below), kept, piece);
            new ReadOnlySpan<T>(piece, mask.Length - i).CopyTo(mask[i..]);
        }
    }

    /// <summary>The same numbers without vectors, which a processor that lacks them takes for a call each.</summary>
    private static void FillSingly<T>(Span<T> mask, ulong key, uint count, ulong threshold, T value)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < mask.Length; i += 2)
        {
            var bits = SplitMix64.Mix(key + (SplitMix64.Increment * (++count)));
            mask[i] = (uint)bits < threshold ? value : T.Zero;
            if (i + 1 < mask.Length)
            {
                mask[i + 1] = (bits >> 32) < threshold ? value : T.Zero;
            }
        }
    }

    /// <summary><see cref="SplitMix64.Mix"/>, the lower half of each number before the upper one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<uint> Bits(Vector<ulong> z)
    {
        z = (z ^ (z >>> 30)) * SplitMix64.FirstFactor;
        z = (z ^ (z >>> 27)) * SplitMix64.SecondFactor;
        return (z ^ (z >>> 31)).As<ulong, uint>();
    }

    /// <summary>The value where the mask is set; of doubles two vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Store<T>(Vector<uint> set, Vector<T> value, T* target)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (typeof(T) == typeof(float))
        {
            Vector.Store(Vector.BitwiseAnd(set.As<uint, T>(), value), target);
            return;
        }

        Vector.Widen(set.As<uint, int>(), out var low, out var high);
        Vector.Store(Vector.BitwiseAnd(low.As<long, T>(), value), target);
        Vector.Store(Vector.BitwiseAnd(high.As<long, T>(), value), target + Vector<T>.Count);
    }
}
