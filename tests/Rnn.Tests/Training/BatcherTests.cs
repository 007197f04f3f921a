using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Tests.Training;

public class BatcherTests
{
    [Theory]
    [InlineData(2, 2, 1, null)]
    [InlineData(17, 4, 3, null)]
    [InlineData(101, 4, 5, null)]
    [InlineData(102, 3, 7, 1)]
    [InlineData(100, 3, 7, 3)]
    [InlineData(100, 1, 9, 8)]
    [InlineData(39, 1, 37, 36)]
    public void Every_step_of_every_row_is_counted_once_in_order(int length, int rows, int steps, int? stride)
    {
        if (rows * steps >= length)
        {
            rows = 1;
        }

        var tokens = Enumerable.Range(1000, length).ToArray();
        var batcher = new TokenStreamSource(tokens, rows, steps, stride);
        var rowSteps = (length - 1) / rows;
        for (var pass = 0; pass < 2; pass++)
        {
            var counted = Enumerable.Range(0, rows).Select(_ => new List<int>()).ToList();
            var (windows, carried) = (0, 0);
            while (batcher.MoveNext())
            {
                var window = batcher.Current;
                Assert.Equal(windows == 0, window.Starts[0]);
                Assert.Equal(rows, window.Starts.Length);
                Assert.True(window.ValidSteps.IsEmpty);
                Assert.Equal(rows * window.Steps, window.Inputs.Length);
                for (var row = 0; row < rows; row++)
                {
                    for (var t = 0; t < window.Steps; t++)
                    {
                        var (input, target) = (window.Inputs[(row * window.Steps) + t], window.Targets[(row * window.Steps) + t]);

                        // The state that came in has seen everything before this window, no less and no more.
                        Assert.Equal(1000 + (row * rowSteps) + carried + t, input);
                        if (target != TokenWindow.NoTarget)
                        {
                            Assert.Equal(input + 1, target);
                            counted[row].Add(input);
                        }
                    }
                }

                Assert.Equal(window.Targets.ToArray().Count(target => target >= 0), window.TargetCount);
                carried += window.CarrySteps;
                windows++;
            }

            Assert.Equal(batcher.WindowCount, windows);
            Assert.Equal(batcher.TargetCount, counted.Sum(row => row.Count));
            for (var row = 0; row < rows; row++)
            {
                Assert.Equal(Enumerable.Range(1000 + (row * rowSteps), rowSteps), counted[row]);
            }

            batcher.Reset();
        }
    }

    // k₁ = 2, k₂ = 5: the gradient of steps 5 and 6 runs back to step 2.
    [Fact]
    public void Overlapping_windows_look_back_as_far_as_told()
    {
        var batcher = new TokenStreamSource(Enumerable.Range(0, 11).ToArray(), 1, steps: 5, stride: 2);
        var windows = new List<(int First, int Last, int Counted)>();
        while (batcher.MoveNext())
        {
            var inputs = batcher.Current.Inputs;
            windows.Add((inputs[0], inputs[^1], batcher.Current.TargetCount));
        }

        Assert.Equal([(0, 4, 5), (2, 6, 2), (4, 8, 2), (6, 9, 1)], windows);
    }

