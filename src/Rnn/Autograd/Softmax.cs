using System.Numerics;
using Rnn.Kernels;
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
        if (block != 0 && view.Inner == 1)
        {
            SoftmaxRows(x, y, view, logarithm);
        }
        else
        {
            for (var i = 0; i < (block == 0 ? 0 : view.Outer); i++)
            {
                SoftmaxSweep<T>.Forward(x.Slice(i * block, block), y.Slice(i * block, block), view.Inner, logarithm);
            }
        }

        return Graph.Records(input) ? new SoftmaxNode<T>(input, output, view, logarithm).Attach(output) : output;
    }

    // The last dimension: rows that lie in one piece.
    private static unsafe void SoftmaxRows<T>(ReadOnlySpan<T> x, Span<T> y, AxisView view, bool logarithm)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        fixed (T* source = x, target = y)
        {
            Rows<T> from = new(source, view.Size), to = new(target, view.Size);
            if (logarithm)
            {
                RowKernels<T>.Current.LogSoftmax(from, to, view.Outer, view.Size);
            }
            else
            {
                RowKernels<T>.Current.Softmax(from, to, view.Outer, view.Size);
            }
        }
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
            if (block != 0 && view.Inner == 1)
            {
                BackwardRows(y, dy, dx, !fresh);
                return;
            }

            for (var i = 0; i < (block == 0 ? 0 : view.Outer); i++)
            {
                SoftmaxSweep<T>.Backward(
                    y.Slice(i * block, block), dy.Slice(i * block, block), dx.Slice(i * block, block), view.Inner, logarithm, fresh);
            }
        }

        private unsafe void BackwardRows(ReadOnlySpan<T> y, ReadOnlySpan<T> dy, Span<T> dx, bool accumulate)
        {
            fixed (T* value = y, above = dy, below = dx)
            {
                Rows<T> values = new(value, view.Size), from = new(above, view.Size), to = new(below, view.Size);
                if (logarithm)
                {
                    RowKernels<T>.Current.LogSoftmaxBackward(values, from, to, view.Outer, view.Size, accumulate);
                }
                else
                {
                    RowKernels<T>.Current.SoftmaxBackward(values, from, to, view.Outer, view.Size, accumulate);
                }
            }
        }
    }
}
