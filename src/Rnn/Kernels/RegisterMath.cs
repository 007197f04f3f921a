using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Rnn.Kernels;

/// <summary>
/// Sigmoid and tanh over the runtime's own vector types, written once for all widths and both element types: the two functions that cells use,
/// several times in one loop.
/// </summary>
/// <remarks>
/// The JIT inlines a cell's whole step into one method and gives up past 512 local variables. Without wrapping, and with the helpers written out,
/// each function takes a third of them. Elsewhere read and write <see cref="IVector{TSelf, T}"/>.
/// </remarks>
internal static class RegisterMath
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

    // Added to it a number loses its fraction; two cheap operations where a rounding instruction takes as many or more.
    private const double MagicSingle = 12582912.0;

    private const double MagicDouble = 6755399441055744.0;

    // Added to a square where only its sum with one counts, so that the square of a small number is not a denormal one, which takes long on
    // many processors. Only where there are registers to hold it: with 16 of them one more constant makes every step 6 % slower.
    private const double NormalSquareSingle = 1e-30;

    private const double NormalSquareDouble = 1e-290;

    /// <summary>The logistic function; see <see cref="VectorMath.Sigmoid"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static R Sigmoid<S, R, T>(R x)
        where S : struct, IRegisters<R, T>
        where R : struct
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // With x = n·ln 2 + r and c = r·coth(r/2): eʳ = (c + r) / (c − r), so σ(x) = 2ⁿ(c + r) / (2ⁿ(c + r) + (c − r)): one division
        // for the exponential and the quotient together. From 40 on the first term swallows the other and the result is exactly one.
        // The products with ln 2 come in two pieces so that no digit of r is lost.
        R n, r, c;
        if (typeof(T) == typeof(float))
        {
            x = S.MaxNative(S.Constant(-104.0), S.MinNative(S.Constant(40.0), x));
            n = S.Subtract(S.MultiplyAdd(x, S.Constant(Log2E), S.Constant(MagicSingle)), S.Constant(MagicSingle));
            if (Fma.IsSupported || AdvSimd.IsSupported)
            {
                r = S.MultiplyAdd(n, S.Constant(-Ln2LowSingle), S.MultiplyAdd(n, S.Constant(-Ln2), x));
            }
            else
            {
                r = S.MultiplyAdd(n, S.Constant(-Ln2RestSingle), S.MultiplyAdd(n, S.Constant(-Ln2ShortSingle), x));
            }

            x = Vector512.IsHardwareAccelerated ? S.MultiplyAdd(r, r, S.Constant(NormalSquareSingle)) : S.Multiply(r, r);
            c = S.MultiplyAdd(S.Constant(-0.022134023506199234639 * 0.125), x, S.Constant(0.33333251518769586823 * 0.5));
        }
        else
        {
            x = S.MaxNative(S.Constant(-746.0), S.MinNative(S.Constant(40.0), x));
            n = S.Subtract(S.MultiplyAdd(x, S.Constant(Log2E), S.Constant(MagicDouble)), S.Constant(MagicDouble));
            if (Fma.IsSupported || AdvSimd.IsSupported)
            {
                r = S.MultiplyAdd(n, S.Constant(-Ln2LowDouble), S.MultiplyAdd(n, S.Constant(-Ln2), x));
            }
            else
            {
                r = S.MultiplyAdd(n, S.Constant(-Ln2RestDouble), S.MultiplyAdd(n, S.Constant(-Ln2ShortDouble), x));
            }

            x = Vector512.IsHardwareAccelerated ? S.MultiplyAdd(r, r, S.Constant(NormalSquareDouble)) : S.Multiply(r, r);
            c = S.MultiplyAdd(S.Constant(0.000021187183831107915353 / 512), x, S.Constant(-0.00021163394362590222489 / 128));
            c = S.MultiplyAdd(c, x, S.Constant(0.0021164020227651931946 / 32));
            c = S.MultiplyAdd(c, x, S.Constant(-0.022222222221611651296 / 8));
            c = S.MultiplyAdd(c, x, S.Constant(0.3333333333333320406 / 2));
        }

        c = S.MultiplyAdd(c, x, S.Constant(2.0));
        n = S.ScaleDown(S.Add(c, r), n);
        return S.Divide(n, S.Add(n, S.Subtract(c, r)));
    }

    /// <summary>The hyperbolic tangent; see <see cref="VectorMath.Tanh"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static R Tanh<S, R, T>(R x)
        where S : struct, IRegisters<R, T>
        where R : struct
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // With |x| = (n/2)·ln 2 + r, s = 2ⁿ and c = r·coth r: e^(2r) = (c + r) / (c − r), so
        // tanh|x| = ((s − 1)c + (s + 1)r) / ((s + 1)c + (s − 1)r): no digit is lost for n = 0, where it is r / c.
        // One fused product with ln 2 / 2 is enough: where n is large, the error of r no longer reaches the quotient.
        R n, r, c, square;
        if (typeof(T) == typeof(float))
        {
            r = S.MinNative(S.Constant(12.0), S.Abs(x));
            n = S.Subtract(S.MultiplyAdd(r, S.Constant(2 * Log2E), S.Constant(MagicSingle)), S.Constant(MagicSingle));
            if (Fma.IsSupported || AdvSimd.IsSupported)
            {
                r = S.MultiplyAdd(n, S.Constant(-0.5 * Ln2), r);
            }
            else
            {
                r = S.MultiplyAdd(n, S.Constant(-0.5 * Ln2RestSingle), S.MultiplyAdd(n, S.Constant(-0.5 * Ln2ShortSingle), r));
            }

            square = Vector512.IsHardwareAccelerated ? S.MultiplyAdd(r, r, S.Constant(NormalSquareSingle)) : S.Multiply(r, r);
            c = S.MultiplyAdd(S.Constant(-0.022134023506199234639), square, S.Constant(0.33333251518769586823));
        }
        else
        {
            r = S.MinNative(S.Constant(24.0), S.Abs(x));
            n = S.Subtract(S.MultiplyAdd(r, S.Constant(2 * Log2E), S.Constant(MagicDouble)), S.Constant(MagicDouble));
            if (Fma.IsSupported || AdvSimd.IsSupported)
            {
                r = S.MultiplyAdd(n, S.Constant(-0.5 * Ln2), r);
            }
            else
            {
                r = S.MultiplyAdd(n, S.Constant(-0.5 * Ln2RestDouble), S.MultiplyAdd(n, S.Constant(-0.5 * Ln2ShortDouble), r));
            }

            square = Vector512.IsHardwareAccelerated ? S.MultiplyAdd(r, r, S.Constant(NormalSquareDouble)) : S.Multiply(r, r);
            c = S.MultiplyAdd(S.Constant(0.000021187183831107915353), square, S.Constant(-0.00021163394362590222489));
            c = S.MultiplyAdd(c, square, S.Constant(0.0021164020227651931946));
            c = S.MultiplyAdd(c, square, S.Constant(-0.022222222221611651296));
            c = S.MultiplyAdd(c, square, S.Constant(0.3333333333333320406));
        }

        c = S.MultiplyAdd(c, square, S.Constant(1.0));
        n = S.PowerOfTwo(n);
        var down = S.Subtract(n, S.Constant(1.0));
        n = S.Add(n, S.Constant(1.0));
        return S.CopySign(S.Divide(S.MultiplyAdd(down, c, S.Multiply(n, r)), S.MultiplyAdd(n, c, S.Multiply(down, r))), x);
    }
}
