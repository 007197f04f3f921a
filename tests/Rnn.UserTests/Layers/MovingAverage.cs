using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.UserTests.Layers;

/// <summary>A sequence layer as a user writes one: a causal moving average with a learned kernel, y[t] = Σ w[k]⊙x[t − k] over the last K steps.</summary>
public sealed class MovingAverage<T> : SequenceLayer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public MovingAverage(int features, int width)
    {
        InputSize = features;
        Width = width;
        Kernel = AddParameter("kernel", Tensor<T>.Full(T.One / T.CreateChecked(width), width, features));
    }

    public int Width { get; }

    public Parameter<T> Kernel { get; }

    public override int InputSize { get; }

    public override int OutputSize => InputSize;

    protected override string? FileType => "moving-average";

    // The inputs of the K − 1 steps before, oldest first.
    public override SequenceState<T> ZeroState(int rows) => new(rows, ("window", Tensor<T>.Zeros(rows, Width - 1, InputSize)));

    public override SequenceLayerOutput<T> Forward(Tensor<T> input, ReadOnlySpan<int> lengths, SequenceState<T>? initialState = null)
    {
        var state = CheckBatch(input, lengths, initialState);
        var (rows, steps) = (input.Shape[0], input.Shape[1]);
        var valid = new T[rows * steps];
        for (var row = 0; row < rows; row++)
        {
            valid.AsSpan(row * steps, lengths.IsEmpty ? steps : lengths[row]).Fill(T.One);
        }

        // Where the mask is zero the input may be anything, not a number too.
        var mask = Tensor<T>.From(valid, rows, steps, 1);
        var all = Tensor<T>.Concat([state["window"], Tensor<T>.Where(mask, input, Tensor<T>.Zeros(1))], axis: 1);
        var output = Tensor<T>.Zeros(rows, steps, InputSize);
        for (var k = 0; k < Width; k++)
        {
            output += all.Slice(1, (Width - 1 - k)..(Width - 1 - k + steps)) * Kernel.Value.Select(0, k);
        }

        // The window that follows ends with each row's last valid step.
        var places = new int[rows * (Width - 1)];
        for (var i = 0; i < places.Length; i++)
        {
            var (row, k) = (i / (Width - 1), i % (Width - 1));
            places[i] = (row * (steps + Width - 1)) + (lengths.IsEmpty ? steps : lengths[row]) + k;
        }

        var window = all.Reshape(rows * (steps + Width - 1), InputSize).IndexSelect(0, places).Reshape(rows, Width - 1, InputSize);
        return new(output * mask, new(rows, ("window", window)), lengths);
    }

    protected override void Describe(DescriptionWriter writer)
    {
        writer.Write("features", InputSize);
        writer.Write("width", Width);
    }
}
