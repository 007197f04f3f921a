using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

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

    private static unsafe Tensor<T> SoftmaxOf<T>(Tensor<T> input, int axis, bool logarithm)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        var view = AxisView.Of(input.Shape, axis);
        var output = Tensor<T>.Uninitialized(input.Shape);
        fixed (T* x = input.AsReadOnlySpan())
        fixed (T* y = output.AsSpan())
        {
            if (input.Length > 0 && view.Inner == 1)
            {
                SoftmaxRows(x, y, view.Outer, view.Size, logarithm);
            }
            else if (input.Length > 0)
            {
                SoftmaxColumns(x, y, view, logarithm);
            }
        }

        return Graph.Records(input) ? new SoftmaxNode<T>(input, output, view, logarithm).Attach(output) : output;
    }

    // The last dimension: rows that lie in one piece.
    private static unsafe void SoftmaxRows<T>(T* x, T* y, int rows, int size, bool logarithm)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (logarithm)
        {
            RowKernels<T>.Current.LogSoftmax(new(x, size), new(y, size), rows, size);
        }
        else
        {
            RowKernels<T>.Current.Softmax(new(x, size), new(y, size), rows, size);
        }
    }

    // Another dimension: its columns become rows and come back.
    private static unsafe void SoftmaxColumns<T>(T* x, T* y, AxisView view, bool logarithm)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (outer, size, inner) = (view.Outer, view.Size, view.Inner);
        var rented = TensorPool<T>.Rent(size * inner);
        try
        {
            fixed (T* rows = rented)
            {
                for (var i = 0; i < outer; i++)
                {
                    var at = (nint)i * size * inner;
                    BlockTranspose.Run(x + at, inner, size, inner, rows, size);
                    SoftmaxRows(rows, rows, inner, size, logarithm);
                    BlockTranspose.Run(rows, size, inner, size, y + at, inner);
                }
            }
        }
        finally
        {
            TensorPool<T>.Return(rented);
        }
    }

    private sealed unsafe class SoftmaxNode<T>(Tensor<T> input, Tensor<T> output, AxisView view, bool logarithm) : GraphNode<T>([input])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        internal override void Backward()
        {
            var gradient = InputGradient(0, out var overwrite);
            if (gradient.IsEmpty)
            {
                return;
            }

            fixed (T* y = output.AsReadOnlySpan())
            fixed (T* dy = OutputGradient())
            fixed (T* dx = gradient)
            {
                if (view.Inner == 1)
                {
                    BackwardRows(y, dy, dx, view.Outer, !overwrite);
                }
                else
                {
                    BackwardColumns(y, dy, dx, !overwrite);
                }
            }
        }

        private void BackwardRows(T* y, T* dy, T* dx, int rows, bool accumulate)
        {
            Rows<T> values = new(y, view.Size), above = new(dy, view.Size), below = new(dx, view.Size);
            if (logarithm)
            {
                RowKernels<T>.Current.LogSoftmaxBackward(values, above, below, rows, view.Size, accumulate);
            }
            else
            {
                RowKernels<T>.Current.SoftmaxBackward(values, above, below, rows, view.Size, accumulate);
            }
        }

        private void BackwardColumns(T* y, T* dy, T* dx, bool accumulate)
        {
            var length = view.Size * view.Inner;
            var rentedValues = TensorPool<T>.Rent(length);
            var rentedGradients = TensorPool<T>.Rent(length);
            try
            {
                fixed (T* values = rentedValues, gradients = rentedGradients)
                {
                    BackwardColumns(y, dy, dx, values, gradients, accumulate);
                }
            }
            finally
            {
                TensorPool<T>.Return(rentedValues);
                TensorPool<T>.Return(rentedGradients);
            }
        }

        private void BackwardColumns(T* y, T* dy, T* dx, T* values, T* gradients, bool accumulate)
        {
            var (outer, size, inner) = (view.Outer, view.Size, view.Inner);
            var length = size * inner;
            for (var i = 0; i < (length == 0 ? 0 : outer); i++)
            {
                var at = (nint)i * length;
                BlockTranspose.Run(y + at, inner, size, inner, values, size);
                BlockTranspose.Run(dy + at, inner, size, inner, gradients, size);
                BackwardRows(values, gradients, gradients, inner, accumulate: false);
                BlockTranspose.Run(gradients, size, inner, size, accumulate ? values : dx + at, inner);
                if (accumulate)
                {
                    SpanKernels<T>.Add(new(values, length), new(dx + at, length));
                }
            }
        }
    }
}
