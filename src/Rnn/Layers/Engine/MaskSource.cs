using System.Numerics;

namespace Rnn.Layers.Engine;

/// <summary>
/// Random masks by position: the mask of a row at a step follows from the seed and the place alone, so it can be drawn again on the way
/// back, on any thread and in any order.
/// </summary>
internal static class MaskSource
{
    private const ulong Golden = 0x9E3779B97F4A7C15UL;

    /// <summary>A key of its own for a purpose, row or step under another key.</summary>
    internal static ulong Key(ulong key, int number) => Mix(key + (Golden * ((ulong)(uint)number + 1)));

    /// <summary>Fills with <paramref name="value"/> at the given probability, exact to 2⁻³², else with zero.</summary>
    internal static void Fill<T>(Span<T> mask, ulong key, double probability, T value)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var threshold = (ulong)Math.Round(probability * (1UL << 32));
        for (var i = 0; i < mask.Length; i += 2)
        {
            // SplitMix64 by counter; one draw serves two elements.
            key += Golden;
            var bits = Mix(key);
            mask[i] = (uint)bits < threshold ? value : T.Zero;
            if (i + 1 < mask.Length)
            {
                mask[i + 1] = (bits >> 32) < threshold ? value : T.Zero;
            }
        }
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
