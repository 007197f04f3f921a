using System.Numerics;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Models;

public sealed class ForecasterTests
{
    private const int Window = 5;
    private const int Horizon = 3;

    public static TheoryData<WindowScaling, bool, bool, string> Kinds()
    {
        var kinds = new TheoryData<WindowScaling, bool, bool, string>();
        foreach (var scaling in Enum.GetValues<WindowScaling>())
        {
            kinds.Add(scaling, false, false, "quantiles");
            kinds.Add(scaling, true, true, "quantiles");
        }

        kinds.Add(WindowScaling.None, false, true, "SquaredError");
        kinds.Add(WindowScaling.LastValue, true, false, "AbsoluteError");
        kinds.Add(WindowScaling.MeanAndStandardDeviation, false, true, "Huber");
        return kinds;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Gradients_are_those_of_finite_differences(WindowScaling scaling, bool decoder, bool known, string loss)
    {
        var (series, model) = (Noise<double>(30), Make<double>(scaling, decoder, known, loss));
        var batch = model.Windows(series, batchSize: 4).First();
        Assert.Equal(new Shape(4, Horizon, known ? 1 : 3, loss == "quantiles" ? 3 : 1), model.Forward(batch.Past, known ? batch.Future.IndexSelect(2, [2, 0]) : null).Shape);
        model.Evaluate();
        var check = GradientCheck.Run(model, () => model.Loss(batch));
        Assert.True(check.Passed, check.ToString());
    }

    // The whole forecast again, by the layers themselves and plain loops around them.
    [Theory]
    [InlineData(WindowScaling.None)]
    [InlineData(WindowScaling.LastValue)]
    [InlineData(WindowScaling.MeanAndStandardDeviation)]
    public void Forecasts_are_those_of_plain_loops(WindowScaling scaling)
    {
        var training = Noise<double>(30);
        var gru = new Gru<double>(3, 4, new() { Seed = 1 });
        var model = new Forecaster<double>(training, Window, Horizon, gru, new() { Targets = ["b", "a"], Scaling = scaling, Quantiles = [], AutoregressiveSteps = 2, Seed = 2 });
        var series = Noise<double>(12, seed: 9);
        var parameters = model.NamedParameters.ToDictionary();
        var (weight, bias) = (parameters["output.weight"].Value, parameters["output.bias"].Value);
        var (linear, constant) = (parameters["autoregression.weight"].Value, parameters["autoregression.bias"].Value);
        var window = new double[Window, 3];
        var (mean, deviation, level, swing) = (new double[3], new double[3], new double[3], new double[3]);
        for (var c = 0; c < 3; c++)
        {
            var (column, last) = (training.Column(training.Names[c]), series.Column(series.Names[c])[^Window..]);
            mean[c] = column.Average();
            deviation[c] = Math.Sqrt(column.Average(value => Math.Pow(value - mean[c], 2)));
            var scaled = last.Select(value => (value - mean[c]) / deviation[c]).ToArray();
            level[c] = scaling switch { WindowScaling.None => 0, WindowScaling.LastValue => scaled[^1], _ => scaled.Average() };
            swing[c] = scaling == WindowScaling.MeanAndStandardDeviation ? Math.Sqrt(scaled.Average(value => Math.Pow(value - level[c], 2)) + 1e-5) : 1;
            for (var t = 0; t < Window; t++)
            {
                window[t, c] = (scaled[t] - level[c]) / swing[c];
            }
        }

        var context = gru.Forward(Tensor<double>.From(window).Unsqueeze(0), default(ReadOnlySpan<int>)).Last;
        var forecast = model.Predict(series);
        Assert.Equal(new Shape(1, Horizon, 2), forecast.Point.Shape);
        for (var step = 0; step < Horizon; step++)
        {
            foreach (var (target, column) in new[] { (0, 1), (1, 0) })
            {
                var sum = bias[(step * 2) + target] + constant[step];
                for (var i = 0; i < 4; i++)
                {
                    sum += weight[(step * 2) + target, i] * context[0, i];
                }

                for (var t = 0; t < 2; t++)
                {
                    sum += linear[step, t] * window[Window - 2 + t, column];
                }

                var expected = (((sum * swing[column]) + level[column]) * deviation[column]) + mean[column];
                Assert.Equal(expected, forecast.Point[0, step, target], 1e-12);
                Assert.Equal(expected, forecast.Of(model.Targets[target])[step], 1e-12);
            }
        }
    }

    [Fact]
    public void Scaled_windows_follow_their_level_and_swing()
    {
        var series = Noise<double>(20);
        var moved = new Series<double>(series.Names, (series.Values * 3) + 100);
        foreach (var scaling in new[] { WindowScaling.LastValue, WindowScaling.MeanAndStandardDeviation })
        {
            var model = Make<double>(scaling, decoder: false, known: false);
            var factor = scaling == WindowScaling.LastValue ? 1 : 3;
            var source = scaling == WindowScaling.LastValue ? new Series<double>(series.Names, series.Values + 100) : moved;
            var (before, after) = (model.Predict(series).Values.ToArray(), model.Predict(source).Values.ToArray());
            Assert.Equal(before.Select(value => (value * factor) + 100), after, (a, b) => Math.Abs(a - b) < (factor == 1 ? 1e-10 : 1e-3));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Of_the_future_only_known_variables_are_read(bool decoder)
    {
        var (series, model) = (Noise<double>(20), Make<double>(WindowScaling.MeanAndStandardDeviation, decoder, known: true));
        var batch = model.Windows(series, 3).First();
        var hidden = Tensor<double>.From(batch.Future.ToArray(), 3, Horizon, 3);
        var changed = Tensor<double>.From(batch.Future.ToArray(), 3, Horizon, 3);
        for (var i = 0; i < 3 * Horizon; i++)
        {
            hidden[i / Horizon, i % Horizon, 1] = double.NaN;
            changed[i / Horizon, i % Horizon, 2] += 1;
        }

        var forecast = model.Predict(batch).Values.ToArray();
        Assert.Equal(forecast, model.Predict(new ForecastBatch<double>(batch.Past, hidden)).Values.ToArray());
        Assert.All(forecast.Zip(model.Predict(new ForecastBatch<double>(batch.Past, changed)).Values.ToArray()), pair => Assert.NotEqual(pair.First, pair.Second));

        // The same by series: the steps after the end of the past, in whatever order their columns come.
        var start = batch.Starts[1];
        var alone = model.Predict(series.Slice(..start).Select("c", "a", "b"), series.Slice(start..).Select("a", "c"));
        Assert.Equal(forecast.Skip(forecast.Length / 3).Take(forecast.Length / 3), alone.Values.ToArray(), (a, b) => Math.Abs(a - b) < 1e-12);
    }

    [Fact]
    public async Task Waves_are_learned()
    {
        var values = Enumerable.Range(0, 200).Select(t => (float)(100 + (10 * Math.Sin(t * 0.7)) + (t % 4))).ToArray();
        var series = new Series<float>("wave", values);
        var model = new Forecaster<float>(series.Slice(..150), 24, 6, new Gru<float>(1, 16, new() { Seed = 1 }), new() { AutoregressiveSteps = 24, Seed = 2 });
        var trainer = new Trainer<float>(model, new Adam<float> { LearningRate = 0.01 });
        await trainer.FitAsync(model.Windows(series, 16, ..150, new RandomSource(1)), model.Loss, epochs: 60);
        var score = model.Score(model.Windows(series, 64, 150..));
        Assert.InRange(score.Targets[0].RootMeanSquaredError, 0, 0.5);
        var forecast = model.Predict(series.Slice(..194));
        Assert.Equal(values[194..].Select(value => (double)value), forecast.Of("wave").Select(value => (double)value), (a, b) => Math.Abs(a - b) < 1.5);
    }

    [Fact]
    public void Quantiles_do_not_cross()
    {
        var model = Make<float>(WindowScaling.MeanAndStandardDeviation, decoder: true, known: true);
        var batch = model.Windows(Noise<float>(40), 64).First();
        var (lower, upper) = model.Predict(batch).Interval(0.8);
        var point = model.Predict(batch).Point.ToArray();
        Assert.All(lower.ToArray().Zip(point, upper.ToArray()), three => Assert.True(three.First <= three.Second && three.Second <= three.Third));
        Assert.Equal(lower.Select(0, 2).Select(-1, 0).ToArray(), model.Predict(batch).Of("b", 0.1, row: 2));
    }

    [Fact]
    public void Scores_are_those_of_plain_loops()
    {
        var (series, model) = (Noise<double>(40), Make<double>(WindowScaling.None, decoder: false, known: false));
        var score = model.Score(model.Windows(series, 7, 20..));
        var all = model.Windows(series, 100, 20..).First();
        var forecast = model.Predict(all);
        var (lower, upper) = forecast.Interval();
        Assert.Equal(18, score.Windows);
        var (scaled, inside) = (0.0, 0.0);
        for (var c = 0; c < 3; c++)
        {
            double[] Of(Tensor<double> values) => values.Select(-1, c).ToArray();
            var (actual, point) = (Of(all.Future), Of(forecast.Point));
            var target = score.Targets[c];
            Assert.Equal(series.Names[c], target.Target);
            Assert.Equal(ForecastErrors.MeanSquared<double>(actual, point), target.MeanSquaredError, 1e-12);
            Assert.Equal(ForecastErrors.RootMeanSquared<double>(actual, point), target.RootMeanSquaredError, 1e-12);
            Assert.Equal(ForecastErrors.MeanAbsolute<double>(actual, point), target.MeanAbsoluteError, 1e-12);
            Assert.Equal(ForecastErrors.Coverage<double>(actual, Of(lower), Of(upper)), target.Coverage!.Value, 1e-12);
            var column = Noise<double>(30).Column(series.Names[c]);
            scaled += target.MeanSquaredError / column.Average(value => Math.Pow(value - column.Average(), 2)) / 3;
            inside += target.Coverage.Value / 3;
        }

        Assert.Equal(scaled, score.MeanSquaredError, 1e-12);
        Assert.Equal(inside, score.Coverage!.Value, 1e-12);
        Assert.Equal(5, score.ToString().Split('\n').Length);
        Assert.Null(Make<double>(WindowScaling.None, false, true, "Huber").Score(model.Windows(series, 7)).Coverage);
    }

    [Theory]
    [InlineData(WindowScaling.None)]
    [InlineData(WindowScaling.MeanAndStandardDeviation)]
    public void Calibrated_intervals_cover_what_they_should(WindowScaling scaling)
    {
        // Noise without end, so that the model cannot know more than its quantiles, which nobody has trained.
        var series = Noise<double>(400);
        var model = Make<double>(scaling, decoder: false, known: false);
        var windows = model.Windows(series, 64, ..200);
        model.Calibrate(windows);
        var all = model.Windows(series, 1000, ..200).First();
        var (lower, upper) = model.Predict(all).Interval();
        for (var i = 0; i < 3 * Horizon; i++)
        {
            double[] Of(Tensor<double> values) => values.Select(1, i / 3).Select(-1, i % 3).ToArray();
            var inside = Of(all.Future).Zip(Of(lower), Of(upper)).Count(three => three.Second <= three.First + 1e-12 && three.First <= three.Third + 1e-12);
            Assert.Equal(Math.Ceiling((windows.Count + 1) * 0.8), inside, 1.0);
        }

        Assert.InRange(model.Score(model.Windows(series, 64, 200..)).Coverage!.Value, 0.74, 0.86);
        model.Calibrate(model.Windows(series, 64, ..200));
        Assert.Equal(lower.ToArray(), model.Predict(all).Interval().Lower.ToArray());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void It_is_saved_and_opened_by_one_call(WindowScaling scaling, bool decoder, bool known, string loss)
    {
        var (series, model) = (Noise<float>(40), Make<float>(scaling, decoder, known, loss));
        if (loss == "quantiles")
        {
            model.Calibrate(model.Windows(series, 16));
        }

        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        var opened = Forecaster<float>.Open(stream);
        var batch = model.Windows(series, 16).First();
        Assert.Equal(model.Predict(batch).Values.ToArray(), opened.Predict(batch).Values.ToArray());
        Assert.Equal((model.Options.Loss, 0.25, 2, model.Window, model.Horizon, false), (opened.Options.Loss, opened.Options.Dropout, opened.Options.AutoregressiveSteps, opened.Window, opened.Horizon, opened.IsTraining));
        Assert.Equal(model.Targets, opened.Targets);
        Assert.Equal(model.ToString().Replace("Gru(", "RecurrentLayer(", StringComparison.Ordinal), opened.ToString());
    }

    [Fact]
    public void Files_of_something_else_are_refused()
    {
        using var stream = new MemoryStream();
        new Linear<float>(2, 2).Save(stream);
        stream.Position = 0;
        Assert.Contains("is not a forecaster that Forecaster.Save wrote", Assert.Throws<InvalidDataException>(() => Forecaster<float>.Open(stream)).Message, StringComparison.Ordinal);

        // Two models of equal weights that mean other columns are not the same.
        var (series, other) = (Noise<float>(30), new MemoryStream());
        Make<float>(WindowScaling.None, false, false).Save(other);
        other.Position = 0;
        var model = new Forecaster<float>(new Series<float>(["x", "b", "c"], series.Values), Window, Horizon, new Gru<float>(3, 4), new() { AutoregressiveSteps = 2, Dropout = 0.25, Scaling = WindowScaling.None });
        Assert.Contains("variables", Assert.ThrowsAny<Exception>(() => model.Load(other)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Variables_that_stand_still_do_no_harm()
    {
        var series = new Series<float>(["x", "constant"], Tensor<float>.From([.. Enumerable.Range(0, 60).Select(i => i % 2 == 0 ? i : 7f)], 30, 2));
        var model = new Forecaster<float>(series, Window, Horizon, new Gru<float>(2, 4), new() { Scaling = WindowScaling.MeanAndStandardDeviation });
        Assert.All(model.Predict(series).Values.ToArray(), value => Assert.True(float.IsFinite(value)));
        Assert.True(float.IsFinite(model.Loss(model.Windows(series, 30).First()).Item()));
    }

    [Fact]
    public void A_variable_that_never_changes_is_only_shifted_whatever_it_rounds_to()
    {
        var values = Enumerable.Range(0, 24).SelectMany(i => new[] { Math.Sin(i), 0.1 }).ToArray();
        var series = new Series<double>(["x", "constant"], Tensor<double>.From(values, 24, 2));
        var model = new Forecaster<double>(series, Window, Horizon, new Gru<double>(2, 4, new() { Seed = 1 }), new() { Known = ["constant"], Seed = 1 });
        var score = model.Score(model.Windows(series, 8));
        Assert.True(double.IsFinite(score.MeanSquaredError));
        var past = series.Slice(^Window..).Values.Unsqueeze(0);
        var (same, other) = (model.Predict(past, Tensor<double>.Full(0.1, 1, Horizon, 1)), model.Predict(past, Tensor<double>.Full(0.2, 1, Horizon, 1)));
        Assert.All(same.Point.ToArray().Zip(other.Point.ToArray()), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, 1));
    }

    [Fact]
    public void Wrong_inputs_are_named()
    {
        var (series, model) = (Noise<float>(30), Make<float>(WindowScaling.None, false, known: true));
        Gru<float> encoder = new(3, 4);
        Refuses("encoder: expected an InputSize of 3, the number of variables, but got 2", () => new Forecaster<float>(series, 5, 3, new Gru<float>(2, 4)));
        Refuses("decoder: expected an InputSize of 5, the encoder's OutputSize (4) and the known variables (1), but got 4", () => new Forecaster<float>(series, 5, 3, encoder, new Gru<float>(4, 4), new() { Known = ["a"] }));
        Refuses("Targets: there is no 'x' in the series, which has a, b, c", () => new Forecaster<float>(series, 5, 3, encoder, new() { Targets = ["x"] }));
        Refuses("Known: expected names that differ", () => new Forecaster<float>(series, 5, 3, encoder, new() { Known = ["a", "a"] }));
        Refuses("is nothing to forecast", () => new Forecaster<float>(series, 5, 3, encoder, new() { Targets = ["a"], Known = ["a"] }));
        Refuses("expected one variable or more to forecast", () => new Forecaster<float>(series, 5, 3, encoder, new() { Known = ["a", "b", "c"] }));
        Refuses("AutoregressiveSteps: expected at most the window of 5 steps but got 6", () => new Forecaster<float>(series, 5, 3, encoder, new() { AutoregressiveSteps = 6 }));
        Refuses("known: expected null", () => Make<float>(WindowScaling.None, false, known: false).Predict(series, series));
        Refuses("horizon: expected 1 or more", () => new Forecaster<float>(series, 5, 0, encoder));
        Refuses("training: expected one step or more", () => new Forecaster<float>(series.Slice(..0), 5, 3, encoder));
        Refuses("Quantiles: expected numbers above 0 and below 1 in rising order with 0.5 among them, or none, but got 0.1, 0.9", () => new ForecasterOptions { Quantiles = [0.1, 0.9] });
        Refuses("past: expected 5 steps or more, the window, but got 4", () => model.Predict(series.Slice(..4), series));
        Refuses("known: expected c, a at 3 steps after the end of the past but got null", () => model.Predict(series));
        Refuses("past: expected [rows, 5, 3], the window and the variables, but got [1, 4, 3]", () => model.Predict(Tensor<float>.Ones(1, 4, 3)));
        Refuses("known: expected [1, 3, 2], the values of c, a at the steps to come, but got null", () => model.Predict(Tensor<float>.Ones(1, 5, 3)));
        Refuses("known: expected null", () => Make<float>(WindowScaling.None, false, false).Predict(Tensor<float>.Ones(1, 5, 3), Tensor<float>.Ones(1, 3, 1)));
        Refuses("batch: expected a future of 3 steps, the horizon, but got 2", () => model.Loss(new ForecastBatch<float>(Tensor<float>.Ones(1, 5, 3), Tensor<float>.Ones(1, 2, 3))));
        Refuses("series: expected the variables a, b, c but got x", () => model.Windows(new Series<float>("x", [1, 2]), 1));
        Refuses("batches: expected one window or more", () => model.Score([]));
        Refuses("batches: expected one window or more", () => model.Calibrate([]));
        Refuses("expected one of the model's quantiles (0.1, 0.5, 0.9) but got 0.25", () => model.Predict(model.Windows(series, 1).First()).Quantile(0.25));
        Refuses("'a' was not forecast; what was is b", () => model.Predict(model.Windows(series, 1).First()).Of("a"));
        var point = Make<float>(WindowScaling.None, false, true, "Huber");
        Refuses("it has none", () => point.Predict(point.Windows(series, 1).First()).Interval());
        Assert.Contains("quantiles in pairs", Assert.Throws<InvalidOperationException>(() => point.Calibrate(point.Windows(series, 1))).Message, StringComparison.Ordinal);
        static void Refuses(string message, Action action) => Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(action).Message, StringComparison.Ordinal);
    }

    // Three variables of noise around levels of their own.
    private static Series<T> Noise<T>(int steps, ulong seed = 5)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var noise = Tensor<T>.RandomNormal(new RandomSource(seed), 0, 1, steps, 3);
        return new(["a", "b", "c"], (noise * Tensor<T>.From([T.One, T.CreateChecked(5), T.CreateChecked(0.5)])) + Tensor<T>.From([T.Zero, T.CreateChecked(20), T.One]));
    }

    private static Forecaster<T> Make<T>(WindowScaling scaling, bool decoder, bool known, string loss = "quantiles")
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var encoder = new Gru<T>(3, 4, new() { Seed = 1 });
        return new(Noise<T>(30), Window, Horizon, encoder, decoder ? new Gru<T>(known ? 6 : 4, 5, new() { Bidirectional = true, Seed = 2 }) : null, new()
        {
            Scaling = scaling,
            Known = known ? ["c", "a"] : [],
            Quantiles = loss == "quantiles" ? [0.1, 0.5, 0.9] : [],
            Loss = loss == "quantiles" ? ForecastLoss.SquaredError : Enum.Parse<ForecastLoss>(loss),
            AutoregressiveSteps = 2,
            Dropout = 0.25,
            Seed = 3,
        });
    }
}
