using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Rnn.Kernels;

internal static partial class VectorMath
{
    private const double Log2E = 1.4426950408889634;

    private const double Ln2 = 0.6931471805599453;

    // What ln 2 has beyond the nearest float and the nearest double.
    private const double Ln2LowSingle = -1.904654299957768e-09;

    private const double Ln2LowDouble = 2.3190468138462996e-17;

    // ln 2 in two pieces whose first has so few digits that its products with exponents are exact, for processors that round before they add.
    private const double Ln2ShortSingle = 0.693359375;

    private const double Ln2RestSingle = -2.1219444005469058277e-4;

    private const double Ln2ShortDouble = 0.69314718036912381649;

    private const double Ln2RestDouble = 1.9082149292705877e-10;

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
        if (Fma.IsSupported || AdvSimd.IsSupported)
        {
            var low = typeof(T) == typeof(float) ? -Ln2LowSingle : -Ln2LowDouble;
            return V.MultiplyAdd(n, V.Constant(low), V.MultiplyAdd(n, V.Constant(-Ln2), x));
        }

        return typeof(T) == typeof(float)
            ? x - (n * V.Constant(Ln2ShortSingle)) - (n * V.Constant(Ln2RestSingle))
            : x - (n * V.Constant(Ln2ShortDouble)) - (n * V.Constant(Ln2RestDouble));
    }

    /// <summary>What <c>a·b</c> has beyond its rounded <paramref name="product"/>, exactly, where nothing overflows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V LostOfProduct<V, T>(V a, V b, V product)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (Fma.IsSupported || AdvSimd.IsSupported)
        {
            return V.MultiplyAdd(a, b, -product);
        }

        // Each factor in two halves (Dekker, "A floating-point technique for extending the available precision", 1971), whose products are exact.
        var splitter = V.Constant(typeof(T) == typeof(float) ? 4097.0 : 134217729.0);
        var aLifted = a * splitter;
        var bLifted = b * splitter;
        var aHigh = aLifted - (aLifted - a);
        var bHigh = bLifted - (bLifted - b);
        var aLow = a - aHigh;
        var bLow = b - bHigh;
        return (aHigh * bHigh) - product + (aHigh * bLow) + (aLow * bHigh) + (aLow * bLow);
    }

    /// <summary>See <see cref="IVector{TSelf, T}.Scale"/>: one factor cannot span the range, so two of them, the first of them exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V ScaleInTwo<V, T>(V a, V n)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var negative = V.LessThan(n, V.Zero);
        if (typeof(T) == typeof(float))
        {
            return a * V.PowerOfTwo(n + V.Select(negative, V.Constant(64.0), V.Constant(-1.0)))
                * V.Select(negative, V.Constant(5.421010862427522e-20), V.Constant(2.0));
        }

        return a * V.PowerOfTwo(n + V.Select(negative, V.Constant(512.0), V.Constant(-1.0)))
            * V.Select(negative, V.Constant(7.458340731200207e-155), V.Constant(2.0));
    }

    /// <summary><c>(eʳ − 1) / r</c> for |r| ≤ ln 2 / 2, by the polynomial of least relative error.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ExpQuotient<V, T>(V r)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        V q;
        if (typeof(T) == typeof(float))
        {
            q = V.Constant(0.001388887296);
            q = V.MultiplyAdd(q, r, V.Constant(0.008369104295));
            q = V.MultiplyAdd(q, r, V.Constant(0.04166713715));
            q = V.MultiplyAdd(q, r, V.Constant(0.166665059));
            q = V.MultiplyAdd(q, r, V.Constant(0.4999999812));
            return V.MultiplyAdd(q, r, V.One);
        }

        q = V.Constant(2.5052097042460648e-8);
        q = V.MultiplyAdd(q, r, V.Constant(2.76263317398612133e-7));
        q = V.MultiplyAdd(q, r, V.Constant(2.75574149792646031e-6));
        q = V.MultiplyAdd(q, r, V.Constant(2.480150443673885e-5));
        q = V.MultiplyAdd(q, r, V.Constant(0.000198412697070671348));
        q = V.MultiplyAdd(q, r, V.Constant(0.00138888889323890131));
        q = V.MultiplyAdd(q, r, V.Constant(0.00833333333339809086));
        q = V.MultiplyAdd(q, r, V.Constant(0.0416666666665735373));
        q = V.MultiplyAdd(q, r, V.Constant(0.16666666666666563));
        q = V.MultiplyAdd(q, r, V.Constant(0.500000000000000558));
        return V.MultiplyAdd(q, r, V.One);
    }
}
