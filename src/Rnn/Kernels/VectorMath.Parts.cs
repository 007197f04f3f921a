using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

public static partial class VectorMath
{
    private const double Log2E = 1.4426950408889634;

    private const double Ln2 = 0.6931471805599453;

    /// <summary>The whole number nearest to <c>x · factor</c>, for quotients below 2²¹ in magnitude; never −0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V RoundedQuotient<V, T>(V x, double factor)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // Added to 1.5·2^23 (1.5·2^52) a number loses its fraction; two cheap operations where a rounding instruction takes as many or more.
        var magic = V.Constant(typeof(T) == typeof(float) ? 12582912.0 : 6755399441055744.0);
        return V.MultiplyAdd(x, V.Constant(factor), magic) - magic;
    }

    /// <summary><c>x − n·ln 2</c>, with ln 2 in two pieces so that no digit of the difference is lost.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Remainder<V, T>(V x, V n)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var low = typeof(T) == typeof(float) ? 1.904654299957768e-09 : -2.3190468138462996e-17;
        return V.MultiplyAdd(n, V.Constant(low), V.MultiplyAdd(n, V.Constant(-Ln2), x));
    }

    /// <summary><c>(e^(unit·r) − 1) / r</c> for |unit·r| ≤ ln 2 / 2, by the polynomial of least relative error; <paramref name="unit"/> is 1 or 2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ExpQuotient<V, T>(V r, double unit)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var u2 = unit * unit;
        var u4 = u2 * u2;
        V q;
        if (typeof(T) == typeof(float))
        {
            q = V.Constant(0.001388887296 * u4 * u2);
            q = V.MultiplyAdd(q, r, V.Constant(0.008369104295 * u4 * unit));
            q = V.MultiplyAdd(q, r, V.Constant(0.04166713715 * u4));
            q = V.MultiplyAdd(q, r, V.Constant(0.166665059 * u2 * unit));
            q = V.MultiplyAdd(q, r, V.Constant(0.4999999812 * u2));
            return V.MultiplyAdd(q, r, V.Constant(unit));
        }

        var u8 = u4 * u4;
        q = V.Constant(2.5052097042460648e-8 * u8 * u2 * unit);
        q = V.MultiplyAdd(q, r, V.Constant(2.76263317398612133e-7 * u8 * u2));
        q = V.MultiplyAdd(q, r, V.Constant(2.75574149792646031e-6 * u8 * unit));
        q = V.MultiplyAdd(q, r, V.Constant(2.480150443673885e-5 * u8));
        q = V.MultiplyAdd(q, r, V.Constant(0.000198412697070671348 * u4 * u2 * unit));
        q = V.MultiplyAdd(q, r, V.Constant(0.00138888889323890131 * u4 * u2));
        q = V.MultiplyAdd(q, r, V.Constant(0.00833333333339809086 * u4 * unit));
        q = V.MultiplyAdd(q, r, V.Constant(0.0416666666665735373 * u4));
        q = V.MultiplyAdd(q, r, V.Constant(0.16666666666666563 * u2 * unit));
        q = V.MultiplyAdd(q, r, V.Constant(0.500000000000000558 * u2));
        return V.MultiplyAdd(q, r, V.Constant(unit));
    }
}
