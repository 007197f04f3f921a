using System.Numerics;
using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>Sequences of feature vectors of different lengths side by side: padded with zeros to [N, T, I], with the length of each row.</summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class FeatureBatch<T> : IRowBatch<FeatureBatch<T>>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly int[] _lengths;
    private readonly int[] _indices;

    private FeatureBatch(Tensor<T> input, int[] lengths, int[] indices)
    {
        Input = input;
        _lengths = lengths;
        _indices = indices;
    }

    /// <summary>The number of rows N.</summary>
    public int Rows => _lengths.Length;

    /// <summary>The features [N, T, I]; zeros past the end of each row.</summary>
    public Tensor<T> Input { get; }

    /// <summary>The length of each row, from 0 to T.</summary>
    public ReadOnlySpan<int> Lengths => _lengths;

    /// <summary>Which of the given sequences each row holds.</summary>
    public ReadOnlySpan<int> Indices => _indices;

    /// <inheritdoc/>
    public FeatureBatch<T> TakeRows(int start, int count)
    {
        var rows = new RowRange(start, count, Rows);
        return new(rows.Of(Input, rows.Longest(_lengths, Input.Shape[1])), rows.Of(_lengths), rows.Of(_indices));
    }

    /// <summary>Puts sequences side by side in the order given.</summary>
    /// <param name="sequences">Sequences [steps, I] of equal I; no steps are allowed.</param>
    /// <exception cref="ArgumentException">There are no sequences, one is not [steps, I], or the batch is more than an array can hold.</exception>
    public static FeatureBatch<T> Pad(IReadOnlyList<Tensor<T>> sequences)
    {
        ArgumentNullException.ThrowIfNull(sequences);
        if (sequences.Count == 0)
        {
            throw new ArgumentException("sequences: expected at least one sequence but got none.", nameof(sequences));
        }

        CheckShapes(sequences);
        return Pad(sequences, [.. Enumerable.Range(0, sequences.Count)]);
    }

    /// <summary>Cuts sequences into batches of about equal length each, so that little padding is needed; see <see cref="LengthBuckets"/>.</summary>
    /// <param name="sequences">Sequences [steps, I] of equal I.</param>
    /// <param name="batchSize">The most rows a batch may have.</param>
    /// <param name="random">Where the order of the batches and of equally long sequences comes from; null for shortest first, always the same.</param>
    /// <returns>The batches; with a random source each pass has another order.</returns>
    /// <exception cref="ArgumentException">The batch size is not positive, a sequence is not [steps, I], or a batch is more than an array can hold.</exception>
    public static BatchSource<FeatureBatch<T>> Bucket(IReadOnlyList<Tensor<T>> sequences, int batchSize, RandomSource? random = null)
    {
        ArgumentNullException.ThrowIfNull(sequences);
        CheckShapes(sequences);
        OptionRange.AtLeast(1, batchSize, nameof(batchSize));
        return new BucketSource<FeatureBatch<T>>([.. sequences.Select(sequence => sequence.Shape[0])], batchSize, random, indices => Pad(sequences, indices), Hash);

        string Hash()
        {
            var hash = new Fingerprint();
            foreach (var sequence in sequences)
            {
                hash.Add(sequence.AsReadOnlySpan());
            }

            return hash.ToString();
        }
    }

    /// <summary>
    /// As <see cref="Bucket(IReadOnlyList{Tensor{T}}, int, RandomSource)"/>, of sequences that are loaded when their batch is made, for data larger than memory; <see cref="BatchSource{TBatch}.Prefetch"/> loads them beside
    /// the training.
    /// </summary>
    /// <param name="lengths">The length of each sequence.</param>
    /// <param name="load">Gives a sequence [steps, I] by its index, from a file for example; the same each time.</param>
    /// <param name="batchSize">The most rows a batch may have.</param>
    /// <param name="random">Where the order of the batches and of equally long sequences comes from; null for shortest first, always the same.</param>
    /// <param name="identity">What tells these data from others of the same lengths when a training is resumed, such as the name and time of their file.</param>
    /// <returns>The batches. Making one throws an <see cref="InvalidDataException"/> where a sequence has another length than was said.</returns>
    /// <exception cref="ArgumentException">The batch size is not positive, or a length is negative.</exception>
    public static BatchSource<FeatureBatch<T>> Bucket(IReadOnlyList<int> lengths, Func<int, Tensor<T>> load, int batchSize, RandomSource? random = null, string identity = "")
    {
        ArgumentNullException.ThrowIfNull(load);
        OptionRange.AtLeast(1, batchSize, nameof(batchSize));
        var plan = LengthBuckets.Check(lengths);
        return new BucketSource<FeatureBatch<T>>(plan, batchSize, random, Make, () => LengthBuckets.Hash(plan, identity));

        FeatureBatch<T> Make(int[] indices)
        {
            var loaded = Array.ConvertAll(indices, index => LengthBuckets.CheckLoaded(load(index), static sequence => sequence.Rank > 0 ? sequence.Shape[0] : -1, plan, index));
            return new(Pad(loaded).Input, Array.ConvertAll(indices, index => plan[index]), indices);
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

    private static FeatureBatch<T> Pad(IReadOnlyList<Tensor<T>> sequences, int[] indices)
    {
        var lengths = Array.ConvertAll(indices, index => sequences[index].Shape[0]);
        var (steps, size) = (lengths.Max(), sequences[0].Shape[1]);
        LengthBuckets.CheckSize(sequences, indices.Length, steps, size);
        var input = Tensor<T>.Zeros(indices.Length, steps, size);
        var target = input.AsSpan();
        for (var row = 0; row < indices.Length; row++)
        {
            sequences[indices[row]].CopyTo(target[(row * steps * size)..]);
        }

        return new(input, lengths, indices);
    }

    private static void CheckShapes(IReadOnlyList<Tensor<T>> sequences)
    {
        for (var i = 0; i < sequences.Count; i++)
        {
            var shape = sequences[i].Shape;
            if (shape.Rank != 2 || shape[1] != sequences[0].Shape[^1])
            {
                throw new ArgumentException(
                    $"sequences: expected [steps, {sequences[0].Shape[^1]}] but sequence {i} is {shape}; all must have the same number of features.", nameof(sequences));
            }
        }
    }
}
