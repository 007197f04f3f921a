using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>
/// Token sequences of different lengths side by side: padded to a rectangle [N, T], with the length of each row. What embeddings and
/// recurrent layers take.
/// </summary>
/// <example>
/// <code>
/// foreach (var batch in SequenceBatch.Bucket(sequences, batchSize: 32, random: new RandomSource(1)))
/// {
///     var output = lstm.Forward(embedding.Forward(batch.Tokens, batch.Shape), batch.Lengths);
///     var targets = batch.Select(labels);
/// }
/// </code>
/// </example>
public sealed class SequenceBatch : IRowBatch<SequenceBatch>
{
    private readonly int[] _tokens;
    private readonly int[] _lengths;
    private readonly int[] _indices;

    private SequenceBatch(int[] tokens, int[] lengths, int[] indices, int steps)
    {
        _tokens = tokens;
        _lengths = lengths;
        _indices = indices;
        Steps = steps;
    }

    /// <summary>The number of rows N.</summary>
    public int Rows => _lengths.Length;

    /// <summary>The number of steps T: the length of the longest row.</summary>
    public int Steps { get; }

    /// <summary>[N, T].</summary>
    public Shape Shape => [Rows, Steps];

    /// <summary>The tokens [N, T], row-major; past the end of each row the padding.</summary>
    public ReadOnlySpan<int> Tokens => _tokens;

    /// <summary>The length of each row, from 0 to T.</summary>
    public ReadOnlySpan<int> Lengths => _lengths;

    /// <summary>Which of the given sequences each row holds.</summary>
    public ReadOnlySpan<int> Indices => _indices;

    /// <inheritdoc/>
    public SequenceBatch TakeRows(int start, int count)
    {
        var rows = new RowRange(start, count, Rows);
        var steps = rows.Longest(_lengths, Steps);
        return new(rows.Of(_tokens, steps), rows.Of(_lengths), rows.Of(_indices), steps);
    }

    /// <summary>Puts sequences side by side in the order given.</summary>
    /// <param name="sequences">The sequences; empty ones are allowed.</param>
    /// <param name="padding">What stands past the end of each row; it must be a token of the embedding that reads it, though no layer looks at its row.</param>
    /// <exception cref="ArgumentException">There are no sequences, or rows times the longest one are more than an array can hold.</exception>
    public static SequenceBatch Pad(IReadOnlyList<int[]> sequences, int padding = 0)
    {
        ArgumentNullException.ThrowIfNull(sequences);
        if (sequences.Count == 0)
        {
            throw new ArgumentException("sequences: expected at least one sequence but got none.", nameof(sequences));
        }

        return Pad(sequences, [.. Enumerable.Range(0, sequences.Count)], padding);
    }

    /// <summary>Cuts sequences into batches of about equal length each, so that little padding is needed; see <see cref="LengthBuckets"/>.</summary>
    /// <param name="sequences">The sequences.</param>
    /// <param name="batchSize">The most rows a batch may have.</param>
    /// <param name="padding">What stands past the end of each row.</param>
    /// <param name="random">Where the order of the batches and of equally long sequences comes from; null for shortest first, always the same.</param>
    /// <returns>The batches; with a random source each pass has another order.</returns>
    /// <exception cref="ArgumentException">The batch size is not positive, or a batch is more than an array can hold.</exception>
    public static BatchSource<SequenceBatch> Bucket(IReadOnlyList<int[]> sequences, int batchSize, int padding = 0, RandomSource? random = null)
    {
        ArgumentNullException.ThrowIfNull(sequences);
        OptionRange.AtLeast(1, batchSize, nameof(batchSize));
        return new BucketSource<SequenceBatch>([.. sequences.Select(sequence => sequence.Length)], batchSize, random, indices => Pad(sequences, indices, padding), Hash);

        string Hash()
        {
            var hash = new Fingerprint();
            hash.Add<int>([padding]);
            foreach (var sequence in sequences)
            {
                hash.Add<int>(sequence);
            }

            return hash.ToString();
        }
    }

    /// <summary>
    /// As <see cref="Bucket(IReadOnlyList{int[]}, int, int, RandomSource)"/>, of sequences that are loaded when their batch is made, for data larger than memory; <see cref="BatchSource{TBatch}.Prefetch"/> loads them beside
    /// the training.
    /// </summary>
    /// <param name="lengths">The length of each sequence.</param>
    /// <param name="load">Gives a sequence by its index, from a file for example; the same each time.</param>
    /// <param name="batchSize">The most rows a batch may have.</param>
    /// <param name="padding">What stands past the end of each row.</param>
    /// <param name="random">Where the order of the batches and of equally long sequences comes from; null for shortest first, always the same.</param>
    /// <param name="identity">What tells these data from others of the same lengths when a training is resumed, such as the name and time of their file.</param>
    /// <returns>The batches. Making one throws an <see cref="InvalidDataException"/> where a sequence has another length than was said.</returns>
    /// <exception cref="ArgumentException">The batch size is not positive, or a length is negative.</exception>
    public static BatchSource<SequenceBatch> Bucket(
        IReadOnlyList<int> lengths, Func<int, int[]> load, int batchSize, int padding = 0, RandomSource? random = null, string identity = "")
    {
        ArgumentNullException.ThrowIfNull(load);
        OptionRange.AtLeast(1, batchSize, nameof(batchSize));
        var plan = LengthBuckets.Check(lengths);
        return new BucketSource<SequenceBatch>(plan, batchSize, random, Make, () => LengthBuckets.Hash(plan, $"{identity} {padding}"));

        SequenceBatch Make(int[] indices)
        {
            var loaded = Array.ConvertAll(indices, index => LengthBuckets.CheckLoaded(load(index), static sequence => sequence.Length, plan, index));
            return new(Pad(loaded, padding)._tokens, Array.ConvertAll(indices, index => plan[index]), indices, loaded.Max(sequence => sequence.Length));
        }
    }

    /// <summary>Of values that belong to the given sequences, such as labels, those of this batch's rows in their order.</summary>
    /// <param name="values">One value for each of the given sequences.</param>
    /// <typeparam name="TValue">Any type.</typeparam>
    /// <exception cref="ArgumentException">There are too few values.</exception>
    public TValue[] Select<TValue>(IReadOnlyList<TValue> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        return LengthBuckets.Select(_indices, values);
    }

    /// <summary>Chosen rows in a chosen order, one or more.</summary>
    internal SequenceBatch Select(int[] rows)
    {
        var steps = Math.Max(Math.Min(1, Steps), rows.Max(row => _lengths[row]));
        var tokens = new int[rows.Length * steps];
        for (var i = 0; i < rows.Length; i++)
        {
            _tokens.AsSpan(rows[i] * Steps, steps).CopyTo(tokens.AsSpan(i * steps));
        }

        return new(tokens, Array.ConvertAll(rows, row => _lengths[row]), Array.ConvertAll(rows, row => _indices[row]), steps);
    }

    internal static SequenceBatch Pad(IReadOnlyList<int[]> sequences, int[] indices, int padding)
    {
        var lengths = Array.ConvertAll(indices, index => sequences[index].Length);
        var steps = lengths.Max();
        LengthBuckets.CheckSize(sequences, indices.Length, steps, 1);
        var tokens = new int[indices.Length * steps];
        for (var row = 0; row < indices.Length; row++)
        {
            var target = tokens.AsSpan(row * steps, steps);
            sequences[indices[row]].CopyTo(target);
            target[lengths[row]..].Fill(padding);
        }

        return new(tokens, lengths, indices, steps);
    }
}
