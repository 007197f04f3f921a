using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>Plans batches of sequences of about equal length.</summary>
public static class LengthBuckets
{
    /// <summary>
    /// Sorts sequences by length and cuts them into batches. Every sequence is in exactly one batch; all batches are full but one, the one
    /// of the longest.
    /// </summary>
    /// <param name="lengths">The length of each sequence.</param>
    /// <param name="batchSize">The most sequences in a batch.</param>
    /// <param name="random">
    /// Where the order of equally long sequences and of the batches comes from; null for shortest first and equally long ones as given.
    /// </param>
    /// <returns>The indices of each batch's sequences.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The batch size is not positive.</exception>
    public static IReadOnlyList<int[]> Plan(ReadOnlySpan<int> lengths, int batchSize, RandomSource? random = null)
    {
        OptionRange.AtLeast(1, batchSize, nameof(batchSize));

        // The second half of a key makes the order of equal lengths definite: the position given, or a random one.
        var order = new int[lengths.Length];
        var ranks = random?.Permutation(lengths.Length);
        var keys = new long[lengths.Length];
        for (var i = 0; i < keys.Length; i++)
        {
            order[i] = i;
            keys[i] = ((long)lengths[i] << 32) | (uint)(ranks?[i] ?? i);
        }

        Array.Sort(keys, order);
        var batches = order.Chunk(batchSize).ToArray();
        random?.Shuffle(batches.AsSpan());
        return batches;
    }

    /// <summary>Throws if a batch is larger than an array can be.</summary>
    /// <exception cref="ArgumentException">It is too large; the message has the sizes.</exception>
    internal static void CheckSize<TSequence>(IReadOnlyList<TSequence> sequences, int rows, int steps, int size)
    {
        var numbers = (UInt128)(uint)rows * (uint)steps * (uint)size;
        if (numbers > (uint)Array.MaxLength)
        {
            throw new ArgumentException(
                $"sequences: {rows} rows padded to {steps} steps{(size == 1 ? string.Empty : $" of {size} features")} are {numbers} numbers, more than an array can hold "
                + $"({Array.MaxLength}); make smaller batches, of sequences of about equal length (Bucket), or cut long sequences.",
                nameof(sequences));
        }
    }

    /// <summary>A copy of lengths that are zero or more.</summary>
    internal static int[] Check(IReadOnlyList<int> lengths)
    {
        ArgumentNullException.ThrowIfNull(lengths);
        for (var i = 0; i < lengths.Count; i++)
        {
            if (lengths[i] < 0)
            {
                throw new ArgumentException($"lengths: expected 0 or more but sequence {i} has {lengths[i]}.", nameof(lengths));
            }
        }

        return [.. lengths];
    }

    /// <summary>A loaded sequence of the length that it should have.</summary>
    internal static TSequence CheckLoaded<TSequence>(TSequence? sequence, Func<TSequence, int> length, int[] lengths, int index)
        where TSequence : class
    {
        if (sequence is null)
        {
            throw new InvalidDataException($"load: sequence {index} was loaded as null; give it, an empty one where it has no steps.");
        }

        return length(sequence) == lengths[index] ? sequence : throw new InvalidDataException(
            $"load: expected {lengths[index]} steps of sequence {index}, as the lengths say, but {length(sequence)} were loaded.");
    }

    /// <summary>Identifies sequences that are not in memory.</summary>
    internal static string Hash(int[] lengths, string identity)
    {
        var hash = new Fingerprint();
        hash.Add<int>(lengths);
        hash.Add<char>(identity);
        return hash.ToString();
    }

    internal static TValue[] Select<TValue>(int[] indices, IReadOnlyList<TValue> values) => Array.ConvertAll(indices, index => index < values.Count
        ? values[index]
        : throw new ArgumentException($"values: expected one for each sequence, but there are {values.Count} and sequence {index} is in the batch.", nameof(values)));
}
