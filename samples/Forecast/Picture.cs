using Rnn.Models;
using Rnn.Sequences;
using ScottPlot;

namespace Forecasting;

/// <summary>Draws a forecast with its interval beside what came.</summary>
internal static class Picture
{
    internal static void Save(string path, DatedSeries data, Forecaster<float> model, ForecastBatch<float> batch)
    {
        var (target, forecast, start) = (model.Targets[0], model.Predict(batch), batch.Starts[^1]);
        var shown = Math.Max(0, start - Math.Min(model.Window, 3 * model.Horizon));
        var column = data.Series.Column(target);
        double[] dates = [.. data.Times[start..(start + model.Horizon)].Select(time => time.ToOADate())];
        using var plot = new Plot();
        var interval = plot.Add.FillY(dates, Doubles(forecast.Of(target, 0.1, batch.Rows - 1)), Doubles(forecast.Of(target, 0.9, batch.Rows - 1)));
        (interval.FillColor, interval.LineWidth, interval.LegendText) = (Colors.Orange.WithAlpha(0.3), 0, "80 % interval");
        Line(data.Times[shown..(start + model.Horizon)], column[shown..(start + model.Horizon)], Colors.Black, "what came");
        Line(data.Times[start..(start + model.Horizon)], forecast.Of(target, batch.Rows - 1), Colors.OrangeRed, "forecast");
        plot.Axes.DateTimeTicksBottom();
        plot.Title(target);
        plot.ShowLegend(Alignment.UpperLeft);
        plot.SaveSvg(path, 900, 450);

        void Line(DateTime[] times, float[] values, Color color, string text)
        {
            var line = plot.Add.Scatter([.. times.Select(time => time.ToOADate())], Doubles(values), color);
            (line.MarkerSize, line.LineWidth, line.LegendText) = (0, 2, text);
        }
    }

    private static double[] Doubles(float[] values) => [.. values.Select(value => (double)value)];
}
