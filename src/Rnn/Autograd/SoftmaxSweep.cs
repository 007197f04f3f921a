using System.Numerics;
using Rnn.Tensors;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Rnn.Autograd;

/// <summary>
/// Softmax and its logarithm over the rows of one block [size, inner], each column for itself; one row where inner is 1. What it
/// needs besides is one row from the pool.
/// </summary>
internal static class SoftmaxSweep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal static void Forward(ReadOnlySpan<T> x, Span<T> y, int inner, bool logarithm)
    {
        if (inner == 1)
        {
            ForwardRow(x, y, logarithm);
            return;
        }

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
            TensorPrimitives.Add(sums, largest, sums);
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
                TensorPrimitives.Subtract(x.Slice(i * inner, inner), sums, row);
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
        if (inner == 1)
        {
            sums[0] = logarithm ? TensorPrimitives.Sum(dy) : TensorPrimitives.Dot(dy, y);
            BackwardRow(y, dy, dx, sums[0], logarithm, fresh);
            TensorPool<T>.Return(rented);
            return;
        }

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

    private static void ForwardRow(ReadOnlySpan<T> x, Span<T> y, bool logarithm)
    {
        var largest = TensorPrimitives.Max(x);
        TensorPrimitives.Subtract(x, largest, y);
        if (logarithm)
        {
            // e^y goes nowhere: it is summed in pieces that fit the stack.
            Span<T> piece = stackalloc T[256];
            var sum = T.Zero;
            for (var i = 0; i < y.Length; i += piece.Length)
            {
                var part = y.Slice(i, Math.Min(piece.Length, y.Length - i));
                TensorPrimitives.Exp(part, piece);
                sum += TensorPrimitives.Sum<T>(piece[..part.Length]);
            }

            TensorPrimitives.Subtract(y, T.Log(sum), y);
            return;
        }

        TensorPrimitives.Exp(y, y);
        TensorPrimitives.Multiply(y, T.One / TensorPrimitives.Sum<T>(y), y);
    }

    private static void BackwardRow(ReadOnlySpan<T> y, ReadOnlySpan<T> dy, Span<T> dx, T sum, bool logarithm, bool fresh)
    {
        Span<T> piece = stackalloc T[256];
        for (var i = 0; i < y.Length; i += piece.Length)
        {
            var count = Math.Min(piece.Length, y.Length - i);
            var part = piece[..count];
            var value = y.Slice(i, count);
            var gradient = dy.Slice(i, count);
            if (logarithm)
            {
                TensorPrimitives.Exp(value, part);
                TensorPrimitives.Multiply(part, -sum, part);
                TensorPrimitives.Add(part, gradient, part);
            }
            else
            {
                TensorPrimitives.Subtract(gradient, sum, part);
                TensorPrimitives.Multiply(part, value, part);
            }

            var target = dx.Slice(i, count);
            if (fresh)
            {
                part.CopyTo(target);
            }
            else
            {
                TensorPrimitives.Add(target, part, target);
            }
        }
    }
}
