using System.CommandLine;
using System.Diagnostics;
using Rnn.Layers;
using Rnn.Training;

namespace Samples;

/// <summary>One run of a sample: what the user asked for, and what is said to the user.</summary>
public sealed class SampleRun
{
    private readonly ParseResult _parsed;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private Report? _report;

    internal SampleRun(ParseResult parsed, CancellationToken cancellation) => (_parsed, Cancellation) = (parsed, cancellation);

    /// <summary>The data that the user gave, a file or a folder; null for those that the sample makes.</summary>
    public string? Data { get; init; }

    /// <summary>The saved model that the user wants used and not trained; null to train one.</summary>
    public string? OpenPath { get; init; }

    /// <summary>Where the model goes.</summary>
    public required string SavePath { get; init; }

    /// <summary>The most updates to train; null for as many as the sample's epochs have.</summary>
    public long? MaxUpdates { get; init; }

    /// <summary>The most time to train; null for no limit.</summary>
    public TimeSpan? MaxTime { get; init; }

    /// <summary>The seed of all random numbers.</summary>
    public ulong Seed { get; init; }

    /// <summary>Set by Ctrl+C.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>The value of an option of the sample's own; null where the user did not give it.</summary>
    public T? Get<T>(Option<T> option) => _parsed.GetValue(option);

    /// <summary>A path beside that of the model: its name with another ending.</summary>
    /// <param name="ending">The ending with its dot, such as ".svg".</param>
    public string PathBeside(string ending) => Path.ChangeExtension(SavePath, ending);

    /// <summary>A file of the folder that the user gave by --data.</summary>
    /// <exception cref="InputException">There is no such file.</exception>
    public string DataFile(string name) => InputFiles.Find("--data", Data ?? throw new InvalidOperationException("The user gave no --data."), name);

    /// <summary>Shows a line that stays.</summary>
    public void Line(string line)
    {
        if (_report is null)
        {
            Console.WriteLine(line);
        }
        else
        {
            _report.Line(line);
        }
    }

    /// <summary>Opens the model that the user wants used.</summary>
    /// <param name="open">How, such as <c>SequenceClassifier&lt;float&gt;.Open</c>.</param>
    /// <returns>The model; null where the user wants one trained.</returns>
    /// <exception cref="InputException">There is no such file, or it holds something else.</exception>
    public TModel? Open<TModel>(Func<string, TModel> open)
        where TModel : class => OpenPath is null ? null : InputFiles.Guard("--open", OpenPath, () => open(OpenPath));

    /// <summary>
    /// Trains with a progress bar, or with plain lines where the output is redirected, and saves the model, also after Ctrl+C, as it is then.
    /// </summary>
    /// <param name="trainer">What trains.</param>
    /// <param name="fit">Begins the training, with the progress and the cancellation that it is to use.</param>
    /// <param name="updates">How many updates it will have; null where <see cref="Trainer{T}.MaxUpdates"/> or <see cref="Trainer{T}.MaxTime"/> is the limit.</param>
    /// <param name="watch">Called after each update, for example to show what the model makes of something.</param>
    /// <exception cref="InputException">The training diverged.</exception>
    /// <exception cref="OperationCanceledException">The user pressed Ctrl+C.</exception>
    public async Task<TrainingResult> TrainAsync(
        Trainer<float> trainer, Func<IProgress<TrainingProgress>, CancellationToken, Task<TrainingResult>> fit, long? updates = null, Action<TrainingProgress>? watch = null)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        ArgumentNullException.ThrowIfNull(fit);
        var report = _report = Report.Create($"{trainer.Model}\n{trainer.Model.ParameterCount:N0} weights");
        var follow = new Follower(trainer, report, Math.Min(updates ?? long.MaxValue, trainer.MaxUpdates ?? long.MaxValue), watch);
        TrainingResult? result = null;
        try
        {
            result = await fit(follow, Cancellation);
        }
        catch (OperationCanceledException)
        {
        }
        catch (NonFiniteGradientException error)
        {
            throw new InputException($"the training diverged at step {follow.Update + 1}; choose another --seed. {error.Message}", error);
        }
        finally
        {
            report.EndProgress();
        }

        if (follow.Update > 0)
        {
            Save(trainer.Model);
        }

        return result ?? throw Cancelled(follow.Update);
    }

    /// <summary>The last line of a sample, for people and programs: <c>result name=value …</c>, with the seconds since the program began.</summary>
    public void Result(FormattableString values)
    {
        ArgumentNullException.ThrowIfNull(values);
        Line(FormattableString.Invariant($"result {FormattableString.Invariant(values)} seconds={_clock.Elapsed.TotalSeconds:F1}"));
    }

    private void Save(Module<float> model) => InputFiles.Guard("--save", SavePath, () =>
    {
        model.Save(SavePath);
        Line($"the model is saved in {Path.GetFullPath(SavePath)}");
        return true;
    });

    private OperationCanceledException Cancelled(long updates)
    {
        Line(updates == 0 ? "cancelled before the first update; nothing is saved" : $"cancelled after {updates} updates; the saved model is as it was then");
        return new(Cancellation);
    }

    // Called by the trainer itself after each update, so that lines come in order.
    private sealed class Follower(Trainer<float> trainer, Report report, long updates, Action<TrainingProgress>? watch) : IProgress<TrainingProgress>
    {
        internal long Update { get; private set; }

        public void Report(TrainingProgress value)
        {
            Update = value.Update;
            var byTime = trainer.MaxTime is { } time ? value.Elapsed / time : 0;
            report.Progress(value, Math.Max(byTime, (double)value.Update / updates));
            watch?.Invoke(value);
        }
    }
}
