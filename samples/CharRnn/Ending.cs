using Rnn.Models;
using Rnn.Training;
using Samples;

namespace CharRnn;

/// <summary>What is shown of a model that has been trained.</summary>
internal static class Ending
{
    internal static void Show(LanguageModel<float> model, ReadOnlyMemory<int> validation, TrainingResult result, Settings settings, Processes processes, Report report)
    {
        var score = model.Score(validation.Span, Plan.Scoring, CancellationToken.None);
        report.Text("a longer text", Writer.Write(model, settings.Prompt, settings.Length, settings, CancellationToken.None));
        report.Line($"validation: {score.Loss:F4} nats per character, perplexity {score.Perplexity:F2}, {score.BitsPerCharacter:F3} bits per character");
        if (processes.Share(result.Elapsed) is { } share)
        {
            report.Line(share);
        }

        Compression.Apply(model, validation, settings, report);
        report.Line($"the model is saved in {Path.GetFullPath(settings.Save)}");
        File.Delete(settings.Checkpoint);
        report.Line(
            $"result loss={score.Loss:F4} perplexity={score.Perplexity:F3} steps={result.Updates} seconds={result.Elapsed.TotalSeconds:F1} "
            + $"tokens_per_second={result.Tokens / result.Elapsed.TotalSeconds:F0}");
    }
}
