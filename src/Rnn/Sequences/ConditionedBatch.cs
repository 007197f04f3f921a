using System.Numerics;
using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>
/// Token sequences side by side, each with what it belongs to, such as captions with their pictures: a condition for each row, what a decoder reads (a begin token, then the sequence) and what it is to
/// predict (the sequence, then an end token).
/// </summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class ConditionedBatch<T> : IRowBatch<ConditionedBatch<T>>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>What stands in <see cref="Targets"/> past the end of each row: the ignore index of a loss.</summary>
    public const int Ignored = SequencePairBatch.Ignored;

    private readonly TargetRows _rows;
    private readonly int[] _indices;

    private ConditionedBatch(Tensor<T> conditions, TargetRows rows, int[] indices) => (Conditions, _rows, _indices) = (conditions, rows, indices);

    /// <summary>The number of rows N.</summary>
    public int Rows => _indices.Length;

    /// <summary>The condition of each row, [N, …].</summary>
    public Tensor<T> Conditions { get; }

    /// <summary>The steps U of the decoder: those of the longest sequence and one more.</summary>
    public int Steps => _rows.Steps;

    /// <summary>What the decoder reads [N, U], row-major: the begin token, then the sequence; past its end the begin token again.</summary>
    public ReadOnlySpan<int> Inputs => _rows.Inputs;

    /// <summary>What the decoder is to predict [N, U], row-major: the sequence, then the end token; past its end <see cref="Ignored"/>.</summary>
    public ReadOnlySpan<int> Targets => _rows.Targets;

    /// <summary>The valid steps of each row: the length of its sequence and one more.</summary>
    public ReadOnlySpan<int> Lengths => _rows.Lengths;

    /// <summary>Which of the given sequences each row holds.</summary>
    public ReadOnlySpan<int> Indices => _indices;

    /// <inheritdoc/>
    public ConditionedBatch<T> TakeRows(int start, int count)
    {
        var rows = new RowRange(start, count, Rows);
        return new(rows.Of(Conditions), _rows.Take(rows), rows.Of(_indices));
    }

    /// <summary>Puts sequences side by side in the order given.</summary>
    /// <param name="conditions">[N, …]: what each sequence belongs to.</param>
    /// <param name="sequences">The N sequences, without begin and end; empty ones are allowed.</param>
    /// <param name="begin">The token that the decoder begins with.</param>
    /// <param name="end">The token that ends a sequence.</param>
    /// <exception cref="ArgumentException">There are no sequences, or another number of conditions.</exception>
    public static ConditionedBatch<T> Pad(Tensor<T> conditions, IReadOnlyList<int[]> sequences, int begin, int end)
    {
        Check(conditions, sequences);
        return Pad(conditions, sequences, [.. Enumerable.Range(0, sequences.Count)], begin, end);
    }

    /// <summary>Cuts sequences into batches of about equal length, so that little padding is needed; see <see cref="LengthBuckets"/>.</summary>
    /// <param name="conditions">[L, …]: what each sequence belongs to.</param>
    /// <param name="sequences">The L sequences, without begin and end.</param>
    /// <param name="batchSize">The most rows a batch may have.</param>
    /// <param name="begin">The token that the decoder begins with.</param>
    /// <param name="end">The token that ends a sequence.</param>
    /// <param name="random">Where the order of the batches and of equally long sequences comes from; null for shortest first, always the same.</param>
    /// <returns>The batches; each pass plans anew from the random source, where there is one.</returns>
    /// <exception cref="ArgumentException">There are no sequences, or another number of conditions, or the batch size is not positive.</exception>
    public static BatchSource<ConditionedBatch<T>> Bucket(Tensor<T> conditions, IReadOnlyList<int[]> sequences, int batchSize, int begin, int end, RandomSource? random = null)
    {
        Check(conditions, sequences);
        OptionRange.AtLeast(1, batchSize, nameof(batchSize));
        return new BucketSource<ConditionedBatch<T>>(
            [.. sequences.Select(sequence => sequence.Length)], batchSize, random, indices => Pad(conditions, sequences, indices, begin, end), Hash);

        string Hash()
        {
            var hash = new Fingerprint();
            hash.Add<int>([begin, end]);
            hash.Add(conditions.AsReadOnlySpan());
            foreach (var sequence in sequences)
            {
                hash.Add<int>(sequence);
            }

            return hash.ToString();
        }
    }

    private static void Check(Tensor<T> conditions, IReadOnlyList<int[]> sequences)
    {
        ArgumentNullException.ThrowIfNull(conditions);
        ArgumentNullException.ThrowIfNull(sequences);
        if (sequences.Count == 0)
        {
            throw new ArgumentException("sequences: expected at least one sequence but got none.", nameof(sequences));
        }

        if (conditions.Rank == 0 || conditions.Shape[0] != sequences.Count)
        {
            throw new ArgumentException($"conditions: expected [{sequences.Count}, ...], one row for each sequence, but got {conditions.Shape}.", nameof(conditions));
        }
    }

    private static ConditionedBatch<T> Pad(Tensor<T> conditions, IReadOnlyList<int[]> sequences, int[] indices, int begin, int end) =>
        new(conditions.IndexSelect(0, indices), TargetRows.Pad(sequences, indices, begin, end), indices);
}
