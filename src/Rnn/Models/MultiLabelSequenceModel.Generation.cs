using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Models;

public sealed partial class MultiLabelSequenceModel<T>
{
    /// <summary>A stream that reads one sequence step by step, from the initial state.</summary>
    /// <exception cref="InvalidOperationException">The layer is not causal.</exception>
    public MultiLabelStream<T> CreateStream() => new(this);

    /// <summary>Draws a sequence, each label of a step by its probability given all steps before.</summary>
    /// <param name="steps">The steps to draw.</param>
    /// <param name="prompt">[P, L]: the steps to go on from, zeros and ones; null or none to begin from a step of zeros, as in training.</param>
    /// <param name="temperature">What the scores are divided by: below 1 likely labels become more likely, above 1 all become more even. 0 takes every label whose probability is above one half.</param>
    /// <param name="random">Where the draws come from; null for the next seed of the process (see <see cref="RandomSource.SetSeed"/>).</param>
    /// <param name="cancellationToken">Asks to stop.</param>
    /// <returns>[<paramref name="steps"/>, L] of zeros and ones, without the prompt.</returns>
    /// <exception cref="ArgumentException">The prompt does not fit, or a number is out of range.</exception>
    /// <exception cref="InvalidOperationException">The model cannot predict from the steps before: its inputs have another size than the labels, or the layer is not causal.</exception>
    public Tensor<T> Generate(int steps, Tensor<T>? prompt = null, double temperature = 1, RandomSource? random = null, CancellationToken cancellationToken = default)
    {
        OptionRange.AtLeast(0, steps, nameof(steps));
        OptionRange.NotNegative(temperature, nameof(temperature));
        CheckPredictsNext(nameof(Generate));
        if (prompt is not null && (prompt.Rank != 2 || prompt.Shape[1] != Labels))
        {
            throw new ArgumentException($"prompt: expected [steps, {Labels}] but got {prompt.Shape}.", nameof(prompt));
        }

        random ??= new();
        var (stream, drawn) = (CreateStream(), new T[steps * Labels]);
        var logits = stream.StepLogits(new T[Labels]);
        for (var i = 0; i < prompt?.Length; i += Labels)
        {
            cancellationToken.ThrowIfCancellationRequested();
            logits = stream.StepLogits(prompt.AsReadOnlySpan().Slice(i, Labels));
        }

        for (var i = 0; i < drawn.Length; i += Labels)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var step = drawn.AsSpan(i, Labels);
            Draw(logits, temperature, random, step);
            logits = i + Labels < drawn.Length ? stream.StepLogits(step) : [];
        }

        return Tensor<T>.From(drawn, steps, Labels);
    }

    // A number is drawn for each label whatever its probability, so that the numbers that follow do not depend on it.
    private static void Draw(ReadOnlySpan<T> logits, double temperature, RandomSource random, Span<T> step)
    {
        for (var label = 0; label < step.Length; label++)
        {
            var logit = double.CreateTruncating(logits[label]);
            var (number, threshold) = (random.NextDouble(), temperature > 0 ? 1 / (1 + Math.Exp(-logit / temperature)) : logit > 0 ? 1 : 0);
            step[label] = number < threshold ? T.One : T.Zero;
        }
    }
}
