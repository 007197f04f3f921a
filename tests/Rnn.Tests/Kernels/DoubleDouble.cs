namespace Rnn.Tests.Kernels;

/// <summary>A number as the unevaluated sum of two doubles, about 32 digits: the yardstick for functions in double.</summary>
internal readonly record struct DoubleDouble(double High, double Low)
{
    public static readonly DoubleDouble One = 1.0;
    public static readonly DoubleDouble Ln2 = new(0.6931471805599453, 2.3190468138462996e-17);
    public static readonly DoubleDouble InverseRootTwoPi = new(0.3989422804014327, -2.49232720227773e-17);
    public static readonly DoubleDouble TwoOverRootPi = new(1.1283791670955126, 1.533545961316588e-17);

    public static implicit operator DoubleDouble(double value) => new(value, 0);

    public static DoubleDouble operator -(DoubleDouble a) => new(-a.High, -a.Low);

    public static DoubleDouble operator +(DoubleDouble a, DoubleDouble b)
    {
        var high = TwoSum(a.High, b.High);
        var low = TwoSum(a.Low, b.Low);
        var sum = Renormalise(high.High, high.Low + low.High);
        return Renormalise(sum.High, sum.Low + low.Low);
    }

    public static DoubleDouble operator -(DoubleDouble a, DoubleDouble b) => a + -b;

    public static DoubleDouble operator *(DoubleDouble a, DoubleDouble b)
    {
        var product = a.High * b.High;
        var lost = Math.FusedMultiplyAdd(a.High, b.High, -product);
        return Renormalise(product, lost + ((a.High * b.Low) + (a.Low * b.High)));
    }

    public static DoubleDouble operator /(DoubleDouble a, DoubleDouble b)
    {
        var first = a.High / b.High;
        var rest = a - (b * first);
        var second = rest.High / b.High;
        rest -= b * second;
        return Renormalise(first, second) + (rest.High / b.High);
    }

    /// <summary>The sum and its rounding error, exactly.</summary>
    public static DoubleDouble TwoSum(double a, double b)
    {
        var sum = a + b;
        var part = sum - a;
        return new(sum, a - (sum - part) + (b - part));
    }

    /// <summary>The same number times a power of two.</summary>
    public DoubleDouble Times2To(int exponent) => new(Math.ScaleB(High, exponent), Math.ScaleB(Low, exponent));

    private static DoubleDouble Renormalise(double high, double low)
    {
        var sum = high + low;
        return new(sum, low - (sum - high));
    }
}

/// <summary><c>Mantissa · 2^Exponent</c>: results far below the smallest double keep all their digits.</summary>
internal readonly record struct Scaled(DoubleDouble Mantissa, int Exponent)
{
    public static implicit operator Scaled(double value) => new(value, 0);

    public static implicit operator Scaled(DoubleDouble value) => new(value, 0);
}
