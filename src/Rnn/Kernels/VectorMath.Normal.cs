using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

internal static partial class VectorMath
{
    private const double InverseRootTwoPi = 0.3989422804014326779;

    /// <summary>
    /// The standard normal distribution function Φ(x), accurate relative to the result down to the denormals of the left tail, and beside it e^(−x²/2),
    /// the density times √2π.
    /// </summary>
    /// <remarks>Error of Φ at most 6 ulp in float, 7 ulp in double.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V NormalCdf<V, T>(V x, out V bell)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // Past the limit the tail is zero. The square's rounding error, far out many ulp of the exponential, is carried beside it.
        var a = V.MinNative(V.Constant(typeof(T) == typeof(float) ? 14.75 : 39.0), V.Abs(x));
        var half = a * V.Constant(0.5);
        var square = half * a;
        var lost = LostOfProduct<V, T>(half, a, square);
        var e = Exp<V, T>(-square);
        bell = e - (e * lost);
        var tail = bell * NormalTail<V, T>(a);
        return V.Select(V.LessThan(x, V.Zero), tail, V.One - tail);
    }

    /// <summary>x·Φ(x), the Gaussian error linear unit; zero at −∞.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Gelu<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // Below −40 the distribution function is zero in either type.
        x = V.MaxNative(V.Constant(-40.0), x);
        return x * NormalCdf<V, T>(x, out _);
    }

    /// <summary>The derivative Φ(x) + x·Φ′(x) of <see cref="Gelu"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V GeluDerivative<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        x = V.MaxNative(V.Constant(-40.0), V.MinNative(V.Constant(40.0), x));
        var distribution = NormalCdf<V, T>(x, out var bell);
        return V.MultiplyAdd(x * V.Constant(InverseRootTwoPi), bell, distribution);
    }

    /// <summary>e^(w²/2)·Φ(−w) for w ≥ 0, as <c>P((w − k) / (w + k)) / (w + k)</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V NormalTail<V, T>(V w)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var k = V.Constant(typeof(T) == typeof(float) ? 4.0 : 5.0);
        var inverse = V.One / (w + k);
        var t = (w - k) * inverse;
        V p;
        if (typeof(T) == typeof(float))
        {
            p = V.Constant(-0.00013197173828314145561);
            p = V.MultiplyAdd(p, t, V.Constant(0.00017935432037765618274));
            p = V.MultiplyAdd(p, t, V.Constant(0.0015699234916285884441));
            p = V.MultiplyAdd(p, t, V.Constant(-0.003512554008963301837));
            p = V.MultiplyAdd(p, t, V.Constant(-0.0075252713515262626642));
            p = V.MultiplyAdd(p, t, V.Constant(0.060403831092782176379));
            p = V.MultiplyAdd(p, t, V.Constant(-0.1865234414629821281));
            p = V.MultiplyAdd(p, t, V.Constant(0.38713690110941071214));
            p = V.MultiplyAdd(p, t, V.Constant(-0.60789658826957479151));
            return V.MultiplyAdd(p, t, V.Constant(0.75528513538405694467)) * inverse;
        }

        p = V.Constant(-2.9649901166453983048e-10);
        p = V.MultiplyAdd(p, t, V.Constant(1.4485435748110054725e-9));
        p = V.MultiplyAdd(p, t, V.Constant(7.9358589334203972623e-9));
        p = V.MultiplyAdd(p, t, V.Constant(-8.3417525044752635703e-9));
        p = V.MultiplyAdd(p, t, V.Constant(-6.6024537173064353908e-8));
        p = V.MultiplyAdd(p, t, V.Constant(4.0936902041351150468e-8));
        p = V.MultiplyAdd(p, t, V.Constant(4.3291332842971759245e-7));
        p = V.MultiplyAdd(p, t, V.Constant(-3.3557470337150576539e-7));
        p = V.MultiplyAdd(p, t, V.Constant(-2.7689771454377339852e-6));
        p = V.MultiplyAdd(p, t, V.Constant(3.9803998111118262351e-6));
        p = V.MultiplyAdd(p, t, V.Constant(0.000016681052659312343039));
        p = V.MultiplyAdd(p, t, V.Constant(-0.000049762658711571720515));
        p = V.MultiplyAdd(p, t, V.Constant(-0.000059375677951982404162));
        p = V.MultiplyAdd(p, t, V.Constant(0.00054489903398644096256));
        p = V.MultiplyAdd(p, t, V.Constant(-0.00079786940748827401136));
        p = V.MultiplyAdd(p, t, V.Constant(-0.0029933767667621526682));
        p = V.MultiplyAdd(p, t, V.Constant(0.020795066800788800826));
        p = V.MultiplyAdd(p, t, V.Constant(-0.06911863870656696305));
        p = V.MultiplyAdd(p, t, V.Constant(0.16502036617033972456));
        p = V.MultiplyAdd(p, t, V.Constant(-0.31353315667129627541));
        p = V.MultiplyAdd(p, t, V.Constant(0.49530561596997725719));
        p = V.MultiplyAdd(p, t, V.Constant(-0.66538250289005678051));
        return V.MultiplyAdd(p, t, V.Constant(0.76919304975006295604)) * inverse;
    }
}
