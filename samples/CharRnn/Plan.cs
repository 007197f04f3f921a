using System.Globalization;
using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Training;
using Samples;

namespace CharRnn;

/// <summary>The settings completed for a text: defaults follow from its length and from the time available.</summary>
internal sealed record Plan
{
    private const int ShortestText = 20;

    /// <summary>How validation text is scored: in parts side by side.</summary>
    internal static TextScoreOptions Scoring { get; } = new() { Segments = 16, WarmUp = 512 };

    private Plan(Settings settings) => Settings = settings;

    public Settings Settings { get; }

    public required int Hidden { get; init; }

    public required int Layers { get; init; }

    public required int Embedding { get; init; }

    public required int Batch { get; init; }

    public required int Window { get; init; }

    public required double LearningRate { get; init; }

    public required double Dropout { get; init; }

    public required long? Steps { get; init; }

    /// <summary>The number of characters to train on; the rest is for validation.</summary>
    public required int TrainingLength { get; init; }

    /// <summary>The end of the training in the unit of the schedule: seconds or updates.</summary>
    internal double Total => Settings.Time?.TotalSeconds ?? Steps!.Value;

    internal static Plan For(Settings settings, int length)
    {
        var training = (int)(length * 9L / 10);
        var large = length >= 500_000;
        var window = settings.Window ?? Math.Clamp((training - 1) / 4, 1, 64);
        if (length < ShortestText || training <= window)
        {
            throw new InputException(
                $"--text: expected {Math.Max(ShortestText, ((window + 1) * 10L / 9) + 1)} characters or more, so that the first 90 % hold a window of {window} and one more, "
                + $"but the text has {length}; use a longer text{(training > 2 && length >= ShortestText ? " or a smaller --window" : string.Empty)}.");
        }

        var most = (training - 1) / window;
        if (settings.Batch > most)
        {
            throw new InputException(
                $"--batch: expected at most {most}, since the {training} characters to learn from hold no more windows of {window}, but got {settings.Batch}.");
        }

        var hidden = settings.Hidden ?? (large ? 512 : 256);
        var layers = settings.Layers ?? 1;
        return new(settings)
        {
            Hidden = hidden,
            Layers = layers,
            Embedding = settings.Embedding ?? 64,
            Batch = settings.Batch ?? Math.Min(most, 32),
            Window = window,
            LearningRate = settings.LearningRate ?? 2e-3,
            Dropout = settings.Dropout ?? (large ? 0.1 : 0),
            Steps = settings.Steps ?? (settings.Time is null ? 2000 : null),
            TrainingLength = training,
        };
    }

    internal LanguageModel<float> CreateModel(IVocabulary vocabulary)
    {
        var projected = Settings.Cell == Settings.ProjectedLstm;
        if (projected && Hidden < 2)
        {
            throw new InputException("--hidden: expected 2 or more for a cell that projects to half of it but got 1.");
        }

        RefuseTooLarge(vocabulary.Count);
        try
        {
            SequenceLayer<float> layer = Scans.Names.Contains(Settings.Cell)
                ? Scans.Create(Settings.Cell!, Embedding, Hidden, Layers, Layers > 1 ? Dropout : 0, Settings.Seed)
                : RecurrentLayer<float>.Create(
                    projected ? "lstm" : Settings.Cell ?? "lstm",
                    Embedding,
                    Hidden,
                    new() { Layers = Layers, Dropout = Layers > 1 ? Dropout : 0, Seed = Settings.Seed },
                    projected ? Hidden / 2 : 0);
            return new(vocabulary, layer, new() { Dropout = Dropout, Seed = Settings.Seed });
        }
        catch (Exception error) when (error is ArgumentException or OverflowException or OutOfMemoryException)
        {
            throw new InputException($"--hidden: a model of {Layers} layers of {Hidden} units with --embedding {Embedding} is too large; choose less. {error.Message}", error);
        }
    }

    // Weights, their gradients, two moments and two packed forms: six numbers of four bytes for each weight, and a layer has up to four gates.
    private void RefuseTooLarge(int vocabulary)
    {
        const double BytesPerWeight = 6 * sizeof(float);
        const double Gates = 4;
        double size = Hidden;
        var weights = (Gates * size * (Embedding + size)) + ((Layers - 1.0) * Gates * size * 2 * size) + (vocabulary * (Embedding + size));
        var available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (weights * BytesPerWeight > available)
        {
            throw new InputException(
                $"--hidden: {Layers} × {Hidden} units need about {weights * BytesPerWeight / 1e9:F0} GB but there are {available / 1e9:F0} GB; choose less.");
        }
    }

    public override string ToString() =>
        $"{Batch} × {Window} characters a step, learning rate {LearningRate}, {(Settings.Time is { } time ? $"{time.TotalMinutes} minutes" : $"{Steps} steps")}, {Workers.MaxThreads} threads";
}

/// <summary>The learning rate rises in a line over the first fiftieth of the training and falls to nothing along half a cosine.</summary>
/// <param name="total">The end: updates or seconds.</param>
internal sealed class WarmUpAndDecay(double total) : Schedule
{
    private const double WarmUp = 0.02;

    /// <inheritdoc/>
    public override double Factor(double step)
    {
        var part = Math.Clamp(step / total, 0, 1);
        return part < WarmUp ? Math.Max(0.01, part / WarmUp) : 0.5 + (0.5 * Math.Cos(Math.PI * (part - WarmUp) / (1 - WarmUp)));
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{nameof(WarmUpAndDecay)} {{ Total = {total} }}");
}
