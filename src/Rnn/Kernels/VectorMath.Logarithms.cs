using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Rnn.Kernels;

internal static partial class VectorMath
{
    /// <summary>The natural logarithm.</summary>
    /// <remarks>Error at most 0.85 ulp in float, 0.8 ulp in double. Zero gives −∞, a negative number NaN; denormals are taken at their value.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Log<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var isSingle = typeof(T) == typeof(float);
        var denormal = V.LessThan(x, V.Constant(isSingle ? 1.1754943508222875e-38 : 2.2250738585072014e-308));
        var lifted = V.Select(denormal, x * V.Constant(isSingle ? 16777216.0 : 18014398509481984.0), x);
        var mantissa = V.SplitExponent(lifted, out var exponent);
        exponent -= V.Select(denormal, V.Constant(isSingle ? 24.0 : 54.0), V.Zero);
        return LogLimits<V, T>(LogOfSplit<V, T>(mantissa, exponent), x);
    }

    /// <summary>log(1 + eˣ), accurate relative to the result on the whole line: for very negative x it follows eˣ into the denormal range.</summary>
    /// <remarks>Error at most 2.4 ulp in float, 2.2 ulp in double.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Softplus<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // max(x, 0) + log(1 + e) with e = e^(−|x|) ≤ 1; with s = e / (2 + e) ≤ 1/3 the logarithm is 2·artanh s = 2s + s³·P(s²), and 2s = e − s·e.
        var e = Exp<V, T>(-V.Abs(x));
        var s = e / (e + V.Constant(2.0));
        var y = s * s;
        V p;
        if (typeof(T) == typeof(float))
        {
            p = V.Constant(0.28025821467321451316);
            p = V.MultiplyAdd(p, y, V.Constant(0.27998885778784444367));
            p = V.MultiplyAdd(p, y, V.Constant(0.4002171321249872955));
            p = V.MultiplyAdd(p, y, V.Constant(0.66666412915558583988));
        }
        else
        {
            p = V.Constant(0.17020646364731562306);
            p = V.MultiplyAdd(p, y, V.Constant(0.083390135520947599499));
            p = V.MultiplyAdd(p, y, V.Constant(0.12106328151791928366));
            p = V.MultiplyAdd(p, y, V.Constant(0.13300943958830992789));
            p = V.MultiplyAdd(p, y, V.Constant(0.15386562101965992016));
            p = V.MultiplyAdd(p, y, V.Constant(0.18181743826590589438));
            p = V.MultiplyAdd(p, y, V.Constant(0.22222223972399780291));
            p = V.MultiplyAdd(p, y, V.Constant(0.2857142854781311759));
            p = V.MultiplyAdd(p, y, V.Constant(0.40000000000157546323));
            p = V.MultiplyAdd(p, y, V.Constant(0.6666666666666630303));
        }

        var logarithm = V.MultiplyAdd(s * y, p, e - (s * e));
        return V.MaxNative(V.Zero, x) + logarithm;
    }

    /// <summary>log of <c>mantissa · 2^exponent</c> (mantissa in [√½, √2)).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V LogOfSplit<V, T>(V mantissa, V exponent)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // With f = m − 1 (exact) and s = f / (2 + f): log m = 2·artanh s = f − (f²/2 − s·(f²/2 + s²·P(s²))), which loses nothing of f.
        var f = mantissa - V.One;
        var s = f / (f + V.Constant(2.0));
        var y = s * s;
        var half = f * f * V.Constant(0.5);
        V p;
        if (typeof(T) == typeof(float))
        {
            p = V.Constant(0.29871996860230506989);
            p = V.MultiplyAdd(p, y, V.Constant(0.39977532380092794376));
            p = V.MultiplyAdd(p, y, V.Constant(0.6666677644865237807));
        }
        else
        {
            p = V.Constant(0.14796261247485426763);
            p = V.MultiplyAdd(p, y, V.Constant(0.15314021108784671016));
            p = V.MultiplyAdd(p, y, V.Constant(0.18183565407733047362));
            p = V.MultiplyAdd(p, y, V.Constant(0.22222198553773753711));
            p = V.MultiplyAdd(p, y, V.Constant(0.28571428742562292181));
            p = V.MultiplyAdd(p, y, V.Constant(0.39999999999413962922));
            p = V.MultiplyAdd(p, y, V.Constant(0.66666666666667345086));
        }

        var isFused = Fma.IsSupported || AdvSimd.IsSupported;
        var low = exponent * V.Constant(typeof(T) == typeof(float) ? (isFused ? Ln2LowSingle : Ln2RestSingle) : (isFused ? Ln2LowDouble : Ln2RestDouble));
        var small = half - V.MultiplyAdd(s, V.MultiplyAdd(p, y, half), low);
        if (Fma.IsSupported || AdvSimd.IsSupported)
        {
            return V.MultiplyAdd(exponent, V.Constant(Ln2), f - small);
        }

        return (exponent * V.Constant(typeof(T) == typeof(float) ? Ln2ShortSingle : Ln2ShortDouble)) + (f - small);
    }

    /// <summary>Puts the limits of a logarithm in place: +∞ and NaN come through, −∞ stands at zero, NaN below it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V LogLimits<V, T>(V logarithm, V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        logarithm = V.Select(V.LessThan(x, V.Constant(double.PositiveInfinity)), logarithm, x);
        logarithm = V.Select(V.EqualTo(x, V.Zero), V.Constant(double.NegativeInfinity), logarithm);
        return V.Select(V.LessThan(x, V.Zero), V.Constant(double.NaN), logarithm);
    }
}
