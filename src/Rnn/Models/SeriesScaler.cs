using System.Numerics;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Models;

/// <summary>Units of a forecaster: the data's own, standardised by mean and deviation of the training part, and those of each window.</summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
internal sealed class SeriesScaler<T>(Tensor<T> mean, Tensor<T> deviation, int[] targets, int[] known, WindowScaling scaling)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // A window that stands still has no deviation to divide by; far below what standardised data vary, this only keeps the quotient finite.
    private const double VarianceFloor = 1e-5;

    /// <summary>Means and deviations of the targets, [V, 1].</summary>
    internal (Tensor<T> Mean, Tensor<T> Deviation) Targets => (mean.IndexSelect(0, targets).Unsqueeze(-1), deviation.IndexSelect(0, targets).Unsqueeze(-1));

    /// <summary>The deviation of a target in the training part.</summary>
    internal double DeviationOf(int target) => double.CreateTruncating(deviation[targets[target]]);

    /// <summary>Takes means and deviations from the training part.</summary>
    internal void Fit(Series<T> training)
    {
        var values = training.Values.AsReadOnlySpan();
        var width = mean.Length;
        if (training.Steps == 0)
        {
            throw new ArgumentException("training: expected one step or more but got none.", nameof(training));
        }

        using var means = mean.Edit();
        using var deviations = deviation.Edit();
        for (var c = 0; c < width; c++)
        {
            // Welford 1962, which gives a variable that never changes the deviation zero, whatever its value rounds to.
            var (average, squares, count) = (0.0, 0.0, 0);
            for (var i = c; i < values.Length; i += width)
            {
                var distance = double.CreateTruncating(values[i]) - average;
                average += distance / ++count;
                squares += distance * (double.CreateTruncating(values[i]) - average);
            }

            means.Span[c] = T.CreateTruncating(average);

            // A variable that never changes is only shifted.
            var root = T.CreateTruncating(Math.Sqrt(squares / training.Steps));
            deviations.Span[c] = root > T.Zero ? root : T.One;
        }
    }

    /// <summary>Some columns, standardised: [N, S, C] → [N, S, columns]; of a tensor that has only these columns where <paramref name="allColumns"/> is false.</summary>
    internal Tensor<T> Standardise(Tensor<T> values, int[] columns, bool allColumns = true)
    {
        var (rows, width) = (values.Shape[0] * values.Shape[1], values.Shape[2]);
        var result = Tensor<T>.Uninitialized([values.Shape[0], values.Shape[1], columns.Length]);
        var from = values.AsReadOnlySpan();
        var to = result.AsSpan();
        var means = mean.AsReadOnlySpan();
        var deviations = deviation.AsReadOnlySpan();
        for (var row = 0; row < rows; row++)
        {
            for (var i = 0; i < columns.Length; i++)
            {
                var c = columns[i];
                to[(row * columns.Length) + i] = (from[(row * width) + (allColumns ? c : i)] - means[c]) / deviations[c];
            }
        }

        return result;
    }

    /// <summary>What the encoder reads [N, W, C], and how the forecasts of each row and target go back from the units of its window: times scale, plus shift, both [N, 1, V, 1] or null.</summary>
    internal (Tensor<T> Input, Tensor<T>? Shift, Tensor<T>? Scale) ScaleWindows(Tensor<T> past)
    {
        var input = Standardise(past, [.. Enumerable.Range(0, mean.Length)]);
        if (scaling == WindowScaling.None)
        {
            return (input, null, null);
        }

        var (rows, steps, width) = (past.Shape[0], past.Shape[1], mean.Length);
        var values = input.AsSpan();
        var shift = Tensor<T>.Uninitialized([rows, 1, targets.Length, 1]);
        var scale = scaling == WindowScaling.MeanAndStandardDeviation ? Tensor<T>.Uninitialized([rows, 1, targets.Length, 1]) : null;
        for (var row = 0; row < rows; row++)
        {
            var window = values.Slice(row * steps * width, steps * width);
            for (var c = 0; c < width; c++)
            {
                if (Array.IndexOf(known, c) >= 0)
                {
                    continue;
                }

                var (level, swing) = scale is null ? (window[^(width - c)], T.One) : LevelAndSwing(window, c);
                for (var i = c; i < window.Length; i += width)
                {
                    window[i] = (window[i] - level) / swing;
                }

                var target = Array.IndexOf(targets, c);
                if (target >= 0)
                {
                    shift.AsSpan()[(row * targets.Length) + target] = level;
                    if (scale is not null)
                    {
                        scale.AsSpan()[(row * targets.Length) + target] = swing;
                    }
                }
            }
        }

        return (input, shift, scale);
    }

    private (T Level, T Swing) LevelAndSwing(ReadOnlySpan<T> window, int column)
    {
        var (sum, squares) = (0.0, 0.0);
        for (var i = column; i < window.Length; i += mean.Length)
        {
            sum += double.CreateTruncating(window[i]);
        }

        var steps = window.Length / mean.Length;
        var level = sum / steps;
        for (var i = column; i < window.Length; i += mean.Length)
        {
            var difference = double.CreateTruncating(window[i]) - level;
            squares += difference * difference;
        }

        return (T.CreateTruncating(level), T.CreateTruncating(Math.Sqrt((squares / steps) + VarianceFloor)));
    }
}
