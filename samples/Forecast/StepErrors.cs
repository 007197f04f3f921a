using Rnn.Models;
using Rnn.Sequences;

namespace Forecasting;

/// <summary>Root mean squared errors by step of the forecast, of a model and of two forecasts that know nothing, over the same windows: the last value, and the value of a season ago.</summary>
internal sealed class StepErrors
{
    private static readonly string[] Names = ["the model", "last value", "last season"];
    private readonly double[,] _squares;
    private readonly double _count;

    /// <summary>Errors of a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="series">The series.</param>
    /// <param name="windows">Windows of the series.</param>
    /// <param name="season">The steps of a season.</param>
    /// <param name="scales">What the errors of each target are divided by.</param>
    internal StepErrors(Forecaster<float> model, Series<float> series, ForecastWindows<float> windows, int season, double[] scales)
    {
        _squares = new double[3, model.Horizon];
        _count = (double)windows.Count * scales.Length;
        int[] columns = [.. model.Targets.Select(series.IndexOf)];
        foreach (var batch in windows)
        {
            var forecast = model.Predict(batch).Point;
            for (var i = 0; i < forecast.Length; i++)
            {
                var (row, step, target) = (i / columns.Length / model.Horizon, i / columns.Length % model.Horizon, i % columns.Length);
                var start = batch.Starts[row];
                Add(0, forecast[row, step, target]);
                Add(1, series.Values[start - 1, columns[target]]);
                Add(2, series.Values[start + step - (season * (1 + (step / season))), columns[target]]);
                void Add(int kind, float value)
                {
                    var error = (value - series.Values[start + step, columns[target]]) / scales[target];
                    _squares[kind, step] += error * error;
                }
            }
        }
    }

    /// <summary>The error of the model over all steps.</summary>
    internal double Model => Over(0, .._squares.GetLength(1));

    /// <summary>The error of the better of the two others over all steps.</summary>
    internal double Naive => Math.Min(Over(1, .._squares.GetLength(1)), Over(2, .._squares.GetLength(1)));

    /// <summary>A table: the first step, the last and all.</summary>
    public override string ToString()
    {
        var steps = _squares.GetLength(1);
        return $"RMSE of      {"step 1",10} {$"step {steps}",10} {$"1 to {steps}",10}\n" + string.Join('\n', Names
            .Select((name, kind) => FormattableString.Invariant($"{name,-12} {Over(kind, ..1),10:G4} {Over(kind, (steps - 1)..),10:G4} {Over(kind, ..),10:G4}")));
    }

    private double Over(int kind, Range steps)
    {
        var (start, count) = steps.GetOffsetAndLength(_squares.GetLength(1));
        return Math.Sqrt(Enumerable.Range(start, count).Sum(step => _squares[kind, step]) / count / _count);
    }
}
