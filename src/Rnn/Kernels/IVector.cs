using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace Rnn.Kernels;

/// <summary>
/// A vector of one or more lanes, the one type that kernels and cells are written over. The width is a type parameter that the JIT compiles away:
/// one number, or 128, 256 or 512 bits.
/// </summary>
/// <remarks>
/// Masks are vectors whose lanes are all ones or all zeros, as the comparisons return them; use them with <see cref="Select"/>.
/// </remarks>
/// <typeparam name="TSelf">The vector type itself.</typeparam>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
[Experimental("RNN001")]
public unsafe interface IVector<TSelf, T> :
    IAdditionOperators<TSelf, TSelf, TSelf>,
    ISubtractionOperators<TSelf, TSelf, TSelf>,
    IMultiplyOperators<TSelf, TSelf, TSelf>,
    IDivisionOperators<TSelf, TSelf, TSelf>,
    IUnaryNegationOperators<TSelf, TSelf>
    where TSelf : struct, IVector<TSelf, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The number of lanes.</summary>
    static abstract int Count { get; }

    /// <summary>A vector of zeros.</summary>
    static abstract TSelf Zero { get; }

    /// <summary>A vector of ones.</summary>
    static abstract TSelf One { get; }

    /// <summary>The same value in every lane.</summary>
    static abstract TSelf Broadcast(T value);

    /// <summary>A literal of the mathematics in every lane, rounded to the element type.</summary>
    static abstract TSelf Constant(double value);

    /// <summary>Reads <see cref="Count"/> elements; no alignment is needed.</summary>
    static abstract TSelf Load(T* source);

    /// <summary>Reads the first <paramref name="count"/> elements (0 &lt; count &lt; <see cref="Count"/>); the other lanes are zero and their memory is not touched.</summary>
    static abstract TSelf LoadPartial(T* source, int count);

    /// <summary>Writes <see cref="Count"/> elements; no alignment is needed.</summary>
    void Store(T* destination);

    /// <summary>Writes the first <paramref name="count"/> lanes (0 &lt; count &lt; <see cref="Count"/>) and touches no other memory.</summary>
    void StorePartial(T* destination, int count);

    /// <summary><c>a·b + c</c> with one rounding, or with two on processors that have no fused multiply-add; all widths alike.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf c);

    /// <summary>The smaller of two lanes; where either is NaN the result is NaN.</summary>
    static abstract TSelf Min(TSelf a, TSelf b);

    /// <summary>The larger of two lanes; where either is NaN the result is NaN.</summary>
    static abstract TSelf Max(TSelf a, TSelf b);

    /// <summary>
    /// The smaller of two lanes in one instruction. Where <paramref name="b"/> is NaN the result is NaN; a NaN in
    /// <paramref name="a"/> alone may be lost, so the limit goes first and the value second. Of two zeros either may come.
    /// </summary>
    static abstract TSelf MinNative(TSelf a, TSelf b);

    /// <summary>The larger of two lanes in one instruction, with NaN and zeros as in <see cref="MinNative"/>.</summary>
    static abstract TSelf MaxNative(TSelf a, TSelf b);

    /// <summary>The absolute value.</summary>
    static abstract TSelf Abs(TSelf a);

    /// <summary>The square root.</summary>
    static abstract TSelf Sqrt(TSelf a);

    /// <summary>The magnitude of <paramref name="magnitude"/> with the sign of <paramref name="sign"/>.</summary>
    static abstract TSelf CopySign(TSelf magnitude, TSelf sign);

    /// <summary>Rounds to the nearest whole number, ties to even.</summary>
    static abstract TSelf Round(TSelf a);

    /// <summary>Two to the power of a whole number within the range of normal exponents, by its bits.</summary>
    static abstract TSelf PowerOfTwo(TSelf wholeNumber);

    /// <summary>
    /// <c>a·2ⁿ</c> with one rounding, into the denormal range and up to infinity, for ½ &lt; |a| &lt; 2 and whole n from −150 to 128
    /// (<see cref="double"/>: −1077 to 1024); NaN in <paramref name="a"/> stays NaN.
    /// </summary>
    static abstract TSelf Scale(TSelf a, TSelf n);

    /// <summary>As <see cref="Scale"/>, cheaper, for whole n from −150 to 62 (<see cref="double"/>: −1077 to 510).</summary>
    static abstract TSelf ScaleDown(TSelf a, TSelf n);

    /// <summary>Takes a positive normal number apart: returns m in [√½, √2) with <c>a = m · 2^exponent</c>, exactly. Other numbers give nonsense.</summary>
    static abstract TSelf SplitExponent(TSelf a, out TSelf exponent);

    /// <summary>The mask of the lanes where <c>a &lt; b</c>.</summary>
    static abstract TSelf LessThan(TSelf a, TSelf b);

    /// <summary>The mask of the lanes where <c>a ≤ b</c>.</summary>
    static abstract TSelf LessThanOrEqual(TSelf a, TSelf b);

    /// <summary>The mask of the lanes where <c>a = b</c>; NaN equals nothing.</summary>
    static abstract TSelf EqualTo(TSelf a, TSelf b);

    /// <summary>Lane by lane <paramref name="whenTrue"/> where the mask is set, else <paramref name="whenFalse"/>.</summary>
    static abstract TSelf Select(TSelf mask, TSelf whenTrue, TSelf whenFalse);

    /// <summary>
    /// Zero in the lanes of less than 2⁻¹⁰⁰ ≈ 8e-31 (<see cref="double"/>: 2⁻⁹⁶⁰), which no result of interest depends on, and the others as they are.
    /// What decays and is stored, such as a state in silence, stays out of the denormal range by it, in which many processors take a hundred times as long.
    /// </summary>
    static abstract TSelf FlushToZero(TSelf a);

    /// <summary>The mask of the first <paramref name="count"/> lanes.</summary>
    static abstract TSelf FirstLanes(int count);

    /// <summary>The sum of all lanes, in a fixed order (pairwise halves).</summary>
    static abstract T Sum(TSelf a);

    /// <summary>The sums of all lanes of four vectors, written to four elements; cheaper than four times <see cref="Sum"/>, in a fixed order.</summary>
    static abstract void Sums(TSelf a, TSelf b, TSelf c, TSelf d, T* sums);

    /// <summary>The largest lane; a NaN in any lane may be lost.</summary>
    static abstract T LargestLane(TSelf a);

    /// <summary>The exponential function, with an error below one ulp.</summary>
    static abstract TSelf Exp(TSelf x);

    /// <summary>The logistic function 1 / (1 + e⁻ˣ), with an error of 2.5 ulp at most.</summary>
    static abstract TSelf Sigmoid(TSelf x);

    /// <summary>The hyperbolic tangent, with an error of 2.5 ulp at most.</summary>
    static abstract TSelf Tanh(TSelf x);
}
