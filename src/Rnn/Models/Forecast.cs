using System.Globalization;
using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Models;

/// <summary>Forecasts of N windows, in the data's own units: point forecasts and, where the model has quantiles, intervals. Quantiles never cross.</summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class Forecast<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal Forecast(IReadOnlyList<string> targets, IReadOnlyList<double> quantiles, Tensor<T> values)
    {
        (Targets, Quantiles, Values) = (targets, quantiles, values);
        Point = quantiles.Count == 0 ? values.Select(-1, 0) : Quantile(0.5);
    }

    /// <summary>The names of the variables that were forecast, V of them.</summary>
    public IReadOnlyList<string> Targets { get; }

    /// <summary>The quantiles Q; none where the model gives point forecasts alone.</summary>
    public IReadOnlyList<double> Quantiles { get; }

    /// <summary>Everything: [N, F, V, Q], with Q = 1 where there are no quantiles.</summary>
    public Tensor<T> Values { get; }

    /// <summary>The point forecasts [N, F, V]: medians where there are quantiles.</summary>
    public Tensor<T> Point { get; }

    /// <summary>The forecasts of one quantile [N, F, V].</summary>
    /// <param name="quantile">One of <see cref="Quantiles"/>.</param>
    /// <exception cref="ArgumentException">It is not one of them.</exception>
    public Tensor<T> Quantile(double quantile)
    {
        for (var i = 0; i < Quantiles.Count; i++)
        {
            if (Math.Abs(Quantiles[i] - quantile) < 1e-9)
            {
                return Values.Select(-1, i);
            }
        }

        throw new ArgumentException(FormattableString.Invariant(
            $"quantile: expected one of the model's quantiles ({(Quantiles.Count == 0 ? "it has none" : string.Join(", ", Quantiles.Select(value => value.ToString(CultureInfo.InvariantCulture))))}) but got {quantile}."), nameof(quantile));
    }

    /// <summary>The ends of an interval in which what comes should lie with a probability: the quantiles ½ − p/2 and ½ + p/2, each [N, F, V].</summary>
    /// <param name="probability">p, such as 0.8.</param>
    /// <exception cref="ArgumentException">The model has no such quantiles.</exception>
    public (Tensor<T> Lower, Tensor<T> Upper) Interval(double probability = 0.8) => (Quantile((1 - probability) / 2), Quantile((1 + probability) / 2));

    /// <summary>The point forecasts of one variable and one window, step by step.</summary>
    /// <param name="target">The variable.</param>
    /// <param name="row">The window.</param>
    /// <exception cref="ArgumentException">The variable was not forecast.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such window.</exception>
    public T[] Of(string target, int row = 0) => Of(Point, target, row);

    /// <summary>The forecasts of a quantile of one variable and one window, step by step.</summary>
    /// <param name="target">The variable.</param>
    /// <param name="quantile">One of <see cref="Quantiles"/>.</param>
    /// <param name="row">The window.</param>
    /// <exception cref="ArgumentException">The variable was not forecast, or not this quantile.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such window.</exception>
    public T[] Of(string target, double quantile, int row = 0) => Of(Quantile(quantile), target, row);

    private T[] Of(Tensor<T> values, string target, int row)
    {
        var column = Targets.ToList().IndexOf(target);
        if (column < 0)
        {
            throw new ArgumentException($"target: '{target}' was not forecast; what was is {string.Join(", ", Targets)}.", nameof(target));
        }

        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, values.Shape[0]);
        return values.Select(0, row).Select(-1, column).ToArray();
    }
}
