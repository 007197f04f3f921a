using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Autograd;

/// <summary>Copies out of a view of a tensor and records it: what permute, slice, select and flip have in common.</summary>
internal static class ViewOperation
{
    /// <summary>The elements of the view in a new tensor of the given shape.</summary>
    internal static Tensor<T> Apply<T>(Tensor<T> input, StridedView view, Shape shape)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var output = Tensor<T>.Uninitialized(shape);
        view.Gather(input.AsReadOnlySpan(), output.AsSpan());
        return Graph.Records(input) ? new Node<T>(input, view).Attach(output) : output;
    }

    private sealed class Node<T>(Tensor<T> input, StridedView view) : GraphNode<T>([input])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private protected override bool ReadsInputs => false;

        internal override void Backward()
        {
            var source = OutputGradient();
            var target = InputGradient(0, out var overwrite);
            var whole = source.Length == target.Length;
            if (overwrite && !whole)
            {
                target.Clear();
            }

            view.Scatter(source, target, add: !overwrite || !whole);
        }
    }
}
