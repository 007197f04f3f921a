using System.Numerics;
using Rnn.Autograd;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>The tensor repeated to a larger shape, as operators with broadcasting would see it.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="shape">The larger shape; counted from the last, its dimensions are those of the tensor where these are not 1.</param>
    /// <exception cref="ArgumentException">The tensor does not fit into the shape.</exception>
    public static Tensor<T> BroadcastTo<T>(this Tensor<T> input, params Shape shape)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        if (Broadcasting.Result(input.Shape, shape, "BroadcastTo") != shape)
        {
            throw new ArgumentException($"shape: {input.Shape} cannot be repeated to the smaller shape {shape}.", nameof(shape));
        }

        if (input.Shape == shape)
        {
            return input;
        }

        var output = Tensor<T>.Uninitialized(shape);
        Reduction.Spread(input.AsReadOnlySpan(), output.AsSpan(), input.Shape, shape, T.One, overwrite: true);
        return Graph.Records(input) ? new BroadcastNode<T>(input, shape).Attach(output) : output;
    }

    private sealed class BroadcastNode<T>(Tensor<T> input, Shape shape) : GraphNode<T>([input])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private protected override bool ReadsInputs => false;

        internal override void Backward() => Reduction.AddSums(OutputGradient(), InputGradient(0), shape, Inputs[0]!.Shape);
    }
}
