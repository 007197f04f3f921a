using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>Elementary functions over any vector, written once for all widths and both element types.</summary>
/// <remarks>
/// Every function uses only exactly rounded operations (add, multiply, divide, fused multiply-add where the processor has it, scaling by powers of
/// two), so all widths give the same bits. NaN gives NaN, infinities give the limits, results run down into the denormal range.
/// <para>The errors stated are the largest found, against the exact result, over all 2^32 floats and over some million doubles (every exponent, and
/// densely where the function bends). On processors without a fused multiply-add they are at most two ulp larger.</para>
/// </remarks>
internal static partial class VectorMath
{
    /// <summary>e to the power of x.</summary>
    /// <remarks>Error at most 0.96 ulp in float, 0.9 ulp in double. Overflows to infinity and underflows to zero where the exact result rounds there.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Exp<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // Past these limits the result is 0 or infinity; MinNative and MaxNative hand a NaN in second place on.
        var isSingle = typeof(T) == typeof(float);
        x = V.MaxNative(V.Constant(isSingle ? -104.0 : -746.0), V.MinNative(V.Constant(isSingle ? 89.0 : 710.0), x));
        var n = RoundedQuotient<V, T>(x, Log2E);
        var r = Remainder<V, T>(x, n);
        return V.Scale(V.MultiplyAdd(ExpQuotient<V, T>(r), r, V.One), n);
    }

    /// <summary>eˣ − 1, accurate relative to the result near zero, −0 included.</summary>
    /// <remarks>Error at most 2.1 ulp in float, 2.6 ulp in double.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V ExpM1<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // 2ⁿ(eʳ − 1) + (2ⁿ − 1), halved as long as 2ⁿ could overflow; where n = 0 the first term is the result, kept whole for denormals.
        var isSingle = typeof(T) == typeof(float);
        var limited = V.MaxNative(V.Constant(isSingle ? -20.0 : -40.0), V.MinNative(V.Constant(isSingle ? 89.0 : 710.0), x));
        var n = RoundedQuotient<V, T>(limited, Log2E);
        var r = Remainder<V, T>(limited, n);
        var p = ExpQuotient<V, T>(r) * r;
        var halfScale = V.PowerOfTwo(n - V.One);
        var half = V.MultiplyAdd(p, halfScale, halfScale - V.Constant(0.5));
        return V.CopySign(V.Select(V.EqualTo(n, V.Zero), p, half + half), x);
    }

    /// <summary>The logistic function 1 / (1 + e⁻ˣ).</summary>
    /// <remarks>Error at most 2.5 ulp in float, 2.5 ulp in double. That holds on the whole line: for very negative x it follows eˣ into the denormal range.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Sigmoid<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.Sigmoid(x);

    /// <summary>The hyperbolic tangent.</summary>
    /// <remarks>Error at most 2.5 ulp in float, 2.5 ulp in double. Odd to the bit, −0 included; x itself for the smallest x; never beyond ±1.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Tanh<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.Tanh(x);
}
