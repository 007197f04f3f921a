namespace Rnn.Sequences;

/// <summary>
/// The edit distance (Levenshtein 1966): how many insertions, deletions and substitutions turn one sequence into another. Divided by the length of what is right it is the word error rate
/// of words, the character error rate of characters.
/// </summary>
public static class EditDistance
{
    /// <summary>The least number of insertions, deletions and substitutions that turn one sequence into the other.</summary>
    /// <param name="first">A sequence, such as tokens or characters.</param>
    /// <param name="second">Another one.</param>
    /// <typeparam name="TItem">The type of an element.</typeparam>
    public static int Between<TItem>(ReadOnlySpan<TItem> first, ReadOnlySpan<TItem> second)
        where TItem : IEquatable<TItem>
    {
        // costs[j]: the distance of what has been read of the first sequence to the first j elements of the second.
        var costs = new int[second.Length + 1];
        for (var j = 0; j < costs.Length; j++)
        {
            costs[j] = j;
        }

        for (var i = 0; i < first.Length; i++)
        {
            var diagonal = costs[0];
            costs[0] = i + 1;
            for (var j = 0; j < second.Length; j++)
            {
                var replaced = diagonal + (first[i].Equals(second[j]) ? 0 : 1);
                diagonal = costs[j + 1];
                costs[j + 1] = Math.Min(replaced, Math.Min(diagonal, costs[j]) + 1);
            }
        }

        return costs[^1];
    }

    /// <summary>The edit distance of two texts, counted in UTF-16 code units.</summary>
    /// <param name="first">A text.</param>
    /// <param name="second">Another one.</param>
    public static int Between(string first, string second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        return Between<char>(first, second);
    }

    /// <summary>The error rate of many sequences: the sum of all edit distances, divided by the number of elements that are right. May be above 1.</summary>
    /// <param name="expected">The right sequences.</param>
    /// <param name="predicted">The predicted ones, as many.</param>
    /// <typeparam name="TItem">The type of an element: words for the word error rate, characters for the character error rate.</typeparam>
    /// <exception cref="ArgumentException">Their numbers differ, or the right sequences have no elements.</exception>
    public static double ErrorRate<TItem>(IReadOnlyList<TItem[]> expected, IReadOnlyList<TItem[]> predicted)
        where TItem : IEquatable<TItem>
    {
        ArgumentNullException.ThrowIfNull(expected);
        ArgumentNullException.ThrowIfNull(predicted);
        if (expected.Count != predicted.Count)
        {
            throw new ArgumentException($"predicted: expected {expected.Count} sequences, one for each right one, but got {predicted.Count}.", nameof(predicted));
        }

        var (errors, length) = (0L, 0L);
        for (var i = 0; i < expected.Count; i++)
        {
            errors += Between<TItem>(expected[i], predicted[i]);
            length += expected[i].Length;
        }

        return length > 0 ? (double)errors / length : throw new ArgumentException("expected: the right sequences have no elements; an error rate divides by their number.", nameof(expected));
    }
}
