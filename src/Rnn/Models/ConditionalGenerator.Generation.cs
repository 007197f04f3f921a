using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Models;

public sealed partial class ConditionalGenerator<T>
{
    /// <summary>The likeliest text for each condition that beam search finds.</summary>
    /// <param name="conditions">[N, F], or [N] numbers of classes (see <see cref="Conditions"/>).</param>
    /// <param name="options">Width (1 is greedy), length penalty and greatest length of the search; null for the defaults. Its end token is the model's.</param>
    /// <param name="cancellationToken">Asks to stop.</param>
    /// <exception cref="ArgumentException">A condition does not fit.</exception>
    public string[] GenerateText(Tensor<T> conditions, BeamSearchOptions? options = null, CancellationToken cancellationToken = default) =>
        Array.ConvertAll(Generate(conditions, options, cancellationToken), found => Vocabulary.Decode(found[0].Tokens));

    /// <summary>The likeliest sequences for each condition that beam search finds, in evaluation mode and without a graph.</summary>
    /// <param name="conditions">[N, F], or [N] numbers of classes.</param>
    /// <param name="options">Width (1 is greedy), length penalty and greatest length of the search; null for the defaults. Its end token is the model's.</param>
    /// <param name="cancellationToken">Asks to stop.</param>
    /// <returns>For each row up to <see cref="BeamSearchOptions.Width"/> hypotheses, the best first.</returns>
    /// <exception cref="ArgumentException">A condition does not fit.</exception>
    public BeamHypothesis[][] Generate(Tensor<T> conditions, BeamSearchOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(conditions);
        return IsEmpty(conditions) ? [] : BeamSearch.Run(CreateTokenStepper(conditions), Starts(conditions), (options ?? new()) with { EndToken = End }, cancellationToken);
    }

    /// <summary>Draws a sequence for each condition.</summary>
    /// <param name="conditions">[N, F], or [N] numbers of classes.</param>
    /// <param name="count">The most tokens of a sequence.</param>
    /// <param name="options">
    /// How tokens are drawn, or null for the defaults. Its stop token is the model's. Each row draws random numbers of its own, which follow from the seed and its place.
    /// </param>
    /// <param name="cancellationToken">Asks to stop.</param>
    /// <returns>The tokens of each row, without the end token; <see cref="IVocabulary.Decode(ReadOnlySpan{int})"/> makes texts of them.</returns>
    /// <exception cref="ArgumentException">A condition does not fit, or the options give both a seed and a source.</exception>
    public int[][] Sample(Tensor<T> conditions, int count, SamplingOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(conditions);
        return IsEmpty(conditions) ? [] : Sampling.Run(CreateTokenStepper(conditions), Starts(conditions), count, (options ?? new()) with { StopToken = End }, cancellationToken);
    }

    /// <summary>
    /// A decoder that knows its conditions and has written nothing, and writes one token of each row at a time, with a recurrent layer without allocating anything: for a search of one's own.
    /// </summary>
    /// <param name="conditions">[N, F], or [N] numbers of classes, of one row or more.</param>
    /// <exception cref="ArgumentException">A condition does not fit, or there are none.</exception>
    public ITokenStepper<T> CreateTokenStepper(Tensor<T> conditions)
    {
        ArgumentNullException.ThrowIfNull(conditions);
        if (IsEmpty(conditions))
        {
            throw new ArgumentException($"conditions: expected one row or more but got {conditions.Shape}.", nameof(conditions));
        }

        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        var encoded = Encode(conditions);
        var stepper = Decoder.CreateStepper(conditions.Shape[0]);
        stepper.SetState(_start.Forward(encoded));
        return new ConditionalStepper<T>(stepper, Embedding, Output, Options.FeedCondition ? encoded.ToArray() : []);
    }

    private static bool IsEmpty(Tensor<T> conditions) => conditions.Rank > 0 && conditions.Shape[0] == 0;

    private int[] Starts(Tensor<T> conditions)
    {
        var starts = new int[conditions.Shape[0]];
        Array.Fill(starts, Begin);
        return starts;
    }
}
