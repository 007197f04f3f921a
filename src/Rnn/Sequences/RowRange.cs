using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>Neighbouring rows of a batch, checked, for types that cut themselves by rows.</summary>
internal readonly struct RowRange
{
    private readonly int _rows;

    /// <summary>A range of rows.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is empty or leaves the batch.</exception>
    internal RowRange(int start, int count, int rows)
    {
        if (start < 0 || count < 1 || start > rows - count)
        {
            throw new ArgumentOutOfRangeException(nameof(count), count, $"count: expected one or more rows within 0 to {rows - 1} but got {count} from row {start} on.");
        }

        (Start, Count, _rows) = (start, count, rows);
    }

    internal int Start { get; }

    internal int Count { get; }

    /// <summary>The rows of an array [N, …], row-major.</summary>
    internal TValue[] Of<TValue>(TValue[] values)
    {
        var width = values.Length / _rows;
        return values.AsSpan(Start * width, Count * width).ToArray();
    }

    /// <summary>The first steps of the rows of an array [N, T], row-major.</summary>
    internal TValue[] Of<TValue>(TValue[] values, int steps)
    {
        var width = values.Length / _rows;
        if (steps >= width)
        {
            return Of(values);
        }

        var taken = new TValue[Count * steps];
        for (var row = 0; row < Count; row++)
        {
            values.AsSpan((Start + row) * width, steps).CopyTo(taken.AsSpan(row * steps));
        }

        return taken;
    }

    /// <summary>The rows of a tensor [N, …].</summary>
    internal Tensor<T> Of<T>(Tensor<T> tensor)
        where T : unmanaged, IFloatingPointIeee754<T> => tensor.Slice(0, Start..(Start + Count));

    /// <summary>The first steps of the rows of a tensor [N, T, …].</summary>
    internal Tensor<T> Of<T>(Tensor<T> tensor, int steps)
        where T : unmanaged, IFloatingPointIeee754<T> => steps >= tensor.Shape[1] ? Of(tensor) : Of(tensor).Slice(1, ..steps);

    /// <summary>The steps of the longest of the rows; one where all are empty, so that there is something to compute.</summary>
    internal int Longest(ReadOnlySpan<int> lengths, int steps)
    {
        var longest = Math.Min(1, steps);
        foreach (var length in lengths.Slice(Start, Count))
        {
            longest = Math.Max(longest, length);
        }

        return longest;
    }
}
