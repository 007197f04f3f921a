using System.Numerics;

namespace Rnn.Sequences;

/// <summary>How far forecasts are from what came: errors of numbers, of series and of prediction intervals. All add in double precision.</summary>
public static class ForecastErrors
{
    /// <summary>The mean absolute error (MAE).</summary>
    /// <param name="actual">What came.</param>
    /// <param name="forecast">What was forecast, as many values.</param>
    /// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
    /// <exception cref="ArgumentException">There are no values, or their numbers differ.</exception>
    public static double MeanAbsolute<T>(ReadOnlySpan<T> actual, ReadOnlySpan<T> forecast)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Check(actual.Length, forecast.Length, nameof(forecast));
        var sum = 0.0;
        for (var i = 0; i < actual.Length; i++)
        {
            sum += Math.Abs(double.CreateTruncating(actual[i]) - double.CreateTruncating(forecast[i]));
        }

        return sum / actual.Length;
    }

    /// <summary>The mean of the squared errors (MSE).</summary>
    /// <param name="actual">What came.</param>
    /// <param name="forecast">What was forecast, as many values.</param>
    /// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
    /// <exception cref="ArgumentException">There are no values, or their numbers differ.</exception>
    public static double MeanSquared<T>(ReadOnlySpan<T> actual, ReadOnlySpan<T> forecast)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Check(actual.Length, forecast.Length, nameof(forecast));
        var sum = 0.0;
        for (var i = 0; i < actual.Length; i++)
        {
            var error = double.CreateTruncating(actual[i]) - double.CreateTruncating(forecast[i]);
            sum += error * error;
        }

        return sum / actual.Length;
    }

    /// <summary>The root of the mean of the squared errors (RMSE).</summary>
    /// <param name="actual">What came.</param>
    /// <param name="forecast">What was forecast, as many values.</param>
    /// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
    /// <exception cref="ArgumentException">There are no values, or their numbers differ.</exception>
    public static double RootMeanSquared<T>(ReadOnlySpan<T> actual, ReadOnlySpan<T> forecast)
        where T : unmanaged, IFloatingPointIeee754<T> => Math.Sqrt(MeanSquared(actual, forecast));

    /// <summary>
    /// The mean absolute scaled error (MASE; Hyndman and Koehler 2006): the mean absolute error, divided by that of the seasonal naive forecast on the training data. Below 1 the forecast is better
    /// than "as a season ago" was there.
    /// </summary>
    /// <param name="actual">What came.</param>
    /// <param name="forecast">What was forecast, as many values.</param>
    /// <param name="training">The series that the forecast was learned from.</param>
    /// <param name="season">The steps of a season, such as 12 for months; 1 for "as the step before".</param>
    /// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
    /// <exception cref="ArgumentException">The numbers of values differ, the training data are no longer than a season, or repeat themselves exactly, so that there is nothing to scale by.</exception>
    public static double MeanAbsoluteScaled<T>(ReadOnlySpan<T> actual, ReadOnlySpan<T> forecast, ReadOnlySpan<T> training, int season = 1)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(season);
        if (training.Length <= season)
        {
            throw new ArgumentException($"training: expected more than {season} values, one season, but got {training.Length}.", nameof(training));
        }

        var scale = MeanAbsolute(training[season..], training[..^season]);
        return scale > 0
            ? MeanAbsolute(actual, forecast) / scale
            : throw new ArgumentException($"training: the series repeats itself every {season} steps, so its seasonal naive forecast has no error to scale by.", nameof(training));
    }

    /// <summary>
    /// The quantile loss (pinball loss): q·(actual − forecast) where the forecast is too low, (1 − q)·(forecast − actual) where it is too high, in the mean. It is least for the quantile q of what may come.
    /// </summary>
    /// <param name="actual">What came.</param>
    /// <param name="forecast">The forecast of the quantile, as many values.</param>
    /// <param name="quantile">q, above 0 and below 1.</param>
    /// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
    /// <exception cref="ArgumentException">There are no values, or their numbers differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The quantile is none.</exception>
    public static double Quantile<T>(ReadOnlySpan<T> actual, ReadOnlySpan<T> forecast, double quantile)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (quantile is not (> 0 and < 1))
        {
            throw OptionRange.OutOfRange(nameof(quantile), quantile, "a number above 0 and below 1");
        }

        Check(actual.Length, forecast.Length, nameof(forecast));
        var sum = 0.0;
        for (var i = 0; i < actual.Length; i++)
        {
            var error = double.CreateTruncating(actual[i]) - double.CreateTruncating(forecast[i]);
            sum += Math.Max(quantile * error, (quantile - 1) * error);
        }

        return sum / actual.Length;
    }

    /// <summary>The part of what came that lies in its prediction interval, ends included: 0.8 for a well calibrated interval of 80 %.</summary>
    /// <param name="actual">What came.</param>
    /// <param name="lower">The lower ends, as many values.</param>
    /// <param name="upper">The upper ends, as many values.</param>
    /// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
    /// <exception cref="ArgumentException">There are no values, or their numbers differ.</exception>
    public static double Coverage<T>(ReadOnlySpan<T> actual, ReadOnlySpan<T> lower, ReadOnlySpan<T> upper)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Check(actual.Length, lower.Length, nameof(lower));
        Check(actual.Length, upper.Length, nameof(upper));
        var inside = 0;
        for (var i = 0; i < actual.Length; i++)
        {
            inside += actual[i] >= lower[i] && actual[i] <= upper[i] ? 1 : 0;
        }

        return (double)inside / actual.Length;
    }

    private static void Check(int actual, int other, string name)
    {
        if (other != actual)
        {
            throw new ArgumentException($"{name}: expected {actual} values, as many as actual ones, but got {other}.", name);
        }

        if (actual == 0)
        {
            throw new ArgumentException("actual: expected one value or more but got none.", nameof(actual));
        }
    }
}
