using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Autograd;

public static partial class TensorOperations
{
    /// <summary>One element of each row along the last dimension, such as the score of each row's label: [N, T, V] gives [N, T].</summary>
    /// <param name="input">The tensor, of one dimension or more.</param>
    /// <param name="indices">One index for each row, in row-major order; copied.</param>
    /// <exception cref="ArgumentException">There are more or fewer indices than rows, or one is out of range.</exception>
    public static Tensor<T> Pick<T>(this Tensor<T> input, ReadOnlySpan<int> indices)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        var view = AxisView.Of(input.Shape, -1);
        if (indices.Length != view.Outer)
        {
            throw new ArgumentException($"indices: expected {view.Outer}, one for each row of the shape {input.Shape}, but got {indices.Length}.", nameof(indices));
        }

        var output = Tensor<T>.Uninitialized(WithoutAxis(input.Shape, input.Rank - 1));
        var source = input.AsReadOnlySpan();
        var target = output.AsSpan();
        for (var i = 0; i < indices.Length; i++)
        {
            if ((uint)indices[i] >= (uint)view.Size)
            {
                throw new ArgumentException($"indices: expected 0 to {view.Size - 1} for the shape {input.Shape} but got {indices[i]} at {i}.", nameof(indices));
            }

            target[i] = source[(i * view.Size) + indices[i]];
        }

        return Graph.Records(input) ? new PickNode<T>(input, view.Size, indices.ToArray()).Attach(output) : output;
    }

    private sealed class PickNode<T>(Tensor<T> input, int size, int[] indices) : GraphNode<T>([input])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private protected override bool ReadsInputs => false;

        internal override void Backward()
        {
            var source = OutputGradient();
            var target = InputGradient(0);
            for (var i = 0; i < indices.Length; i++)
            {
                target[(i * size) + indices[i]] += source[i];
            }
        }
    }
}
