using System.Diagnostics;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Training;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace CharRnn;

/// <summary>The output for the user: plain lines where it goes to a file or another program, else a progress bar.</summary>
internal abstract class Report
{
    internal static Report Create(string introduction)
    {
        Console.WriteLine(introduction);
        return Console.IsOutputRedirected ? new PlainReport() : new LiveReport(AnsiConsole.Console);
    }

    /// <summary>Reports the progress after a step.</summary>
    internal abstract void Progress(in TrainingProgress progress, double done);

    /// <summary>Shows a text that the model wrote.</summary>
    internal void Text(string title, string text) => Line($"--- {title} ---\n{text}\n---");

    /// <summary>Shows a line that stays.</summary>
    internal abstract void Line(string line);

    /// <summary>The training has ended: nothing moves any more.</summary>
    internal virtual void EndProgress()
    {
    }

    private static string Describe(in TrainingProgress progress) =>
        $"loss {progress.SmoothedLoss:F3}  gradient norm {progress.GradientNorm:F2}  {progress.TokensPerSecond:N0} tokens/s";

    private sealed class PlainReport : Report
    {
        private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);
        private readonly Stopwatch _clock = Stopwatch.StartNew();
        private TimeSpan _next = TimeSpan.FromSeconds(1);

        internal override void Progress(in TrainingProgress progress, double done)
        {
            if (_clock.Elapsed >= _next)
            {
                _next = _clock.Elapsed + Pause;
                Line($"{done,4:P0}  step {progress.Update}  epoch {progress.Epoch}  {Describe(progress)}");
            }
        }

        internal override void Line(string line) => Console.WriteLine(line);
    }

    // The bar lives in Spectre's own task until the report ends; lines are put above it.
    internal sealed class LiveReport : Report
    {
        private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
        private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly IAnsiConsole _console;
        private readonly Task _display;
        private readonly Stopwatch _clock = Stopwatch.StartNew();
        private ProgressTask? _bar;
        private TimeSpan _next;

        internal LiveReport(IAnsiConsole console)
        {
            _console = console;
            var progress = console.Progress().AutoClear(true).Columns(
                new ProgressBarColumn(), new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left }, new RemainingTimeColumn());
            _display = progress.StartAsync(async context =>
            {
                _bar = context.AddTask("starting", maxValue: 1);
                await _end.Task;
            });
        }

        internal override void Progress(in TrainingProgress progress, double done)
        {
            if (_clock.Elapsed >= _next && _bar is { } bar)
            {
                _next = _clock.Elapsed + Pause;
                bar.Value = Math.Min(done, 0.999);
                bar.Description = Markup.Escape($"step {progress.Update}  {Describe(progress)}");
            }
        }

        internal override void Line(string line)
        {
            // Spectre keeps its bar below what goes through it; it also breaks lines, which the last ones must not.
            if (_display.IsCompleted)
            {
                _console.Profile.Out.Writer.WriteLine(line);
            }
            else
            {
                _console.Write(new Above(line));
            }
        }

        internal override void EndProgress()
        {
            _end.TrySetResult();
            _display.GetAwaiter().GetResult();
        }
    }
}

/// <summary>
/// Text that takes the place of a live display, which then goes on below it. Spectre goes back to where the display begins and writes over it; what
/// the text does not cover would stay, so the rest of the screen is cleared first.
/// </summary>
internal sealed class Above(string text) : Renderable
{
    private const string ClearBelow = "\e[0J";

    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth) =>
        [Segment.Control(ClearBelow), .. ((IRenderable)new Text($"{text}\n")).Render(options, maxWidth)];
}

/// <summary>Follows the training and lets the model write now and then, so that one watches it learn.</summary>
internal sealed class Watch(Report report, LanguageModel<float> model, Settings settings, Plan plan, CancellationToken cancellation) : IProgress<TrainingProgress>
{
    private const int SampleLength = 200;
    private static readonly long[] SampleUpdates = [100, 300, 700, 2000];

    /// <summary>The steps done.</summary>
    internal long Update { get; private set; }

    /// <inheritdoc/>
    public void Report(TrainingProgress value)
    {
        Update = value.Update;
        var byTime = settings.Time is { } time ? value.Elapsed / time : 0;
        report.Progress(value, Math.Max(byTime, plan.Steps is { } steps ? (double)value.Update / steps : 0));
        if (Array.IndexOf(SampleUpdates, value.Update) >= 0)
        {
            report.Text($"after {value.Update} steps", Writer.Write(model, settings.Prompt, SampleLength, settings, cancellation));
        }
    }
}

/// <summary>Lets a model write.</summary>
internal static class Writer
{
    /// <summary>The prompt and what the model makes of it.</summary>
    internal static string Write(LanguageModel<float> model, string prompt, int length, Settings settings, CancellationToken cancellation)
    {
        var vocabulary = model.Vocabulary!;
        int[] start = Files.Encode(vocabulary, prompt, "--prompt");
        if (start.Length == 0)
        {
            // A line end is where texts begin; a text without any begins with its first character in the order of the vocabulary.
            start = [vocabulary.TryGetToken("\n", out var lineEnd) ? lineEnd : 0];
        }

        var options = new SamplingOptions { Temperature = settings.Temperature, TopK = settings.TopK, Seed = settings.Seed };
        return prompt.TrimStart('\uFEFF') + vocabulary.Decode(model.Generate(start, length, options, cancellation));
    }
}
