using System.Diagnostics;
using Rnn.Training;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Samples;

/// <summary>The output for the user: plain lines where it goes to a file or another program, else a progress bar.</summary>
public abstract class Report
{
    /// <summary>The report for this console.</summary>
    public static Report Create(string introduction)
    {
        Console.WriteLine(introduction);
        return Console.IsOutputRedirected ? new PlainReport() : new LiveReport(AnsiConsole.Console);
    }

    /// <summary>Says nothing: of one of several processes, the first of which reports.</summary>
    public static Report None { get; } = new SilentReport();

    /// <summary>Reports the progress after a step.</summary>
    /// <param name="progress">What the trainer says.</param>
    /// <param name="done">The part of the training that is done, from 0 to 1.</param>
    public abstract void Progress(in TrainingProgress progress, double done);

    /// <summary>Shows a text that the model wrote.</summary>
    public void Text(string title, string text) => Line($"--- {title} ---\n{text}\n---");

    /// <summary>Shows a line that stays.</summary>
    public abstract void Line(string line);

    /// <summary>The training has ended: nothing moves any more.</summary>
    public virtual void EndProgress()
    {
    }

    private static string Describe(in TrainingProgress progress) =>
        $"loss {progress.SmoothedLoss:F3}{(progress.ValidationLoss is { } loss ? $"  validation {loss:F3}" : string.Empty)}  gradient norm {progress.GradientNorm:F2}"
        + $"  {progress.TokensPerSecond:N0} tokens/s";

    private sealed class SilentReport : Report
    {
        public override void Progress(in TrainingProgress progress, double done)
        {
        }

        public override void Line(string line)
        {
        }
    }

    private sealed class PlainReport : Report
    {
        private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);
        private readonly Stopwatch _clock = Stopwatch.StartNew();
        private TimeSpan _next = TimeSpan.FromSeconds(1);

        public override void Progress(in TrainingProgress progress, double done)
        {
            if (_clock.Elapsed >= _next)
            {
                _next = _clock.Elapsed + Pause;
                Line($"{Math.Min(done, 1),4:P0}  step {progress.Update}  epoch {progress.Epoch}  {Describe(progress)}");
            }
        }

        public override void Line(string line) => Console.WriteLine(line);
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

        public override void Progress(in TrainingProgress progress, double done)
        {
            if (_clock.Elapsed >= _next && _bar is { } bar)
            {
                _next = _clock.Elapsed + Pause;
                bar.Value = Math.Min(done, 0.999);
                bar.Description = Markup.Escape($"step {progress.Update}  {Describe(progress)}");
            }
        }

        public override void Line(string line)
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

        public override void EndProgress()
        {
            _end.TrySetResult();
            _display.GetAwaiter().GetResult();
        }
    }

    /// <summary>
    /// Text that takes the place of a live display, which then goes on below it. Spectre goes back to where the display begins and writes over it; what
    /// the text does not cover would stay, so the rest of the screen is cleared first.
    /// </summary>
    private sealed class Above(string text) : Renderable
    {
        private const string ClearBelow = "\e[0J";

        protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth) =>
            [Segment.Control(ClearBelow), .. ((IRenderable)new Text($"{text}\n")).Render(options, maxWidth)];
    }
}
