namespace Rnn.Sequences;

/// <summary>Finds or sorts the tokens of the largest weights, in place; of equal weights the lower token comes first.</summary>
internal static class TopK
{
    /// <summary>Brings the <paramref name="count"/> tokens of the largest weights to the front, in ascending order of the tokens.</summary>
    internal static void Select(Span<double> weights, Span<int> tokens, int count)
    {
        // Quickselect: everything before low belongs to the front, everything from high on does not.
        var low = 0;
        var high = weights.Length;
        while (high - low > 1)
        {
            var middle = Partition(weights[low..high], tokens[low..high]) + low;
            if (middle == count)
            {
                break;
            }

            if (middle < count)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        tokens[..count].Sort(weights[..count]);
    }

    /// <summary>Sorts all by descending weight.</summary>
    internal static void SortDescending(Span<double> weights, Span<int> tokens)
    {
        // Sorted upwards and turned around: a comparison of one's own would allocate.
        weights.Sort(tokens);
        weights.Reverse();
        tokens.Reverse();

        // The sort is not stable: put equal weights into the order of their tokens.
        for (var start = 0; start < weights.Length;)
        {
            var end = start + 1;
            while (end < weights.Length && weights[end] == weights[start])
            {
                end++;
            }

            tokens[start..end].Sort();
            start = end;
        }
    }

    // Splits around a pivot and returns its place: larger weights before it, the others behind.
    private static int Partition(Span<double> weights, Span<int> tokens)
    {
        var last = weights.Length - 1;
        Swap(weights, tokens, MedianOfThree(weights, tokens), last);
        var (pivotWeight, pivotToken) = (weights[last], tokens[last]);
        var place = 0;
        for (var i = 0; i < last; i++)
        {
            if (weights[i] > pivotWeight || (weights[i] == pivotWeight && tokens[i] < pivotToken))
            {
                Swap(weights, tokens, i, place++);
            }
        }

        Swap(weights, tokens, place, last);
        return place;
    }

    private static int MedianOfThree(Span<double> weights, Span<int> tokens)
    {
        var (a, b, c) = (0, weights.Length / 2, weights.Length - 1);
        if (Before(weights, tokens, b, a))
        {
            (a, b) = (b, a);
        }

        return Before(weights, tokens, c, a) ? a : Before(weights, tokens, c, b) ? c : b;
    }

    private static bool Before(Span<double> weights, Span<int> tokens, int a, int b) =>
        weights[a] > weights[b] || (weights[a] == weights[b] && tokens[a] < tokens[b]);

    private static void Swap(Span<double> weights, Span<int> tokens, int a, int b)
    {
        (weights[a], weights[b]) = (weights[b], weights[a]);
        (tokens[a], tokens[b]) = (tokens[b], tokens[a]);
    }
}
