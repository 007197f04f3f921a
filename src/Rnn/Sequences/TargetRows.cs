namespace Rnn.Sequences;

/// <summary>What a decoder reads and is to predict for some sequences side by side: padded to [N, U], where U is the longest sequence and its end.</summary>
internal readonly struct TargetRows
{
    private TargetRows(int[] inputs, int[] targets, int[] lengths, int steps) => (Inputs, Targets, Lengths, Steps) = (inputs, targets, lengths, steps);

    /// <summary>A begin token, then the sequence; past its end the begin token again.</summary>
    internal int[] Inputs { get; }

    /// <summary>The sequence, then an end token; past it <see cref="SequencePairBatch.Ignored"/>.</summary>
    internal int[] Targets { get; }

    /// <summary>The length of each sequence and one more.</summary>
    internal int[] Lengths { get; }

    /// <summary>U.</summary>
    internal int Steps { get; }

    /// <summary>Some of the rows, as many steps as the longest of them has.</summary>
    internal TargetRows Take(RowRange rows)
    {
        var steps = rows.Longest(Lengths, Steps);
        return new(rows.Of(Inputs, steps), rows.Of(Targets, steps), rows.Of(Lengths), steps);
    }

    internal static TargetRows Pad(IReadOnlyList<int[]> sequences, int[] indices, int begin, int end)
    {
        var lengths = Array.ConvertAll(indices, index => sequences[index].Length + 1);
        var steps = lengths.Max();
        LengthBuckets.CheckSize(sequences, indices.Length, steps, 1);
        var (inputs, targets) = (new int[indices.Length * steps], new int[indices.Length * steps]);
        Array.Fill(inputs, begin);
        Array.Fill(targets, SequencePairBatch.Ignored);
        for (var row = 0; row < indices.Length; row++)
        {
            var sequence = sequences[indices[row]];
            sequence.CopyTo(inputs.AsSpan((row * steps) + 1));
            sequence.CopyTo(targets.AsSpan(row * steps));
            targets[(row * steps) + sequence.Length] = end;
        }

        return new(inputs, targets, lengths, steps);
    }
}
