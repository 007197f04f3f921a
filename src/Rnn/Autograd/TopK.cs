using System.Numerics;
using Rnn.Autograd;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>
    /// The largest (or smallest) elements along a dimension and their indices, best first. Of equal ones the earlier comes first; NaN comes
    /// before all numbers, as for <c>Max</c> and <c>Min</c>.
    /// </summary>
    /// <param name="input">The tensor.</param>
    /// <param name="count">How many of them, from 0 to the size of the dimension.</param>
    /// <param name="axis">The dimension; negative ones count from the last.</param>
    /// <param name="largest">Whether to take the largest; else the smallest.</param>
    /// <returns>The elements, with <paramref name="count"/> in place of the dimension, and for each, row-major in the same shape, its index in the dimension.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The dimension has fewer elements, or there is no such dimension.</exception>
    public static (Tensor<T> Values, int[] Indices) TopK<T>(this Tensor<T> input, int count, int axis = -1, bool largest = true)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        axis = input.Shape.Axis(axis, nameof(axis));
        var view = AxisView.Of(input.Shape, axis);
        if (count < 0 || count > view.Size)
        {
            throw new ArgumentOutOfRangeException(
                nameof(count), count, $"count: expected 0 to {view.Size}, the size of dimension {axis} of the shape {input.Shape}, but got {count}.");
        }

        var indices = new int[view.Outer * count * view.Inner];
        var (row, best) = (new T[view.Size], new int[count]);
        var source = input.AsReadOnlySpan();
        for (var i = 0; i < (count == 0 ? 0 : view.Outer * view.Inner); i++)
        {
            var (outer, inner) = Math.DivRem(i, view.Inner);
            for (var j = 0; j < row.Length; j++)
            {
                row[j] = source[(((outer * view.Size) + j) * view.Inner) + inner];
            }

            new Selection<T>(row, best, largest).Run();
            for (var j = 0; j < count; j++)
            {
                indices[(((outer * count) + j) * view.Inner) + inner] = best[j];
            }
        }

        Shape shape = [.. input.Shape.Dimensions[..axis], count, .. input.Shape.Dimensions[(axis + 1)..]];
        return (GatherAlong(input, view, [.. indices], count, shape), indices);
    }

    /// <summary>Finds the best elements of a row: a heap holds those found so far, the worst of them on top.</summary>
    private readonly ref struct Selection<T>(ReadOnlySpan<T> row, Span<int> best, bool largest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _row = row;
        private readonly Span<int> _best = best;

        internal void Run()
        {
            for (var i = 0; i < _best.Length; i++)
            {
                _best[i] = i;
            }

            for (var i = (_best.Length / 2) - 1; i >= 0; i--)
            {
                Sink(i, _best.Length);
            }

            for (var i = _best.Length; i < _row.Length; i++)
            {
                if (IsBefore(i, _best[0]))
                {
                    _best[0] = i;
                    Sink(0, _best.Length);
                }
            }

            // The worst goes to the end, then the worst of the others before it.
            for (var end = _best.Length - 1; end > 0; end--)
            {
                (_best[0], _best[end]) = (_best[end], _best[0]);
                Sink(0, end);
            }
        }

        private void Sink(int at, int count)
        {
            for (var child = (2 * at) + 1; child < count; child = (2 * at) + 1)
            {
                if (child + 1 < count && IsBefore(_best[child], _best[child + 1]))
                {
                    child++;
                }

                if (IsBefore(_best[child], _best[at]))
                {
                    return;
                }

                (_best[at], _best[child]) = (_best[child], _best[at]);
                at = child;
            }
        }

        // Whether the element at a comes before that at b in the result.
        private bool IsBefore(int a, int b)
        {
            var (x, y) = (_row[a], _row[b]);
            if (x == y || (T.IsNaN(x) && T.IsNaN(y)))
            {
                return a < b;
            }

            return T.IsNaN(x) || (largest ? x > y : x < y);
        }
    }
}
