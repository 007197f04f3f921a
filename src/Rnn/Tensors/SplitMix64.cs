using System.Runtime.CompilerServices;

namespace Rnn.Tensors;

/// <summary>
/// The generator SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): a counter that grows by a fixed odd
/// number, and a bijection of 64 bits that makes a random number of each count.
/// </summary>
internal static class SplitMix64
{
    /// <summary>What the counter grows by: 2⁶⁴ divided by the golden ratio.</summary>
    internal const ulong Increment = 0x9E3779B97F4A7C15UL;

    /// <summary>The first factor of the bijection.</summary>
    internal const ulong FirstFactor = 0xBF58476D1CE4E5B9UL;

    /// <summary>The second factor of the bijection.</summary>
    internal const ulong SecondFactor = 0x94D049BB133111EBUL;

    /// <summary>The random number of a count.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * FirstFactor;
        z = (z ^ (z >> 27)) * SecondFactor;
        return z ^ (z >> 31);
    }

    /// <summary>Moves the counter and gives its random number.</summary>
    internal static ulong Next(ref ulong counter) => Mix(counter += Increment);
}
