using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>Sequences of the adding problem with the number that is to be said after each.</summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class AddingBatch<T> : IRowBatch<AddingBatch<T>>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly int[] _lengths;

    internal AddingBatch(Tensor<T> input, int[] lengths, Tensor<T> targets) => (Input, _lengths, Targets) = (input, lengths, targets);

    /// <summary>The number of rows N.</summary>
    public int Rows => _lengths.Length;

    /// <summary>[N, T, 2]: at each step a number and its mark; zeros past the end of each row.</summary>
    public Tensor<T> Input { get; }

    /// <summary>The length of each row, up to T.</summary>
    public ReadOnlySpan<int> Lengths => _lengths;

    /// <summary>[N, 1]: the sum of the two marked numbers, or of <see cref="AddingForm.Original"/> ½ and a quarter of it.</summary>
    public Tensor<T> Targets { get; }

    /// <inheritdoc/>
    public AddingBatch<T> TakeRows(int start, int count)
    {
        var rows = new RowRange(start, count, Rows);
        return new(rows.Of(Input, rows.Longest(_lengths, Input.Shape[1])), rows.Of(_lengths), rows.Of(Targets));
    }
}

/// <summary>The forms of the adding problem.</summary>
public enum AddingForm
{
    /// <summary>Numbers from 0 to 1, two different steps marked by 1 wherever they stand (Bai, Kolter and Koltun 2018, arXiv:1803.01271).</summary>
    Anywhere,

    /// <summary>The same with one mark in each half (Arjovsky, Shah and Bengio 2016, arXiv:1511.06464).</summary>
    TwoHalves,

    /// <summary>
    /// Numbers from −1 to 1, T to 11/10 T steps, one mark in the first ten and another in the first T/2 − 1; the ends are marked by −1, and a marked number at the first step counts as 0. The target is ½ + (x₁ + x₂)/4, and an
    /// answer is taken as right if it is off by less than 0.04 (Hochreiter and Schmidhuber 1997, experiment 4).
    /// </summary>
    Original,
}
