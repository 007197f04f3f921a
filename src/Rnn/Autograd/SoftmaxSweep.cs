using System.Numerics;
using Rnn.Tensors;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Rnn.Autograd;

/// <summary>
/// Softmax and its logarithm down the columns of one block [size, inner], each column for itself. What it needs besides are two rows
/// from the pool.
/// </summary>
internal static class SoftmaxSweep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal static void Forward(ReadOnlySpan<T> x, Span<T> y, int inner, bool logarithm)
    {
        var size = x.Length / inner;
        var rented = TensorPool<T>.Rent(2 * inner);
        var largest = rented.AsSpan(0, inner);
        var sums = rented.AsSpan(inner, inner);
        x[..inner].CopyTo(largest);
        for (var i = 1; i < size; i++)
        {
            TensorPrimitives.Max(largest, x.Slice(i * inner, inner), largest);
        }

        sums.Clear();
        for (var i = 0; i < size; i++)
        {
            var row = y.Slice(i * inner, inner);
            TensorPrimitives.Subtract(x.Slice(i * inner, inner), largest, row);
            TensorPrimitives.Exp(row, row);
            TensorPrimitives.Add(sums, row, sums);
        }

        if (logarithm)
        {
            TensorPrimitives.Log(sums, sums);
        }
        else
        {
            TensorPrimitives.Divide(T.One, sums, sums);
        }

        for (var i = 0; i < size; i++)
        {
            var row = y.Slice(i * inner, inner);
            if (logarithm)
            {
                // The largest first: log Σ is small beside it and would be rounded away with it.
                TensorPrimitives.Subtract(x.Slice(i * inner, inner), largest, row);
                TensorPrimitives.Subtract(row, sums, row);
            }
            else
            {
                TensorPrimitives.Multiply(row, sums, row);
            }
        }

        TensorPool<T>.Return(rented);
    }

    /// <summary>dx (+)= y ⊙ (dy − Σ dy⊙y), or dy − e^y·Σ dy for the logarithm.</summary>
    internal static void Backward(ReadOnlySpan<T> y, ReadOnlySpan<T> dy, Span<T> dx, int inner, bool logarithm, bool fresh)
    {
        var size = y.Length / inner;
        var rented = TensorPool<T>.Rent(2 * inner);
        var sums = rented.AsSpan(0, inner);
        var row = rented.AsSpan(inner, inner);
        sums.Clear();
        for (var i = 0; i < size; i++)
        {
            var gradient = dy.Slice(i * inner, inner);
            if (logarithm)
            {
                TensorPrimitives.Add(sums, gradient, sums);
            }
            else
            {
                TensorPrimitives.MultiplyAdd(gradient, y.Slice(i * inner, inner), sums, sums);
            }
        }

        for (var i = 0; i < size; i++)
        {
            var value = y.Slice(i * inner, inner);
            var gradient = dy.Slice(i * inner, inner);
            var target = dx.Slice(i * inner, inner);
            if (logarithm)
            {
                TensorPrimitives.Exp(value, row);
                TensorPrimitives.Multiply(row, sums, row);
                TensorPrimitives.Subtract(gradient, row, row);
            }
            else
            {
                TensorPrimitives.Subtract(gradient, sums, row);
                TensorPrimitives.Multiply(row, value, row);
            }

            if (fresh)
            {
                row.CopyTo(target);
            }
            else
            {
                TensorPrimitives.Add(target, row, target);
            }
        }

        TensorPool<T>.Return(rented);
    }
}
