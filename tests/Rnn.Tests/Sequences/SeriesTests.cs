using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Tests.Sequences;

public sealed class SeriesTests
{
    private static readonly Series<double> Small = new(["a", "b"], Tensor<double>.FromRows([0, 10], [1, 11], [2, 12], [3, 13], [4, 14], [5, 15], [6, 16], [7, 17]));

    [Fact]
    public void Parts_of_a_series_are_copies()
    {
        Assert.Equal((8, "8 steps of a, b"), (Small.Steps, Small.ToString()));
        Assert.Equal([10, 11, 12, 13, 14, 15, 16, 17], Small.Column("b"));
        Assert.Equal([13, 3, 14, 4], Small.Slice(3..5).Select("b", "a").Values.ToArray());
        Assert.Equal(0, Small.Slice(8..).Steps);
        var joined = Small.Slice(^2..).Join(new Series<double>("c", [1, 2]));
        Assert.Equal(["a", "b", "c"], joined.Names);
        Assert.Equal([6, 16, 1, 7, 17, 2], joined.Values.ToArray());
    }

    [Fact]
    public void The_calendar_goes_round()
    {
        var calendar = Series<double>.Calendar([new(2023, 1, 1, 6, 0, 0), new(2023, 1, 4, 18, 0, 0), new(2024, 12, 31)], CalendarCycles.Day | CalendarCycles.Week | CalendarCycles.Year);
        Assert.Equal(["day_sin", "day_cos", "week_sin", "week_cos", "year_sin", "year_cos"], calendar.Names);
        double[] parts = [0.25, 0.25 / 7, 0.25 / 365, 0.75, 3.75 / 7, 3.75 / 365, 0, 2.0 / 7, 365.0 / 366];
        Assert.Equal(parts.SelectMany(part => new[] { Math.Sin(2 * Math.PI * part), Math.Cos(2 * Math.PI * part) }), calendar.Values.ToArray(), (a, b) => Math.Abs(a - b) < 1e-12);
    }

    [Theory]
    [InlineData(0, 8, 1)]
    [InlineData(0, 8, 2)]
    [InlineData(4, 8, 1)]
    [InlineData(2, 7, 3)]
    public void Windows_are_those_of_a_plain_loop(int start, int end, int stride)
    {
        var windows = new ForecastWindows<double>(Small, window: 3, horizon: 2, batchSize: 2, start..end, stride);
        var expected = new List<int>();
        for (var first = Math.Max(3, start); first + 2 <= end; first += stride)
        {
            expected.Add(first);
        }

        Assert.Equal((expected.Count, 3, 2), (windows.Count, windows.Window, windows.Horizon));
        var seen = new List<int>();
        foreach (var batch in windows)
        {
            Assert.Equal(batch.Rows, batch.Starts.Length);
            Assert.InRange(batch.Rows, 1, 2);
            for (var row = 0; row < batch.Rows; row++)
            {
                var first = batch.Starts[row];
                Assert.Equal(Small.Slice((first - 3)..first).Values.ToArray(), batch.Past.Select(0, row).ToArray());
                Assert.Equal(Small.Slice(first..(first + 2)).Values.ToArray(), batch.Future.Select(0, row).ToArray());
                seen.Add(first);
            }
        }

        Assert.Equal(expected, seen);
    }

    [Fact]
    public void Wrong_inputs_are_named()
    {
        Refuses("values: expected [steps, 1], a column for each name, but got [8, 2]", () => new Series<double>(["a"], Small.Values));
        Refuses("comes twice", () => new Series<double>(["a", "a"], Small.Values));
        Refuses("'b' is NaN at step 1; fill what is missing", () => new Series<double>(["a", "b"], Tensor<double>.FromRows([0, 1], [2, double.NaN])));
        Refuses("there is no 'c' in the series, which has a, b", () => Small.Column("c"));
        Refuses("expected 8 steps, as many as this series has, but got 1", () => Small.Join(new("c", [1])));
        Refuses("expected one cycle or more", () => Series<double>.Calendar([DateTime.UnixEpoch], 0));
        Refuses("a window of 7 steps and a forecast of 2 within steps 0 to 8 do not fit into a series of 8", () => new ForecastWindows<double>(Small, 7, 2, 1));
        Refuses("within steps 4 to 5", () => new ForecastWindows<double>(Small, 1, 2, 1, 4..5));
        Refuses("stride: expected 1 or more but got 0", () => new ForecastWindows<double>(Small, 1, 2, 1, stride: 0));
        Refuses("past: expected [rows, window, variables]", () => new ForecastBatch<double>(Small.Values, Small.Values));
        Refuses("future: expected [1, horizon, 2], rows and variables of the past [1, 8, 2], but got [1, 8, 1]", () => new ForecastBatch<double>(Small.Values.Unsqueeze(0), Tensor<double>.Ones(1, 8, 1)));
        Refuses("starts: expected 1 steps", () => new ForecastBatch<double>(Small.Values.Unsqueeze(0), Small.Values.Unsqueeze(0), [1, 2]));
        static void Refuses(string message, Action action) => Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(action).Message, StringComparison.Ordinal);
    }
}
