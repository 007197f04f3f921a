using Forecasting;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;
using Samples;

// Forecasts: reads a window of a series and says all steps to come at once, with an interval; beside it the two forecasts that one must beat.
var sample = new Sample("forecast", "Forecasts a series, with intervals.", "a CSV file with a header, dates in its first column and numbers in the others");
var column = sample.Add(InputOptions.Text("--column", "NAME", "the only column to read; all"));
var rows = sample.Add(InputOptions.Whole<int>("--rows", "N", "how many rows to read; all"));
var window = sample.Add(InputOptions.Whole<int>("--window", "N", "the steps that are read for a forecast; 36"));
var horizon = sample.Add(InputOptions.Whole<int>("--horizon", "N", "the steps that are forecast; 12"));
var hidden = sample.Add(InputOptions.Whole<int>("--hidden", "N", "hidden units; 16"));
var season = sample.Add(InputOptions.Whole<int>("--season", "N", "the steps of a season; 12"));
var test = sample.Add(InputOptions.Whole<int>("--test", "N", "the last steps, to test on, with as many before them to validate on; a fifth, or 24 months of the sample's own data"));
var calendar = sample.Add(InputOptions.Choice<CalendarCycles>("--calendar", "reads where in a cycle of the calendar each step lies, in the future too"));
return await sample.RunAsync(args, async run =>
{
    var data = run.Data is null ? AirlinePassengers.Read() : DatedSeries.Read(run.Data, run.Get(column), run.Get(rows));
    var known = run.Get(calendar) is { } cycle ? Series<float>.Calendar(data.Times, cycle) : null;
    var series = known is null ? data.Series : data.Series.Join(known);
    var held = run.Get(test) ?? (run.Data is null ? 24 : series.Steps / 5);
    var (training, validation, testing) = (..^(2 * held), ^(2 * held)..^held, ^held..);
    var model = run.Open(path => Forecaster<float>.Open(path));
    if (model is null)
    {
        const int BatchSize = 32, Updates = 1000;
        var (steps, ahead, units) = (run.Get(window) ?? 36, run.Get(horizon) ?? 12, run.Get(hidden) ?? 16);
        var random = new RandomSource(run.Seed);
        model = Fits(() => new Forecaster<float>(
            series.Slice(training),
            steps,
            ahead,
            new Gru<float>(series.Names.Count, units),
            known is null ? null : new Gru<float>(units + known.Names.Count, units, new() { Bidirectional = true }),
            new() { Known = known?.Names ?? [], AutoregressiveSteps = steps, Dropout = 0.2 }));
        var batches = Fits(() => model.Windows(series, BatchSize, training, random));
        var trainer = new Trainer<float>(model, new AdamW<float> { LearningRate = 3e-3, WeightDecay = 0.01 })
        {
            MaxGradientNorm = 1,
            MaxUpdates = Math.Min(run.MaxUpdates ?? Updates, Updates),
            MaxTime = run.MaxTime,
            Schedule = new CosineSchedule(Updates),
            RestoreBest = true,
        };
        var heldOut = Fits(() => model.Windows(series, 256, validation));
        await run.TrainAsync(trainer, (progress, stop) => trainer.FitAsync(batches, model.Loss, heldOut, progress: progress, cancellationToken: stop), Updates);
    }

    var windows = Fits(() => model.Windows(series, 256, testing));
    var (seasonSteps, past) = (run.Get(season) ?? 12, Fits(() => series.Slice(training)));
    if (seasonSteps >= past.Steps)
    {
        throw new InputException($"--season: expected fewer than the {past.Steps} steps of the training part but got {seasonSteps}.");
    }

    // One variable keeps its unit; several are comparable in units of their standard deviation.
    double[] scales = [.. model.Targets.Select(name => model.Targets.Count == 1 ? 1 : Deviation(past.Column(name)))];
    var score = model.Score(windows, run.Cancellation);
    var errors = new StepErrors(model, series, windows, seasonSteps, scales);
    run.Line($"{windows.Count} forecasts of the last {held} steps, 80 % intervals\n{score}\n{errors}");
    Picture.Save(run.PathBeside(".svg"), data, model, windows.Last());
    run.Line($"the last forecast is drawn in {Path.GetFullPath(run.PathBeside(".svg"))}");
    var mase = score.Targets.Average(target => target.MeanAbsoluteError / Naive(past.Column(target.Target), seasonSteps));
    run.Result($"rmse={errors.Model:F4} naive={errors.Naive:F4} mse={score.MeanSquaredError:F4} mase={mase:F4} coverage={score.Coverage:F4}");
});

static double Deviation(float[] values) => ForecastErrors.RootMeanSquared<float>(values, [.. Enumerable.Repeat(values.Average(), values.Length)]);

static double Naive(ReadOnlySpan<float> values, int season) => ForecastErrors.MeanAbsolute(values[season..], values[..^season]);

// What does not fit together comes from the command line: the window, the horizon, the part to test on, or a model of other data.
static TResult Fits<TResult>(Func<TResult> make) => InputFiles.Guard("--data", string.Empty, make);
