namespace Rnn.Kernels;

/// <summary>The few operations on whole numbers of 32 and 16 bits that products with compressed weights are made of, for one vector width.</summary>
/// <typeparam name="TInteger">A vector of <see cref="int"/>.</typeparam>
/// <typeparam name="TVector">A vector of as many <see cref="float"/>.</typeparam>
internal unsafe interface ICompactRegisters<TInteger, TVector>
    where TInteger : struct
    where TVector : struct
{
    static abstract TInteger Load(void* source);

    static abstract TInteger Broadcast(void* source);

    /// <summary>The lower 16 bits of each lane as bfloat16.</summary>
    static abstract TVector LowerHalf(TInteger value);

    /// <summary><see cref="LowerHalf"/> of lanes in memory, by a load and a mask where that is faster than a shift; the 16 bits before them must be readable.</summary>
    static abstract TVector LowerHalfAt(void* source);

    /// <summary>The upper 16 bits of each lane as bfloat16.</summary>
    static abstract TVector UpperHalf(TInteger value);

    /// <summary>The upper 8 bits of each 16, with their sign.</summary>
    static abstract TInteger UpperBytes(TInteger value);

    /// <summary>sum + the two products of the 16 bits of each lane, modulo 2³².</summary>
    static abstract TInteger AddProducts(TInteger a, TInteger b, TInteger sum);

    /// <summary>both − 256 · upper − bias, modulo 2³².</summary>
    static abstract TInteger Separate(TInteger both, TInteger upper, TInteger bias);

    /// <summary>start + sum · (rowScale · columnScales), by one multiply-add (fused where the processor can).</summary>
    static abstract TVector AddScaled(TInteger sum, float rowScale, TVector columnScales, TVector start);
}
