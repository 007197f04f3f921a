namespace Rnn.Tests.Kernels;

/// <summary>Distance from the exact result in units of the last place of that result, infinite where the kind of number is wrong.</summary>
internal static class Ulp
{
    public static double OfDouble(double value, Scaled exact)
    {
        var (mantissa, scale) = exact;
        if (!double.IsFinite(mantissa.High) || double.IsNaN(value))
        {
            return value.Equals(mantissa.High) ? 0 : double.PositiveInfinity;
        }

        if (mantissa.High == 0)
        {
            return value == 0 && double.IsNegative(value) == double.IsNegative(mantissa.High) ? 0 : double.PositiveInfinity;
        }

        var exponent = Math.ILogB(mantissa.High) + scale;
        if (exponent > 1023)
        {
            return double.IsInfinity(value) && value > 0 == mantissa.High > 0 ? 0 : double.PositiveInfinity;
        }

        // A little below the place where rounding overflows either neighbour is as good as the other.
        var unit = Math.Max(exponent, -1022) - 52;
        if (double.IsInfinity(value))
        {
            value = Math.CopySign(double.MaxValue, value);
        }

        var difference = (DoubleDouble)Math.ScaleB(value, -unit) - mantissa.Times2To(scale - unit);
        return Math.Abs(difference.High);
    }

    public static double OfSingle(float value, double exact)
    {
        if (!double.IsFinite(exact) || float.IsNaN(value))
        {
            return ((double)value).Equals(exact) ? 0 : double.PositiveInfinity;
        }

        if (exact == 0)
        {
            return value == 0 && float.IsNegative(value) == double.IsNegative(exact) ? 0 : double.PositiveInfinity;
        }

        // The first number that rounds to infinity.
        if (Math.Abs(exact) >= 3.4028235677973366e38)
        {
            return float.IsInfinity(value) && value > 0 == exact > 0 ? 0 : double.PositiveInfinity;
        }

        if (float.IsInfinity(value))
        {
            return double.PositiveInfinity;
        }

        var unit = Math.Max(Math.ILogB(exact), -126) - 23;
        return Math.Abs(value - exact) * Math.ScaleB(1, -unit);
    }
}
