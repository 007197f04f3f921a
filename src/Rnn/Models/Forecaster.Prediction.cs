using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Models;

public sealed partial class Forecaster<T>
{
    /// <summary>Forecasts the steps after the end of a series, in evaluation mode and without a graph.</summary>
    /// <param name="past">The series, of the model's variables; its last W steps are read.</param>
    /// <param name="known">The known variables at the steps after its end, F or more; null where there are none.</param>
    /// <returns>The forecast, with one row.</returns>
    /// <exception cref="ArgumentException">The series is shorter than the window, lacks a variable, or what is known of the future is missing.</exception>
    public Forecast<T> Predict(Series<T> past, Series<T>? known = null)
    {
        var series = Ordered(past, nameof(past));
        if (series.Steps < Window)
        {
            throw new ArgumentException($"past: expected {Window} steps or more, the window, but got {series.Steps}.", nameof(past));
        }

        if (_known.Length > 0 && (known is null || known.Steps < Horizon))
        {
            throw new ArgumentException($"known: expected {string.Join(", ", Options.Known)} at {Horizon} steps after the end of the past but got {known?.ToString() ?? "null"}.", nameof(known));
        }

        if (_known.Length == 0 && known is not null)
        {
            throw new ArgumentException("known: expected null, since this model was made without Known variables.", nameof(known));
        }

        var future = _known.Length > 0 ? known!.Select(Options.Known).Slice(..Horizon).Values.Unsqueeze(0) : null;
        return Predict(series.Slice(^Window..).Values.Unsqueeze(0), future);
    }

    /// <summary>Forecasts from the windows of a batch, in evaluation mode and without a graph. Of its future only the known variables are read.</summary>
    /// <param name="batch">The windows.</param>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public Forecast<T> Predict(ForecastBatch<T> batch)
    {
        CheckFuture(batch);
        using var noGradient = NoGradient.Enter();
        return Predict(batch.Past, Known(batch));
    }

    /// <summary>Forecasts from windows, in evaluation mode and without a graph.</summary>
    /// <param name="past">[N, W, C]: the windows, in the data's own units.</param>
    /// <param name="known">[N, F, K]: the known variables at the steps to come, in the order of the options; null where there are none.</param>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public Forecast<T> Predict(Tensor<T> past, Tensor<T>? known = null)
    {
        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        T[] values;
        using (TensorScope.Enter())
        {
            var target = _scaler.Targets;
            values = ((Standardised(past, known, calibrate: true) * target.Deviation) + target.Mean).ToArray();
        }

        return new(Targets, Options.Quantiles, Tensor<T>.From(values, past.Shape[0], Horizon, Targets.Count, Depth));
    }

    /// <summary>Forecasts from windows whose future is known, and says how good the forecasts are.</summary>
    /// <param name="batches">The windows, such as those of the part of a series to test on.</param>
    /// <param name="cancellationToken">Asks to stop.</param>
    /// <exception cref="ArgumentException">There are no windows, or a shape does not fit.</exception>
    public ForecastScore Score(IEnumerable<ForecastBatch<T>> batches, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batches);
        var (width, windows) = (Targets.Count, 0L);
        var (squares, distances, inside) = (new double[width], new double[width], new long[width]);
        foreach (var batch in batches)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var forecast = Predict(batch);
            var values = forecast.Values.AsReadOnlySpan();
            var point = forecast.Point.AsReadOnlySpan();
            var actual = batch.Future.AsReadOnlySpan();
            for (var i = 0; i < point.Length; i++)
            {
                var (step, target) = (i / width, i % width);
                var came = actual[(step * Variables.Count) + _targets[target]];
                var error = double.CreateTruncating(point[i]) - double.CreateTruncating(came);
                squares[target] += error * error;
                distances[target] += Math.Abs(error);
                inside[target] += values[i * Depth] <= came && came <= values[((i + 1) * Depth) - 1] ? 1 : 0;
            }

