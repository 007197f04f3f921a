using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>
/// Pairs of token sequences side by side, such as sentences and their translations: what an encoder reads, what a decoder reads (a begin token, then the target) and what it is to predict (the target,
/// then an end token).
/// </summary>
public sealed class SequencePairBatch : IRowBatch<SequencePairBatch>
{
    /// <summary>What stands in <see cref="Targets"/> past the end of each row: the ignore index of a loss.</summary>
    public const int Ignored = -100;

    private readonly TargetRows _rows;

    private SequencePairBatch(SequenceBatch source, TargetRows rows)
    {
        (Source, _rows) = (source, rows);
        foreach (var length in rows.Lengths)
        {
            TargetTokens += length;
        }
    }

    /// <summary>The number of pairs N.</summary>
    public int Rows => _rows.Lengths.Length;

    /// <summary>What the encoder reads.</summary>
    public SequenceBatch Source { get; }

    /// <summary>The steps U of the decoder: those of the longest target and one more.</summary>
    public int TargetSteps => _rows.Steps;

    /// <summary>What the decoder reads [N, U], row-major: the begin token, then the target; past its end the begin token again.</summary>
    public ReadOnlySpan<int> Inputs => _rows.Inputs;

    /// <summary>What the decoder is to predict [N, U], row-major: the target, then the end token; past its end <see cref="Ignored"/>.</summary>
    public ReadOnlySpan<int> Targets => _rows.Targets;

    /// <summary>The valid steps of each row of the decoder: the length of its target and one more.</summary>
    public ReadOnlySpan<int> TargetLengths => _rows.Lengths;

    /// <summary>The tokens that are to be predicted, end tokens included: what a loss is the mean over, and what a trainer may count.</summary>
    public long TargetTokens { get; }

    /// <inheritdoc/>
    public SequencePairBatch TakeRows(int start, int count) => new(Source.TakeRows(start, count), _rows.Take(new(start, count, Rows)));

    /// <summary>Puts pairs side by side in the order given.</summary>
    /// <param name="sources">The sequences to read; empty ones are allowed.</param>
    /// <param name="targets">The sequences to write, as many; without begin and end.</param>
    /// <param name="begin">The token that the decoder begins with.</param>
    /// <param name="end">The token that ends a target.</param>
    /// <param name="sourcePadding">What stands past the end of each source; it must be a token of the embedding that reads it.</param>
    /// <exception cref="ArgumentException">There are no pairs, or the numbers of sources and targets differ.</exception>
    public static SequencePairBatch Pad(IReadOnlyList<int[]> sources, IReadOnlyList<int[]> targets, int begin, int end, int sourcePadding = 0)
    {
        Check(sources, targets);
        return Pad(sources, targets, [.. Enumerable.Range(0, sources.Count)], begin, end, sourcePadding);
    }

    /// <summary>Cuts pairs into batches of about equal length of source and target together, so that little padding is needed; see <see cref="LengthBuckets"/>.</summary>
    /// <param name="sources">The sequences to read.</param>
    /// <param name="targets">The sequences to write, as many; without begin and end.</param>
    /// <param name="batchSize">The most pairs a batch may have.</param>
    /// <param name="begin">The token that the decoder begins with.</param>
    /// <param name="end">The token that ends a target.</param>
    /// <param name="random">Where the order of the batches and of equally long pairs comes from; null for shortest first, always the same.</param>
    /// <param name="sourcePadding">What stands past the end of each source.</param>
    /// <returns>The batches; each pass plans anew from the random source, where there is one.</returns>
    /// <exception cref="ArgumentException">There are no pairs, the numbers of sources and targets differ, or the batch size is not positive.</exception>
    public static BatchSource<SequencePairBatch> Bucket(
        IReadOnlyList<int[]> sources, IReadOnlyList<int[]> targets, int batchSize, int begin, int end, RandomSource? random = null, int sourcePadding = 0)
    {
        Check(sources, targets);
        OptionRange.AtLeast(1, batchSize, nameof(batchSize));
        return new BucketSource<SequencePairBatch>(
            [.. sources.Zip(targets, (source, target) => source.Length + target.Length)], batchSize, random,
            indices => Pad(sources, targets, indices, begin, end, sourcePadding), Hash);

        string Hash()
        {
            var hash = new Fingerprint();
            hash.Add<int>([begin, end, sourcePadding]);
            for (var i = 0; i < sources.Count; i++)
            {
                hash.Add<int>(sources[i]);
                hash.Add<int>(targets[i]);
            }

            return hash.ToString();
        }
    }

    private static void Check(IReadOnlyList<int[]> sources, IReadOnlyList<int[]> targets)
    {
        ArgumentNullException.ThrowIfNull(sources);
        ArgumentNullException.ThrowIfNull(targets);
        if (sources.Count == 0)
        {
            throw new ArgumentException("sources: expected at least one sequence but got none.", nameof(sources));
        }

        if (targets.Count != sources.Count)
        {
            throw new ArgumentException($"targets: expected {sources.Count} sequences, one for each source, but got {targets.Count}.", nameof(targets));
        }
    }

    private static SequencePairBatch Pad(IReadOnlyList<int[]> sources, IReadOnlyList<int[]> targets, int[] indices, int begin, int end, int sourcePadding) =>
        new(SequenceBatch.Pad(sources, indices, sourcePadding), TargetRows.Pad(targets, indices, begin, end));
}
