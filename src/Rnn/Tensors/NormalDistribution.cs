using System.Runtime.CompilerServices;

namespace Rnn.Tensors;

/// <summary>
/// The inverse of the normal distribution function, by the rational approximations of Wichura, "Algorithm AS 241: The percentage
/// points of the normal distribution" (1988), relative error about 1e-16.
/// </summary>
/// <remarks>
/// Only additions, multiplications, divisions and square roots, which every platform rounds alike, so that seeded normal numbers are
/// the same bits everywhere; the logarithm of the tails is a series of our own for the same reason.
/// </remarks>
internal static class NormalDistribution
{
    private static ReadOnlySpan<double> CentreNumerator =>
    [
        2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4, 4.5921953931549871457e+4,
        1.3731693765509461125e+4, 1.9715909503065514427e+3, 1.3314166789178437745e+2, 3.3871328727963666080e+0,
    ];

    private static ReadOnlySpan<double> CentreDenominator =>
    [
        5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4, 2.1213794301586595867e+4,
        5.3941960214247511077e+3, 6.8718700749205790830e+2, 4.2313330701600911252e+1, 1.0,
    ];

    private static ReadOnlySpan<double> TailNumerator =>
    [
        7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e+0,
        3.64784832476320460504e+0, 5.76949722146069140550e+0, 4.63033784615654529590e+0, 1.42343711074968357734e+0,
    ];

    private static ReadOnlySpan<double> TailDenominator =>
    [
        1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
        6.89767334985100004550e-1, 1.67638483018380384940e+0, 2.05319162663775882187e+0, 1.0,
    ];

    private static ReadOnlySpan<double> FarNumerator =>
    [
        2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
        2.96560571828504891230e-1, 1.78482653991729133580e+0, 5.46378491116411436990e+0, 6.65790464350110377720e+0,
    ];

    private static ReadOnlySpan<double> FarDenominator =>
    [
        2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
        1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0,
    ];

    /// <summary>The number that a standard normal variable stays below with the given probability.</summary>
    /// <param name="probability">More than 0 and less than 1.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal static double Quantile(double probability)
    {
        var centred = probability - 0.5;
        if (Math.Abs(centred) <= 0.425)
        {
            var square = 0.180625 - (centred * centred);
            return centred * Ratio(CentreNumerator, CentreDenominator, square);
        }

        var tail = centred < 0 ? probability : 1 - probability;
        var root = Math.Sqrt(-Logarithm(tail));
        var value = root <= 5
            ? Ratio(TailNumerator, TailDenominator, root - 1.6)
            : Ratio(FarNumerator, FarDenominator, root - 5);
        return centred < 0 ? -value : value;
    }

    /// <summary>The natural logarithm of a positive normal number, of exactly rounded operations only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal static double Logarithm(double x)
    {
        // x = m·2^e with m in [√½, √2), log m = 2·artanh((m − 1) / (m + 1)).
        var bits = BitConverter.DoubleToInt64Bits(x);
        var exponent = (int)(bits >> 52) - 1023;
        var mantissa = BitConverter.Int64BitsToDouble((bits & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000);
        if (mantissa > 1.4142135623730951)
        {
            mantissa *= 0.5;
            exponent++;
        }

        var s = (mantissa - 1) / (mantissa + 1);
        var square = s * s;
        var sum = 0.0;
        for (var k = 23; k >= 3; k -= 2)
        {
            sum = (sum + (1.0 / k)) * square;
        }

        return (exponent * 0.6931471805599453) + (2 * (s + (s * sum)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Ratio(ReadOnlySpan<double> numerator, ReadOnlySpan<double> denominator, double x) => Polynomial(numerator, x) / Polynomial(denominator, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Polynomial(ReadOnlySpan<double> c, double x) =>
        (((((((((((((c[0] * x) + c[1]) * x) + c[2]) * x) + c[3]) * x) + c[4]) * x) + c[5]) * x) + c[6]) * x) + c[7];
}
