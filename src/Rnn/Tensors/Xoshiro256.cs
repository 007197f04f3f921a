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
    internal static Xoshiro256 FromSeed(ulong seed) => new(SplitMix64.Next(ref seed), SplitMix64.Next(ref seed), SplitMix64.Next(ref seed), SplitMix64.Next(ref seed));

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