    [Fact]
    public void A_stream_that_is_too_short_is_explained()
    {
        var error = Assert.Throws<ArgumentException>(() => new TokenStreamSource(new int[100], 32, 64));
        Assert.Contains("tokens: expected 2048 steps or more, 32 rows of one window of 64, but got 99; that is what 100 tokens give", error.Message);
        Assert.Throws<ArgumentException>(() => new TokenStreamSource(ReadOnlyMemory<int>.Empty, 1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TokenStreamSource(new int[100], 0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TokenStreamSource(new int[100], 1, 0));
        Assert.Contains("stride: expected 1 to 5", Assert.Throws<ArgumentOutOfRangeException>(() => new TokenStreamSource(new int[100], 1, 5, 6)).Message);
    }

    [Theory]
    [InlineData(1, null)]
    [InlineData(2, null)]
    [InlineData(3, 4)]
    [InlineData(50, 2)]
    [InlineData(2, 1)]
    public void Sequences_stand_in_rows_one_after_the_other(int rows, int? steps)
    {
        int[][] sequences = [[1, 2, 3], [10], [20, 21, 22, 23, 24, 25, 26], [], [30, 31], [40, 41, 42, 43]];
        var batcher = new TokenSequenceSource(sequences, rows, steps, new RandomSource(1));
        for (var pass = 0; pass < 3; pass++)
        {
            var seen = new List<List<int>>();
            var open = new List<int>?[batcher.Current.Rows];
            while (batcher.MoveNext())
            {
                var window = batcher.Current;
                Assert.InRange(window.Steps, 1, steps ?? 6);
                Assert.Equal(window.Steps, window.ValidSteps.ToArray().Max());
                for (var row = 0; row < window.Rows; row++)
                {
                    if (window.Starts[row] && window.ValidSteps[row] > 0)
                    {
                        seen.Add(open[row] = []);
                    }

                    for (var t = 0; t < window.Steps; t++)
                    {
                        var (input, target) = (window.Inputs[(row * window.Steps) + t], window.Targets[(row * window.Steps) + t]);
                        Assert.Equal(t < window.ValidSteps[row] ? input + 1 : TokenWindow.NoTarget, target);
                        if (t < window.ValidSteps[row])
                        {
                            open[row]!.Add(input);
                        }
                    }
                }

                // In whole sequences all rows begin anew each time, also those with nothing left.
                Assert.True(steps is not null || !window.Starts.Contains(false));
                Assert.Equal(window.ValidSteps.ToArray().Sum(), window.TargetCount);
            }

            Assert.Equal(
                sequences.Where(sequence => sequence.Length > 1).Select(sequence => string.Join(' ', sequence[..^1])).Order(),
                seen.Select(sequence => string.Join(' ', sequence)).Order());
            batcher.BeginPass();
        }
    }

    [Fact]
    public void Sequences_with_nothing_to_predict_are_refused()
    {
        Assert.Contains("nothing to predict", Assert.Throws<ArgumentException>(() => new TokenSequenceSource([[1], []], 2)).Message);
        Assert.Throws<ArgumentException>(() => new TokenSequenceSource([], 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TokenSequenceSource([[1, 2]], 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TokenSequenceSource([[1, 2]], 1, 0));
    }

    // The same walk as over tokens, whose numbers are the features here.
    [Theory]
    [InlineData(3, 7, null)]
    [InlineData(2, 9, 4)]
    [InlineData(1, 1, null)]
    public void A_series_is_cut_like_a_stream(int rows, int steps, int? stride)
    {
        const int Length = 61;
        var numbers = Enumerable.Range(0, Length + 1).ToArray();
        var stream = new TokenStreamSource(numbers, rows, steps, stride);
        var inputs = Tensor<float>.From([.. numbers.Take(Length).SelectMany(i => new float[] { i, -i })], Length, 2);
        var targets = Tensor<float>.From([.. numbers.Skip(1).Select(i => (float)i)], Length, 1);
        var series = new SeriesSource<float>(inputs, targets, rows, steps, stride);
        Assert.Equal(stream.WindowCount, series.WindowCount);
        for (var pass = 0; pass < 2; pass++)
        {
            while (stream.MoveNext())
            {
                Assert.True(series.MoveNext());
                var window = stream.Current;
                Assert.Equal((window.Rows, window.Steps, window.CarrySteps, window.Starts[0]), (series.Current.Rows, series.Current.Steps, series.Current.CarrySteps, series.Current.IsFirst));
                Assert.Equal(window.TargetCount, (series.Current.Steps - series.Current.SeenSteps) * rows);
                Assert.Equal(window.Inputs.ToArray().SelectMany(i => new float[] { i, -i }), series.Current.Inputs(0, series.Current.Steps).ToArray());
                var counted = series.Current.Targets(series.Current.SeenSteps, series.Current.Steps);
                Assert.Equal(window.Targets.ToArray().Where(target => target >= 0).Select(target => (float)target), counted.ToArray());
                Assert.Equal(new Shape(rows, series.Current.Steps - series.Current.SeenSteps, 1), counted.Shape);
            }

            Assert.False(series.MoveNext());
            stream.Reset();
            series.Reset();
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => series.Current.Inputs(0, steps + 1));
    }

    [Fact]
    public void A_series_that_does_not_fit_is_explained()
    {
        var inputs = Tensor<float>.Zeros(10, 2);
        Assert.Contains("as many steps but got [10, 2] and [9, 1]", Assert.Throws<ArgumentException>(() => new SeriesSource<float>(inputs, Tensor<float>.Zeros(9, 1), 1, 5)).Message);
        Assert.Contains("inputs: expected 12 steps or more, 2 rows of one window of 6, but got 10", Assert.Throws<ArgumentException>(() => new SeriesSource<float>(inputs, inputs, 2, 6)).Message);
    }
}