            windows += batch.Rows;
        }

        if (windows == 0)
        {
            throw new ArgumentException("batches: expected one window or more but got none.", nameof(batches));
        }

        var count = (double)windows * Horizon;
        var deviations = Enumerable.Range(0, width).Select(_scaler.DeviationOf).ToArray();
        return new(
            windows,
            squares.Select((sum, i) => sum / count / (deviations[i] * deviations[i])).Average(),
            distances.Select((sum, i) => sum / count / deviations[i]).Average(),
            Depth > 1 ? inside.Sum() / count / width : null,
            Targets.Select((name, i) => new TargetScore(name, squares[i] / count, distances[i] / count, Depth > 1 ? inside[i] / count : null)).ToArray());
    }

    /// <summary>
    /// Widens or narrows the intervals so that they cover as much of windows that the model was not trained on as they should: conformalised quantile regression (Romano, Patterson and Candès 2019,
    /// arXiv:1905.03222), for each step and target by itself. It is saved with the model; training does not know it. A second call replaces the first.
    /// </summary>
    /// <param name="batches">Windows of the time after the training part, a hundred or more, such as those to validate on.</param>
    /// <param name="cancellationToken">Asks to stop.</param>
    /// <exception cref="ArgumentException">There are no windows, or a shape does not fit.</exception>
    /// <exception cref="InvalidOperationException">The quantiles make no intervals: none, or one without its counterpart, as 0.1 and 0.9 are.</exception>
    public void Calibrate(IEnumerable<ForecastBatch<T>> batches, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batches);
        var quantiles = Options.Quantiles;
        if (quantiles.Count < 2 || quantiles.Zip(quantiles.Reverse()).Any(pair => Math.Abs(pair.First + pair.Second - 1) > 1e-9))
        {
            throw new InvalidOperationException("Calibrate: expected quantiles in pairs, such as 0.1 and 0.9, which make intervals.");
        }

        // How far outside of its interval each value lies, negative inside, in the units of its window.
        var misses = new List<double>[Horizon * Targets.Count, Depth / 2];
        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        foreach (var batch in batches)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = TensorScope.Enter();
            CheckFuture(batch);
            AddMisses(misses, batch);
        }

        if (misses[0, 0] is null)
        {
            throw new ArgumentException("batches: expected one window or more but got none.", nameof(batches));
        }

        using var edit = _calibration.Edit();
        for (var i = 0; i < misses.GetLength(0); i++)
        {
            for (var k = 0; k < misses.GetLength(1); k++)
            {
                var sorted = misses[i, k];
                sorted.Sort();
                var rank = (int)Math.Ceiling((sorted.Count + 1) * (1 - (2 * quantiles[k]))) - 1;
                var margin = T.CreateTruncating(sorted[Math.Min(rank, sorted.Count - 1)]);
                (edit.Span[(i * Depth) + k], edit.Span[(i * Depth) + Depth - 1 - k]) = (-margin, margin);
            }
        }
    }

    // Rearranged in order, quantiles cannot cross, and their loss never grows (Chernozhukov, Fernández-Val and Galichon 2010).
    private Tensor<T> InOrder(Tensor<T> forecast)
    {
        var values = forecast.ToArray();
        for (var i = 0; i < values.Length; i += Depth)
        {
            values.AsSpan(i, Depth).Sort();
        }

        return Tensor<T>.From(values, forecast.Shape);
    }

    private void AddMisses(List<double>[,] misses, ForecastBatch<T> batch)
    {
        var actual = _scaler.Standardise(batch.Future, _targets).Unsqueeze(-1);
        var forecast = InOrder(Standardised(batch.Past, Known(batch), calibrate: false));
        var (_, _, scale) = _scaler.ScaleWindows(batch.Past);
        var values = (scale is null ? forecast - actual : (forecast - actual) / scale).ToArray();
        for (var i = 0; i < values.Length; i += Depth)
        {
            var differences = values.AsSpan(i, Depth);
            for (var k = 0; k < Depth / 2; k++)
            {
                var miss = T.Max(differences[k], -differences[Depth - 1 - k]);
                (misses[i / Depth % (Horizon * Targets.Count), k] ??= []).Add(double.CreateTruncating(miss));
            }
        }
    }
}
