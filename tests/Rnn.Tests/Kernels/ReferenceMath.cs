namespace Rnn.Tests.Kernels;

/// <summary>Elementary functions in double-double by plain series, for comparison only.</summary>
internal static class ReferenceMath
{
    public static Scaled Exp(DoubleDouble x)
    {
        if (!double.IsFinite(x.High))
        {
            return double.IsNegativeInfinity(x.High) ? 0 : x.High;
        }

        if (Math.Abs(x.High) > 800)
        {
            return new(DoubleDouble.One, x.High > 0 ? 2000 : -2000);
        }

        // e^x = 2^k · (e^(r/256))^256
        var k = (int)Math.Round(x.High / DoubleDouble.Ln2.High);
        var r = (x - (DoubleDouble.Ln2 * k)) * (1.0 / 256);
        var m = ExpM1Series(r);
        for (var i = 0; i < 8; i++)
        {
            m = (m * 2) + (m * m);
        }

        return new(m + 1, k);
    }

    public static Scaled ExpM1(double x)
    {
        if (Math.Abs(x) < 0.5)
        {
            return x == 0 ? x : Series(x);
        }

        if (double.IsPositiveInfinity(x))
        {
            return x;
        }

        var e = Exp(x);
        return e.Exponent switch
        {
            > 200 => e,
            < -200 => -1,
            _ => e.Mantissa.Times2To(e.Exponent) - 1,
        };

        // Tiny numbers are scaled up so that the low parts do not drown in the denormals; there the function is the identity.
        static Scaled Series(double x) => Math.Abs(x) < 1e-200 ? x : ExpM1Series(x);
    }

    public static Scaled Sigmoid(double x)
    {
        if (x > 700)
        {
            return 1;
        }

        var e = Exp(x);
        return e.Exponent switch
        {
            > 200 => 1,
            < -200 => e,
            _ => new(e.Mantissa / (e.Mantissa.Times2To(e.Exponent) + 1), e.Exponent),
        };
    }

    public static Scaled Tanh(double x)
    {
        if (Math.Abs(x) > 300 || double.IsNaN(x))
        {
            return double.IsNaN(x) ? x : Math.Sign(x);
        }

        if (Math.Abs(x) < 1e-100)
        {
            return x;
        }

        var m = ExpM1(2 * x);
        var whole = m.Mantissa.Times2To(m.Exponent);
        return whole / (whole + 2);
    }

    public static Scaled Log(double x)
    {
        if (double.IsNaN(x) || x <= 0 || double.IsPositiveInfinity(x))
        {
            return x == 0 ? double.NegativeInfinity : x > 0 ? x : double.NaN;
        }

        var exponent = Math.ILogB(x);
        DoubleDouble mantissa = Math.ScaleB(x, -exponent);
        if (mantissa.High > 1.5)
        {
            mantissa *= 0.5;
            exponent++;
        }

        return (DoubleDouble.Ln2 * exponent) + ArtanhTwice((mantissa - 1) / (mantissa + 1));
    }

    public static Scaled LogP1(double x)
    {
        if (Math.Abs(x) < 0.3)
        {
            return Math.Abs(x) < 1e-100 ? x : ArtanhTwice(x / ((DoubleDouble)x + 2));
        }

        if (x > 1e40 || !(x > -1))
        {
            return x == -1 ? double.NegativeInfinity : Log(x < -1 ? -1 : x);
        }

        return LogOf(DoubleDouble.TwoSum(1, x));
    }

    public static Scaled Softplus(double x)
    {
        if (double.IsNaN(x) || x > 300)
        {
            return x;
        }

        var e = Exp(x > 0 ? -x : x);
        if (e.Exponent < -200)
        {
            return x > 0 ? x : e;
        }

        var small = e.Mantissa.Times2To(e.Exponent);
        var logarithm = ArtanhTwice(small / (small + 2));
        return x > 0 ? logarithm + x : logarithm;
    }

    public static Scaled Erf(double x)
    {
        if (double.IsNaN(x) || Math.Abs(x) > 7)
        {
            return double.IsNaN(x) ? x : Math.Sign(x);
        }

        // erf x = 2/√π · e^(−x²) · Σ x (2x²)ⁿ / (2n + 1)!!
        DoubleDouble one = x;
        return x == 0 ? x : Math.Abs(x) < 1e-100 ? DoubleDouble.TwoOverRootPi * x : DoubleDouble.TwoOverRootPi * OddFactorialSeries(one, one * one * 2) * Whole(Exp(-(one * one)));
    }

    public static Scaled NormalCdf(double x)
    {
        if (double.IsNaN(x) || x > 40)
        {
            return double.IsNaN(x) ? x : 1;
        }

        DoubleDouble w = Math.Abs(x);
        if (w.High > 100)
        {
            return 0;
        }

        var bell = Exp(w * w * -0.5);
        bell = new(bell.Mantissa * DoubleDouble.InverseRootTwoPi, bell.Exponent);
        if (w.High < 6)
        {
            var half = w.High < 1e-100 ? 0 : Whole(bell) * OddFactorialSeries(w, w * w);
            return x < 0 ? 0.5 - half : half + 0.5;
        }

        // Laplace's continued fraction w + 1/(w + 2/(w + 3/(w + …)))
        var fraction = w;
        for (var n = 300; n > 0; n--)
        {
            fraction = w + ((DoubleDouble)n / fraction);
        }

        var tail = new Scaled(bell.Mantissa / fraction, bell.Exponent);
        return x < 0 ? tail : DoubleDouble.One - Whole(tail);
    }

    private static DoubleDouble Whole(Scaled value) => value.Exponent < -900 ? 0 : value.Mantissa.Times2To(value.Exponent);

    private static DoubleDouble ExpM1Series(DoubleDouble r)
    {
        var sum = r;
        var term = r;
        for (var n = 2; Math.Abs(term.High) > 1e-34 * Math.Abs(sum.High); n++)
        {
            term = term * r / n;
            sum += term;
        }

        return sum;
    }

    private static DoubleDouble OddFactorialSeries(DoubleDouble first, DoubleDouble factor)
    {
        var sum = first;
        var term = first;
        for (var n = 3; Math.Abs(term.High) > 1e-34 * Math.Abs(sum.High); n += 2)
        {
            term = term * factor / n;
            sum += term;
        }

        return sum;
    }

    private static DoubleDouble ArtanhTwice(DoubleDouble s)
    {
        var square = s * s;
        var power = s;
        var sum = s;
        for (var n = 3; Math.Abs(power.High) > 1e-34 * Math.Abs(sum.High); n += 2)
        {
            power *= square;
            sum += power / n;
        }

        return sum * 2;
    }

    private static DoubleDouble LogOf(DoubleDouble x)
    {
        var exponent = Math.ILogB(x.High);
        var mantissa = x.Times2To(-exponent);
        return (DoubleDouble.Ln2 * exponent) + ArtanhTwice((mantissa - 1) / (mantissa + 1));
    }
}
