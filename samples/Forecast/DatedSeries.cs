using System.Globalization;
using nietras.SeparatedValues;
using Rnn.Sequences;
using Rnn.Tensors;
using Samples;

namespace Forecasting;

/// <summary>A series with the time of each of its steps.</summary>
internal sealed record DatedSeries(Series<float> Series, DateTime[] Times)
{
    /// <summary>Reads a CSV file with a header, whose first column has dates and all others numbers.</summary>
    /// <param name="path">The file.</param>
    /// <param name="column">The only column of numbers to take; null for all.</param>
    /// <param name="rows">How many rows to take; null for all.</param>
    internal static DatedSeries Read(string path, string? column, int? rows) => InputFiles.Guard("--data", path, () =>
    {
        using var reader = Sep.Reader(options => options with { Unescape = true }).FromFile(path);
        string[] names = [.. reader.Header.ColNames.Skip(1).Select(name => name.Trim('"'))];
        (DateTime Time, float[] Values)[] lines =
        [
            .. reader.Enumerate(row => (DateTime.Parse(row[0].ToString(), CultureInfo.InvariantCulture), row[1..].ParseToArray<float>())).Take(rows ?? int.MaxValue),
        ];
        var series = new Series<float>(names, Tensor<float>.FromRows([.. lines.Select(line => line.Values)]));
        return new DatedSeries(column is null ? series : series.Select(column), [.. lines.Select(line => line.Time)]);
    });
}
