using Rnn.Layers;
using Rnn.Models;
using Samples;

namespace CharRnn;

/// <summary>A model with weights of 16 or 8 bits in place of 32.</summary>
internal static class Compression
{
    /// <summary>Compresses a model where that is asked for, saves it, and says what it costs on a text.</summary>
    internal static void Apply(LanguageModel<float> model, ReadOnlyMemory<int> validation, Settings settings, Report report)
    {
        if (settings.Compress is not { } format)
        {
            return;
        }

        var cost = model.MeasureCompression(format, () => model.Score(validation.Span, Plan.Scoring).Loss);
        model.Compress(format);
        Files.Save(model, settings.Save);
        report.Line($"{format}: {cost.FullBytes:N0} bytes of weights become {cost.CompressedBytes:N0}, the loss {cost.FullMean:F5} becomes {cost.CompressedMean:F5}; saved in {Path.GetFullPath(settings.Save)}");
    }
}
