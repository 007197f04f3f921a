using System.Globalization;
using System.Text;

namespace Rnn.Models;

/// <summary>How good the forecasts of one variable were, in its own units, over all windows and steps.</summary>
/// <param name="Target">The variable.</param>
/// <param name="MeanSquaredError">The mean of the squared errors of the point forecast.</param>
/// <param name="MeanAbsoluteError">The mean of its absolute errors.</param>
/// <param name="Coverage">The part of what came that lies between the outermost quantiles; null where the model has no two quantiles.</param>
public sealed record TargetScore(string Target, double MeanSquaredError, double MeanAbsoluteError, double? Coverage)
{
    /// <summary>The root of the mean of the squared errors.</summary>
    public double RootMeanSquaredError => Math.Sqrt(MeanSquaredError);
}

/// <summary>How good forecasts were, of all targets together and of each.</summary>
/// <param name="Windows">The number of windows.</param>
/// <param name="MeanSquaredError">The mean of the squared errors, each variable divided by its standard deviation in the training data: what papers on several variables report.</param>
/// <param name="MeanAbsoluteError">The mean of the absolute errors, likewise.</param>
/// <param name="Coverage">The part of what came that lies between the outermost quantiles; null where the model has no two quantiles.</param>
/// <param name="Targets">The figures of each target, in its own units.</param>
public sealed record ForecastScore(long Windows, double MeanSquaredError, double MeanAbsoluteError, double? Coverage, IReadOnlyList<TargetScore> Targets)
{
    /// <summary>A table: a line for each target, and one for all together.</summary>
    public override string ToString()
    {
        var width = Math.Max(12, Targets.Max(target => target.Target.Length));
        var text = new StringBuilder();
        text.Append(' ', width).Append("       RMSE        MAE   coverage\n");
        foreach (var target in Targets)
        {
            Line(target.Target, target.RootMeanSquaredError, target.MeanAbsoluteError, target.Coverage).Append('\n');
        }

        return Line("standardised", Math.Sqrt(MeanSquaredError), MeanAbsoluteError, Coverage).ToString();

        StringBuilder Line(string name, double root, double absolute, double? coverage) => text.Append(name.PadRight(width))
            .Append(CultureInfo.InvariantCulture, $" {root,10:G5} {absolute,10:G5} {(coverage is { } part ? part.ToString("P1", CultureInfo.InvariantCulture) : "–"),10}");
    }
}
