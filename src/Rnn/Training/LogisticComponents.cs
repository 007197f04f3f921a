using System.Numerics;

namespace Rnn.Training;

/// <summary>The arithmetic of one row of a mixture of discretised logistics: logarithms of probabilities, and their slopes.</summary>
internal static class LogisticComponents<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Below it a scale is far smaller than any interval, and its inverse must stay finite.
    private const double LeastLogScale = -30;

    /// <summary>The logarithm of a level's probability.</summary>
    internal static double LogProbability(ReadOnlySpan<T> parameters, int level, int levels)
    {
        var components = parameters.Length / 3;
        var (largest, sum) = (double.NegativeInfinity, 0.0);
        for (var m = 0; m < components; m++)
        {
            var term = double.CreateTruncating(parameters[m]) + Term(parameters[components + m], parameters[(2 * components) + m], level, levels, out _, out _);
            (largest, sum) = Add(largest, sum, term);
        }

        return largest + Math.Log(sum) - LogSumExp(parameters[..components]);
    }

    /// <summary>Writes or adds scale times the gradient of −log probability.</summary>
    internal static void Gradient(ReadOnlySpan<T> parameters, int level, int levels, double scale, Span<T> gradient, bool overwrite)
    {
        var components = parameters.Length / 3;
        var weights = LogSumExp(parameters[..components]);
        var total = LogProbability(parameters, level, levels) + weights;
        for (var m = 0; m < components; m++)
        {
            var logit = double.CreateTruncating(parameters[m]);
            var term = Term(parameters[components + m], parameters[(2 * components) + m], level, levels, out var byMean, out var byLogScale);
            var share = Math.Exp(logit + term - total);
            Put(gradient, m, scale * (Math.Exp(logit - weights) - share), overwrite);
            Put(gradient, components + m, -scale * share * byMean, overwrite);
            Put(gradient, (2 * components) + m, -scale * share * byLogScale, overwrite);
        }
    }

    /// <summary>log Σ eˣ.</summary>
    internal static double LogSumExp(ReadOnlySpan<T> values)
    {
        var (largest, sum) = (double.NegativeInfinity, 0.0);
        foreach (var value in values)
        {
            (largest, sum) = Add(largest, sum, double.CreateTruncating(value));
        }

        return largest + Math.Log(sum);
    }

    /// <summary>A logarithm of a scale, as it counts.</summary>
    internal static double LogScale(T value) => Math.Max(LeastLogScale, double.CreateTruncating(value));

    // The logarithm of the mass of a level's interval under one component, and its slopes by mean and logarithm of scale.
    private static double Term(T mean, T logScale, int level, int levels, out double byMean, out double byLogScale)
    {
        var half = 1.0 / (levels - 1);
        var distance = (2 * level * half) - 1 - double.CreateTruncating(mean);
        var inverse = Math.Exp(-LogScale(logScale));
        var counts = double.CreateTruncating(logScale) >= LeastLogScale || T.IsNaN(logScale) ? 1.0 : 0;
        var (upper, lower) = ((distance + half) * inverse, (distance - half) * inverse);
        if (level == 0)
        {
            // All below the interval's upper end: log σ(upper).
            var slope = Sigmoid(-upper);
            (byMean, byLogScale) = (-slope * inverse, -counts * upper * slope);
            return -Softplus(-upper);
        }

        if (level == levels - 1)
        {
            // All above the lower end: log σ(−lower).
            var slope = Sigmoid(lower);
            (byMean, byLogScale) = (slope * inverse, counts * lower * slope);
            return -Softplus(lower);
        }

        // log σ(upper) + log σ(−lower) + log(1 − e^−width), with 1 − e^−w = 2·e^(−w/2)·sinh(w/2).
        var width = 2 * half * inverse;
        var (above, below) = (Sigmoid(-upper), Sigmoid(lower));
        double logMass, byWidth;
        if (width > 40)
        {
            (logMass, byWidth) = (-Math.Exp(-width), width * Math.Exp(-width));
        }
        else
        {
            var sinh = Math.Sinh(width / 2);
            (logMass, byWidth) = (Math.Log(2 * sinh) - (width / 2), width * Math.Exp(-width / 2) / (2 * sinh));
        }

        (byMean, byLogScale) = ((below - above) * inverse, counts * ((lower * below) - (upper * above) - byWidth));
        return logMass - Softplus(-upper) - Softplus(lower);
    }

    private static (double Largest, double Sum) Add(double largest, double sum, double term) =>
        term <= largest ? (largest, sum + Math.Exp(term - largest)) : (term, double.IsNegativeInfinity(largest) ? 1 : (sum * Math.Exp(largest - term)) + 1);

    private static void Put(Span<T> gradient, int index, double value, bool overwrite) =>
        gradient[index] = overwrite ? T.CreateTruncating(value) : gradient[index] + T.CreateTruncating(value);

    private static double Sigmoid(double x) => x >= 0 ? 1 / (1 + Math.Exp(-x)) : Math.Exp(x) / (1 + Math.Exp(x));

    private static double Softplus(double x) => Math.Max(x, 0) + Math.Log(1 + Math.Exp(-Math.Abs(x)));
}
