using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Models;

public sealed partial class WaveformModel<T>
{
    /// <summary>Continues a wave: each sample is drawn from what the model says after all before. Any number of threads may generate with one model.</summary>
    /// <param name="beginning">The samples to go on from, from −1 to 1; empty to begin behind silence.</param>
    /// <param name="count">How many samples to draw.</param>
    /// <param name="options">
    /// How samples are drawn, or null for the defaults. Of these a mixture has the temperature, which scales its widths, and the seed; the others are of levels and must be left at their defaults.
    /// </param>
    /// <param name="classes">The class in each condition of the model.</param>
    /// <returns>The new samples, from −1 to 1, without the beginning.</returns>
    /// <exception cref="ArgumentException">The count is negative, a sample is NaN, or the classes or options do not fit.</exception>
    public float[] Generate(ReadOnlySpan<float> beginning, int count, SamplingOptions? options = null, params IReadOnlyList<string> classes)
    {
        OptionRange.AtLeast(0, count, nameof(count));
        var stream = CreateStream(options, classes);
        foreach (var sample in beginning)
        {
            stream.Read(sample);
        }

        var samples = new float[count];
        foreach (ref var sample in samples.AsSpan())
        {
            sample = stream.Next();
        }

        return samples;
    }

    /// <summary>A stream that reads and writes one wave sample by sample, from silence on.</summary>
    /// <param name="options">How samples are drawn; see <see cref="Generate"/>.</param>
    /// <param name="classes">The class in each condition of the model.</param>
    /// <exception cref="ArgumentException">The classes or options do not fit.</exception>
    public WaveformStream<T> CreateStream(SamplingOptions? options = null, params IReadOnlyList<string> classes)
    {
        options ??= new();
        if (options.StopToken is not null || (Embedding is null && (options.TopK != 0 || options.TopP < 1 || options.ExcludedTokens.Count > 0)))
        {
            throw new ArgumentException(
                options.StopToken is not null ? "StopToken: expected null, since no level ends a wave." : "options: expected no TopK, TopP or ExcludedTokens, since a mixture has no scores of levels to leave out.", nameof(options));
        }

        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        var numbers = Classes(new[] { classes });
        return new(this, options, ConditionSize > 0 ? Encode(numbers).ToArray() : []);
    }
}
