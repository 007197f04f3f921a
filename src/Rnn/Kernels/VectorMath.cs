using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>Elementary functions over any vector, written once for all widths and both element types.</summary>
/// <remarks>
/// Every function uses only exactly rounded operations (add, multiply, divide, fused multiply-add, scaling by powers of two), so all
/// widths give the same bits. NaN gives NaN, infinities give the limits, results run down into the denormal range.
/// </remarks>
public static partial class VectorMath
{
    /// <summary>e to the power of x.</summary>
    /// <remarks>Overflows to infinity and underflows to zero where the exact result rounds there.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exp<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // Past these limits the result is 0 or infinity; MinNative and MaxNative hand a NaN in second place on.
        var isSingle = typeof(T) == typeof(float);
        x = V.MaxNative(V.Constant(isSingle ? -104.0 : -746.0), V.MinNative(V.Constant(isSingle ? 89.0 : 710.0), x));
        var n = RoundedQuotient<V, T>(x, Log2E);
        var r = Remainder<V, T>(x, n);
        return V.Scale(V.MultiplyAdd(ExpQuotient<V, T>(r, 1), r, V.One), n);
    }

    /// <summary>The logistic function 1 / (1 + e⁻ˣ).</summary>
    /// <remarks>Accurate relative to the result on the whole line: for very negative x it follows eˣ into the denormal range.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Sigmoid<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // σ(x) = eˣ / (1 + eˣ). From 40 on e^x swallows the 1, so the quotient is exactly one.
        x = V.MaxNative(V.Constant(typeof(T) == typeof(float) ? -104.0 : -746.0), V.MinNative(V.Constant(40.0), x));
        var n = RoundedQuotient<V, T>(x, Log2E);
        var r = Remainder<V, T>(x, n);
        var e = V.ScaleDown(V.MultiplyAdd(ExpQuotient<V, T>(r, 1), r, V.One), n);
        return e / (V.One + e);
    }

    /// <summary>The hyperbolic tangent.</summary>
    /// <remarks>Odd to the bit, −0 included, accurate relative to the result near zero (denormals too), never beyond ±1.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Tanh<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // tanh|x| = m / (m + 2) with m = e^(2|x|) − 1 = 2ⁿ(eʳ − 1) + (2ⁿ − 1), where no digit is lost. r counts in units of x.
        // One product with ln 2 / 2 is enough: where n is large, the error of m no longer reaches the quotient.
        var a = V.MinNative(V.Constant(typeof(T) == typeof(float) ? 12.0 : 24.0), V.Abs(x));
        var n = RoundedQuotient<V, T>(a, 2 * Log2E);
        var r = V.MultiplyAdd(n, V.Constant(-0.5 * Ln2), a);
        var s = V.PowerOfTwo(n);
        var m = V.MultiplyAdd(ExpQuotient<V, T>(r, 2) * r, s, s - V.One);
        return V.CopySign(m / (m + V.Constant(2.0)), x);
    }
}
