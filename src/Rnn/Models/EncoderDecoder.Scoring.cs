using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Models;

public sealed partial class EncoderDecoder<T>
{
    /// <summary>Writes what belongs to texts whose targets are known, and compares.</summary>
    /// <param name="sources">The texts to read.</param>
    /// <param name="targets">The right text of each.</param>
    /// <param name="options">The search; null for the defaults. Its end token is the model's.</param>
    /// <param name="cancellationToken">Asks to stop.</param>
    /// <exception cref="ArgumentException">There are no texts, their numbers differ, or a vocabulary does not know a symbol.</exception>
    public SequencePairScore Score(IReadOnlyList<string> sources, IReadOnlyList<string> targets, BeamSearchOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(targets);
        return Score(sources, targets.Select(target => new[] { target }).ToArray(), options, cancellationToken);
    }

    /// <summary>Writes what belongs to texts of which one or more right targets are known, and compares.</summary>
    /// <param name="sources">The texts to read.</param>
    /// <param name="references">The right texts of each, one or more.</param>
    /// <param name="options">The search; null for the defaults. Its end token is the model's.</param>
    /// <param name="cancellationToken">Asks to stop.</param>
    /// <exception cref="ArgumentException">There are no texts, their numbers differ, a text has no reference, or a vocabulary does not know a symbol.</exception>
    public SequencePairScore Score(
        IReadOnlyList<string> sources, IReadOnlyList<IReadOnlyList<string>> references, BeamSearchOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(sources);
        ArgumentNullException.ThrowIfNull(references);
        return Score(
            sources.Select(text => SourceVocabulary.Encode(text)).ToArray(),
            references.Select(texts => texts.Select(text => TargetVocabulary.Encode(text)).ToArray()).ToArray(), options, cancellationToken);
    }

    /// <summary>
    /// Writes what belongs to sequences of tokens of which one or more right targets are known, and compares. In evaluation mode and without a graph. A token of a reference that the vocabulary does not know
    /// (<see cref="IVocabulary.Unknown"/>) is never written rightly; the loss alone counts it as the token that it is.
    /// </summary>
    /// <param name="sources">The sequences to read.</param>
    /// <param name="references">The right sequences of each, one or more, without begin and end.</param>
    /// <param name="options">The search; null for the defaults. Its end token is the model's.</param>
    /// <param name="cancellationToken">Asks to stop.</param>
    /// <exception cref="ArgumentException">There are no sequences, their numbers differ, one has no reference, or a token is out of range.</exception>
    public SequencePairScore Score(
        IReadOnlyList<int[]> sources, IReadOnlyList<IReadOnlyList<int[]>> references, BeamSearchOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(sources);
        ArgumentNullException.ThrowIfNull(references);
        if (sources.Count == 0 || sources.Count != references.Count)
        {
            throw new ArgumentException($"references: expected those of one source or more but got {sources.Count} sources and references of {references.Count}.", nameof(references));
        }

        var (pairs, targets) = (new List<int[]>(), new List<int[]>());
        for (var i = 0; i < sources.Count; i++)
        {
            if (references[i].Count == 0)
            {
                throw new ArgumentException($"references: expected one or more for each source but source {i} has none.", nameof(references));
            }

            foreach (var reference in references[i])
            {
                pairs.Add(sources[i]);
                targets.Add(reference);
            }
        }

        var (loss, tokens) = SumLoss(pairs, targets, cancellationToken);
        return new(Best(sources, options ?? new(), cancellationToken), references, TargetVocabulary) { Tokens = tokens, Loss = loss / tokens };
    }

    private (double Sum, long Tokens) SumLoss(List<int[]> sources, List<int[]> targets, CancellationToken cancellationToken)
    {
        const int BatchRows = 128;
        var (sum, tokens, options) = (0.0, 0L, new CrossEntropyOptions { Reduction = LossReduction.Sum });
        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        foreach (var batch in SequencePairBatch.Bucket(sources, targets, BatchRows, Begin, End))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = TensorScope.Enter();
            sum += double.CreateTruncating(Loss(batch, options: options).Item());
            tokens += batch.TargetTokens;
        }

        return (sum, tokens);
    }

    // The best hypothesis of each sequence, in batches of about equal length.
    private BeamHypothesis[] Best(IReadOnlyList<int[]> sources, BeamSearchOptions options, CancellationToken cancellationToken)
    {
        // Hypotheses of about this number side by side: enough for fast products, and their scores of a large vocabulary still fit the caches.
        const int Hypotheses = 256;
        var best = new BeamHypothesis[sources.Count];
        foreach (var batch in SequenceBatch.Bucket(sources, Math.Max(1, Hypotheses / options.Width)))
        {
            var found = Generate(batch, options, cancellationToken);
            for (var row = 0; row < found.Length; row++)
            {
                best[batch.Indices[row]] = found[row][0];
            }
        }

        return best;
    }
}
