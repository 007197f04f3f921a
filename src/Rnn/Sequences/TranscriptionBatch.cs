using System.Numerics;
using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>
/// Sequences side by side, each with its labels in their order, such as recordings with what is said in them: feature vectors or tokens of different lengths, and targets of any other length. What a transcriber learns from.
/// </summary>
/// <typeparam name="T">The element type of the features, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class TranscriptionBatch<T> : IRowBatch<TranscriptionBatch<T>>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly int[][] _targets;

    private TranscriptionBatch(FeatureBatch<T>? features, SequenceBatch? tokens, int[][] targets)
    {
        (Features, Tokens, _targets) = (features, tokens, targets);
        foreach (var target in targets)
        {
            Labels += target.Length;
        }
    }

    /// <summary>The number of rows N.</summary>
    public int Rows => _targets.Length;

    /// <summary>The feature vectors; null where tokens are read.</summary>
    public FeatureBatch<T>? Features { get; }

    /// <summary>The tokens; null where feature vectors are read.</summary>
    public SequenceBatch? Tokens { get; }

    /// <summary>The length of each row before it is transcribed.</summary>
    public ReadOnlySpan<int> Lengths => Features is { } features ? features.Lengths : Tokens!.Lengths;

    /// <summary>Which of the given sequences each row holds.</summary>
    public ReadOnlySpan<int> Indices => Features is { } features ? features.Indices : Tokens!.Indices;

    /// <summary>The labels of each row.</summary>
    public IReadOnlyList<int[]> Targets => _targets;

    /// <summary>The labels of all rows: what the loss is the mean over, and what a trainer may count.</summary>
    public long Labels { get; }

    /// <inheritdoc/>
    public TranscriptionBatch<T> TakeRows(int start, int count) =>
        new(Features?.TakeRows(start, count), Tokens?.TakeRows(start, count), new RowRange(start, count, Rows).Of(_targets));

    /// <summary>Puts sequences of feature vectors side by side in the order given.</summary>
    /// <param name="sequences">Sequences [steps, I] of equal I.</param>
    /// <param name="targets">The labels of each; may be empty.</param>
    /// <exception cref="ArgumentException">There are no sequences, one is not [steps, I], or there is another number of targets.</exception>
    public static TranscriptionBatch<T> Pad(IReadOnlyList<Tensor<T>> sequences, IReadOnlyList<int[]> targets)
    {
        var batch = FeatureBatch<T>.Pad(sequences);
        return new(batch, null, Check(targets, sequences.Count));
    }

    /// <summary>Puts sequences of tokens side by side in the order given.</summary>
    /// <param name="sequences">The sequences.</param>
    /// <param name="targets">The labels of each; may be empty.</param>
    /// <exception cref="ArgumentException">There are no sequences, or another number of targets.</exception>
    public static TranscriptionBatch<T> Pad(IReadOnlyList<int[]> sequences, IReadOnlyList<int[]> targets)
    {
        var batch = SequenceBatch.Pad(sequences);
        return new(null, batch, Check(targets, sequences.Count));
    }

    /// <summary>Cuts sequences of feature vectors into batches of about equal length, so that little padding is needed; see <see cref="LengthBuckets"/>.</summary>
    /// <param name="sequences">Sequences [steps, I] of equal I.</param>
    /// <param name="targets">The labels of each; may be empty.</param>
    /// <param name="batchSize">The most rows a batch may have.</param>
    /// <param name="random">Where the order of the batches and of equally long sequences comes from; null for shortest first, always the same.</param>
    /// <returns>The batches; each pass plans anew from the random source, where there is one.</returns>
    /// <exception cref="ArgumentException">A sequence is not [steps, I], there is another number of targets, or the batch size is not positive.</exception>
    public static BatchSource<TranscriptionBatch<T>> Bucket(IReadOnlyList<Tensor<T>> sequences, IReadOnlyList<int[]> targets, int batchSize, RandomSource? random = null)
    {
        ArgumentNullException.ThrowIfNull(sequences);
        return new Source<FeatureBatch<T>>(
            FeatureBatch<T>.Bucket(sequences, batchSize, random), Check(targets, sequences.Count), static (batch, targets) => new(batch, null, batch.Select(targets)));
    }

    /// <summary>As <see cref="Bucket(IReadOnlyList{Tensor{T}}, IReadOnlyList{int[]}, int, RandomSource)"/>, of sequences that are loaded when their batch is made, for data larger than memory.</summary>
    /// <param name="lengths">The length of each sequence.</param>
    /// <param name="load">Gives a sequence [steps, I] by its index, from a file for example; the same each time.</param>
    /// <param name="targets">The labels of each; may be empty.</param>
    /// <param name="batchSize">The most rows a batch may have.</param>
    /// <param name="random">Where the order of the batches and of equally long sequences comes from; null for shortest first, always the same.</param>
    /// <param name="identity">What tells these data from others of the same lengths when a training is resumed, such as the name and time of their file.</param>
    /// <returns>The batches. Making one throws an <see cref="InvalidDataException"/> where a sequence has another length than was said.</returns>
    /// <exception cref="ArgumentException">The batch size is not positive, a length is negative, or there is another number of targets.</exception>
    public static BatchSource<TranscriptionBatch<T>> Bucket(
        IReadOnlyList<int> lengths, Func<int, Tensor<T>> load, IReadOnlyList<int[]> targets, int batchSize, RandomSource? random = null, string identity = "")
    {
        ArgumentNullException.ThrowIfNull(lengths);
        return new Source<FeatureBatch<T>>(
            FeatureBatch<T>.Bucket(lengths, load, batchSize, random, identity), Check(targets, lengths.Count), static (batch, targets) => new(batch, null, batch.Select(targets)));
    }

    /// <summary>Cuts sequences of tokens into batches of about equal length, so that little padding is needed; see <see cref="LengthBuckets"/>.</summary>
    /// <param name="sequences">The sequences.</param>
    /// <param name="targets">The labels of each; may be empty.</param>
    /// <param name="batchSize">The most rows a batch may have.</param>
    /// <param name="random">Where the order of the batches and of equally long sequences comes from; null for shortest first, always the same.</param>
    /// <returns>The batches; each pass plans anew from the random source, where there is one.</returns>
    /// <exception cref="ArgumentException">There is another number of targets, or the batch size is not positive.</exception>
    public static BatchSource<TranscriptionBatch<T>> Bucket(IReadOnlyList<int[]> sequences, IReadOnlyList<int[]> targets, int batchSize, RandomSource? random = null)
    {
        ArgumentNullException.ThrowIfNull(sequences);
        return new Source<SequenceBatch>(
            SequenceBatch.Bucket(sequences, batchSize, random: random), Check(targets, sequences.Count), static (batch, targets) => new(null, batch, batch.Select(targets)));
    }

    private static int[][] Check(IReadOnlyList<int[]> targets, int count)
    {
        ArgumentNullException.ThrowIfNull(targets);
        return targets.Count == count
            ? [.. targets]
            : throw new ArgumentException($"targets: expected {count} targets, one for each sequence, but got {targets.Count}.", nameof(targets));
    }

    /// <summary>The batches of another source, each with its targets.</summary>
    private sealed class Source<TBatch>(BatchSource<TBatch> sequences, int[][] targets, Func<TBatch, int[][], TranscriptionBatch<T>> join) : BatchSource<TranscriptionBatch<T>>(sequences.Random)
    {
        private TranscriptionBatch<T>? _current;

        public override TranscriptionBatch<T> Current => _current ?? throw new InvalidOperationException("Current: there is no batch before the first MoveNext().");

        public override string Identity
        {
            get
            {
                var hash = new Fingerprint();
                foreach (var target in targets)
                {
                    hash.Add<int>([target.Length]);
                    hash.Add<int>(target);
                }

                return $"{sequences.Identity}, targets {hash}";
            }
        }

        // The other source plans a pass from the same random source, and draws from it nowhere else.
        protected override void OnBeginPass() => sequences.BeginPass();

        protected override bool OnSkip() => sequences.Skip();

        protected override bool OnMoveNext()
        {
            if (!sequences.MoveNext())
            {
                return false;
            }

            _current = join(sequences.Current, targets);
            return true;
        }
    }
}
