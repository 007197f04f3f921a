using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Tensors;

/// <summary>
/// The generator xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021). A struct, so that loops can
/// keep its state in registers.
/// </summary>
internal struct Xoshiro256(ulong s0, ulong s1, ulong s2, ulong s3)
{
    public ulong S0 = s0;
    public ulong S1 = s1;
    public ulong S2 = s2;
    public ulong S3 = s3;

    /// <summary>A state filled from a seed by SplitMix64.</summary>
    internal static Xoshiro256 FromSeed(ulong seed) => new(SplitMix64(ref seed), SplitMix64(ref seed), SplitMix64(ref seed), SplitMix64(ref seed));

    /// <summary>The next number of SplitMix64.</summary>
    internal static ulong SplitMix64(ref ulong state)
    {
        var z = state += 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    /// <summary>The next 64 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ulong Next()
    {
        var result = BitOperations.RotateLeft(S1 * 5, 7) * 9;
        var t = S1 << 17;
        S2 ^= S0;
        S3 ^= S1;
        S1 ^= S2;
        S0 ^= S3;
        S2 ^= t;
        S3 = BitOperations.RotateLeft(S3, 45);
        return result;
    }
}
