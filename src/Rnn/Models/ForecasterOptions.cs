using System.Globalization;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Models;

/// <summary>How each window is scaled by itself, beyond the standardisation that holds for the whole series, and its forecast back.</summary>
public enum WindowScaling
{
    /// <summary>Not at all: the level of the window is something to learn from. For series that stay in their range.</summary>
    None,

    /// <summary>The last value of each variable is subtracted and added to the forecast again: the model learns changes. For series that wander.</summary>
    LastValue,

    /// <summary>
    /// The window's own mean is subtracted and divided by its standard deviation, and the forecast goes the way back: reversible instance normalisation (Kim et al. 2022, without its learned weights). For
    /// series whose level and swing change, as growth does.
    /// </summary>
    MeanAndStandardDeviation,
}

/// <summary>What a forecaster without quantiles makes small.</summary>
public enum ForecastLoss
{
    /// <summary>The mean of the squared errors: forecasts are means.</summary>
    SquaredError,

    /// <summary>The mean of the absolute errors: forecasts are medians.</summary>
    AbsoluteError,

    /// <summary>Squared errors up to one standard deviation of the training data, absolute ones above: see <c>Loss.Huber</c>.</summary>
    Huber,
}

/// <summary>Options of a <see cref="Forecaster{T}"/>.</summary>
public sealed record ForecasterOptions
{
    /// <summary>The variables to forecast, by name; null for all but the <see cref="Known"/> ones.</summary>
    public IReadOnlyList<string>? Targets { get; init; }

    /// <summary>The variables whose future values are known when a forecast is made, by name: the calendar, prices, plans. They are never targets.</summary>
    public IReadOnlyList<string> Known
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Known));
    } = Array.Empty<string>();

    /// <summary>
    /// The quantiles to forecast, each above 0 and below 1, in rising order, with 0.5 among them, which is the point forecast. The default gives an interval of 80 %. None for a point forecast alone, by
    /// <see cref="Loss"/>.
    /// </summary>
    /// <exception cref="ArgumentException">The quantiles are not so.</exception>
    public IReadOnlyList<double> Quantiles
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value, nameof(Quantiles));
            var ascending = value.Zip(value.Skip(1)).All(pair => pair.First < pair.Second);
            field = ascending && value.All(quantile => quantile is > 0 and < 1) && (value.Count == 0 || value.Contains(0.5))
                ? value.ToArray()
                : throw new ArgumentException(FormattableString.Invariant($"Quantiles: expected numbers above 0 and below 1 in rising order with 0.5 among them, or none, but got {string.Join(", ", value.Select(quantile => quantile.ToString(CultureInfo.InvariantCulture)))}."), nameof(Quantiles));
        }
    }
    = new[] { 0.1, 0.5, 0.9 };

    /// <summary>What is made small where there are no <see cref="Quantiles"/>.</summary>
    public ForecastLoss Loss { get; init; } = ForecastLoss.SquaredError;

    /// <summary>How each window is scaled by itself, and its forecast back. Known variables are not.</summary>
    public WindowScaling Scaling { get; init; } = WindowScaling.MeanAndStandardDeviation;

    /// <summary>
    /// The last steps of the window, at most all, that a linear autoregression reads, whose forecast is added to that of the network; 0 for none. It is the same for all targets and repeats seasons at once,
    /// so that the network learns the rest (Lai et al. 2018, LSTNet, arXiv:1703.07015, section 3.6). Take a season or two.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public int AutoregressiveSteps
    {
        get;
        init => field = OptionRange.AtLeast(0, value, nameof(AutoregressiveSteps));
    }

    /// <summary>The probability of dropping each value that the output layer reads in training, from 0 to below 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not from [0, 1).</exception>
    public double Dropout
    {
        get;
        init => field = OptionRange.BelowOne(value, nameof(Dropout));
    }

    /// <summary>
    /// The seed of the output layers and the dropout, each of which draws numbers of its own; encoder and decoder have their own. Null for the next one of the process (see
    /// <see cref="RandomSource.SetSeed"/>), so that two models differ.
    /// </summary>
    public ulong? Seed { get; init; }

    /// <summary>A source that gives the seed, by one number, in place of <see cref="Seed"/>; null for none.</summary>
    public RandomSource? Random { get; init; }
}
