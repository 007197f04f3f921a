using Rnn.Models;
using Rnn.Sequences;
using Rnn.Training;
using Samples;

namespace CharRnn;

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
