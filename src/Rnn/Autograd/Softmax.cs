using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Autograd;

public static partial class TensorOperations
{
    /// <summary>eˣ over the sum of eˣ along a dimension: probabilities from scores. Safe for large scores.</summary>
    /// <param name="input">The scores.</param>
    /// <param name="axis">The dimension whose elements sum to 1; negative ones count from the last.</param>
    public static Tensor<T> Softmax<T>(this Tensor<T> input, int axis = -1)
        where T : unmanaged, IFloatingPointIeee754<T> => SoftmaxOf(input, axis, logarithm: false);

    /// <summary>The logarithm of <see cref="Softmax{T}"/>, exact where that is too small to tell from zero.</summary>
    /// <param name="input">The scores.</param>
    /// <param name="axis">The dimension; negative ones count from the last.</param>
    public static Tensor<T> LogSoftmax<T>(this Tensor<T> input, int axis = -1)
        where T : unmanaged, IFloatingPointIeee754<T> => SoftmaxOf(input, axis, logarithm: true);

    private static Tensor<T> SoftmaxOf<T>(Tensor<T> input, int axis, bool logarithm)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        var view = AxisView.Of(input.Shape, axis);
        var output = Tensor<T>.Uninitialized(input.Shape);
        var x = input.AsReadOnlySpan();
        var y = output.AsSpan();
        var block = view.Size * view.Inner;
        for (var i = 0; i < (block == 0 ? 0 : view.Outer); i++)
        {
            SoftmaxSweep<T>.Forward(x.Slice(i * block, block), y.Slice(i * block, block), view.Inner, logarithm);
        }

        return Graph.Records(input) ? new SoftmaxNode<T>(input, output, view, logarithm).Attach(output) : output;
    }

    private sealed class SoftmaxNode<T>(Tensor<T> input, Tensor<T> output, AxisView view, bool logarithm) : GraphNode<T>([input])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        internal override void Backward()
        {
            var y = output.AsReadOnlySpan();
            var dy = OutputGradient();
            var dx = InputGradient(0, out var fresh);
            var block = view.Size * view.Inner;
            for (var i = 0; i < (block == 0 ? 0 : view.Outer); i++)
            {
                SoftmaxSweep<T>.Backward(
                    y.Slice(i * block, block), dy.Slice(i * block, block), dx.Slice(i * block, block), view.Inner, logarithm, fresh);
            }
        }
    }
}
