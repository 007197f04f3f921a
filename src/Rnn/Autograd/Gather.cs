using System.Numerics;
using Rnn.Autograd;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>
    /// One element along a dimension for every place in the others, such as the score of each row's label: [N, T, V] gives [N, T]. What
    /// PyTorch writes as <c>gather(axis, indices.unsqueeze(axis)).squeeze(axis)</c>; for the same indices everywhere see <c>IndexSelect</c>.
    /// </summary>
    /// <param name="input">The tensor, of one dimension or more.</param>
    /// <param name="indices">The indices, row-major in the shape without the dimension, as <c>ArgMax</c> gives them; copied.</param>
    /// <param name="axis">The dimension; negative ones count from the last.</param>
    /// <param name="keepDimensions">Whether the axis stays as a dimension of one element.</param>
    /// <exception cref="ArgumentException">There are more or fewer indices than places, or one is out of range.</exception>
    public static Tensor<T> Gather<T>(this Tensor<T> input, ReadOnlySpan<int> indices, int axis = -1, bool keepDimensions = false)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        var axes = AxisSet.Of(input, [axis]);
        var view = AxisView.Of(input.Shape, axis);
        if (indices.Length != view.Outer * view.Inner)
        {
            throw new ArgumentException(
                $"indices: expected {view.Outer * view.Inner}, one for each place of the shape {input.Shape} without dimension {axis}, but got {indices.Length}.", nameof(indices));
        }

        for (var i = 0; i < indices.Length; i++)
        {
            if ((uint)indices[i] >= (uint)view.Size)
            {
                throw new ArgumentException($"indices: expected 0 to {view.Size - 1} for the shape {input.Shape} but got {indices[i]} at {i}.", nameof(indices));
            }
        }

        return GatherAlong(input, view, indices.ToArray(), 1, axes.Reduce(input.Shape, keepDimensions));
    }

    // One element for each index, which counts along the axis: indices and result are [outer, count, inner].
    private static Tensor<T> GatherAlong<T>(Tensor<T> input, AxisView view, int[] indices, int count, Shape shape)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var output = Tensor<T>.Uninitialized(shape);
        var source = input.AsReadOnlySpan();
        var target = output.AsSpan();
        for (var i = 0; i < indices.Length; i++)
        {
            target[i] = source[view.Place(i, count, indices[i])];
        }

        return Graph.Records(input) ? new GatherNode<T>(input, view, indices, count).Attach(output) : output;
    }

    private sealed class GatherNode<T>(Tensor<T> input, AxisView view, int[] indices, int count) : GraphNode<T>([input])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private protected override bool ReadsInputs => false;

        internal override void Backward()
        {
            var source = OutputGradient();
            var target = InputGradient(0);
            for (var i = 0; i < indices.Length; i++)
            {
                target[view.Place(i, count, indices[i])] += source[i];
            }
        }
    }
}
