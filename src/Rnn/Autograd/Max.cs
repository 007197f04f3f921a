using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>The largest of all elements, a scalar; NaN if one is NaN. Equal largest elements share the gradient evenly.</summary>
    /// <param name="input">The tensor; not empty.</param>
    /// <exception cref="ArgumentException">The tensor has no elements.</exception>
    public static Tensor<T> Max<T>(this Tensor<T> input)
        where T : unmanaged, IFloatingPointIeee754<T> => Extreme(input, AxisSet.All(input), keepDimensions: false, largest: true);

    /// <summary>The largest elements along one axis.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="axis">The axis; negative ones count from the last.</param>
    /// <param name="keepDimensions">Whether the axis stays as a dimension of one element.</param>
    /// <exception cref="ArgumentException">The axis has no elements.</exception>
    public static Tensor<T> Max<T>(this Tensor<T> input, int axis, bool keepDimensions = false)
        where T : unmanaged, IFloatingPointIeee754<T> => Extreme(input, AxisSet.Of(input, [axis]), keepDimensions, largest: true);

    /// <summary>The largest elements over several axes.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="axes">The axes; negative ones count from the last.</param>
    /// <param name="keepDimensions">Whether the axes stay as dimensions of one element.</param>
    /// <exception cref="ArgumentException">The axes have no elements.</exception>
    public static Tensor<T> Max<T>(this Tensor<T> input, ReadOnlySpan<int> axes, bool keepDimensions = false)
        where T : unmanaged, IFloatingPointIeee754<T> => Extreme(input, AxisSet.Of(input, axes), keepDimensions, largest: true);

    /// <summary>The smallest of all elements, a scalar; NaN if one is NaN. Equal smallest elements share the gradient evenly.</summary>
    /// <param name="input">The tensor; not empty.</param>
    /// <exception cref="ArgumentException">The tensor has no elements.</exception>
    public static Tensor<T> Min<T>(this Tensor<T> input)
        where T : unmanaged, IFloatingPointIeee754<T> => Extreme(input, AxisSet.All(input), keepDimensions: false, largest: false);

    /// <summary>The smallest elements along one axis.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="axis">The axis; negative ones count from the last.</param>
    /// <param name="keepDimensions">Whether the axis stays as a dimension of one element.</param>
    /// <exception cref="ArgumentException">The axis has no elements.</exception>
    public static Tensor<T> Min<T>(this Tensor<T> input, int axis, bool keepDimensions = false)
        where T : unmanaged, IFloatingPointIeee754<T> => Extreme(input, AxisSet.Of(input, [axis]), keepDimensions, largest: false);

    /// <summary>The smallest elements over several axes.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="axes">The axes; negative ones count from the last.</param>
    /// <param name="keepDimensions">Whether the axes stay as dimensions of one element.</param>
    /// <exception cref="ArgumentException">The axes have no elements.</exception>
    public static Tensor<T> Min<T>(this Tensor<T> input, ReadOnlySpan<int> axes, bool keepDimensions = false)
        where T : unmanaged, IFloatingPointIeee754<T> => Extreme(input, AxisSet.Of(input, axes), keepDimensions, largest: false);

    /// <summary>
    /// The indices of the largest elements along an axis, row-major in the shape without it; the first of equal ones, and the first NaN where
    /// there is one, as for <see cref="Max{T}(Tensor{T}, int, bool)"/>.
    /// </summary>
    /// <param name="input">The tensor.</param>
    /// <param name="axis">The axis; negative ones count from the last.</param>
    /// <exception cref="ArgumentException">The axis has no elements.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static int[] ArgMax<T>(this Tensor<T> input, int axis = -1)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        var view = AxisView.Of(input.Shape, axis);
        if (view.Size == 0)
        {
            throw new ArgumentException($"axis: dimension {axis} of the shape {input.Shape} has no elements.", nameof(axis));
        }

        var indices = new int[view.Outer * view.Inner];
        var x = input.AsReadOnlySpan();
        for (var i = 0; i < indices.Length; i++)
        {
            var (outer, inner) = Math.DivRem(i, view.Inner);
            var at = (outer * view.Size * view.Inner) + inner;
            var (best, largest) = (0, x[at]);
            for (var j = 1; j < view.Size && !T.IsNaN(largest); j++)
            {
                var value = x[at + (j * view.Inner)];
                if (!(value <= largest))
                {
                    (best, largest) = (j, value);
                }
            }

            indices[i] = best;
        }

        return indices;
    }

    private static Tensor<T> Extreme<T>(Tensor<T> input, AxisSet axes, bool keepDimensions, bool largest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (axes.Count(input.Shape) == 0)
        {
            throw new ArgumentException($"input: the shape {input.Shape} has no elements to choose from.", nameof(input));
        }

        var reduced = axes.Reduce(input.Shape, keepDimensions: true);
        var output = Tensor<T>.Full(
            largest ? T.NegativeInfinity : T.PositiveInfinity, keepDimensions ? reduced : axes.Reduce(input.Shape, keepDimensions: false));
        var x = input.AsReadOnlySpan();
        var y = output.AsSpan();
        var loops = Broadcasting.Loops(input.Shape, reduced, input.Shape);
        for (var i = 0; i < loops.Outer; i++)
        {
            var row = x.Slice(i * loops.Inner, loops.Inner);
            var best = y.Slice(loops.Start(i).Left, loops.LeftStep == 0 ? 1 : loops.Inner);
            if (loops.LeftStep == 0)
            {
                best[0] = largest ? T.Max(best[0], SpanKernels<T>.Extreme(row, true)) : T.Min(best[0], SpanKernels<T>.Extreme(row, false));
            }
            else
            {
                SpanKernels<T>.Extreme(row, best, largest);
            }
        }

        return Graph.Records(input) ? new ExtremeNode<T>(input, output, reduced).Attach(output) : output;
    }

    private sealed class ExtremeNode<T>(Tensor<T> input, Tensor<T> output, Shape reduced) : GraphNode<T>([input])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        internal override void Backward()
        {
            var x = Inputs[0]!.AsReadOnlySpan();
            var y = output.AsReadOnlySpan();
            var dy = OutputGradient();
            var dx = InputGradient(0);
            var rented = TensorPool<T>.Rent(y.Length);
            try
            {
                Share(x, y, dy, dx, rented.AsSpan(0, y.Length));
            }
            finally
            {
                TensorPool<T>.Return(rented);
            }
        }

        // A NaN is the largest and the smallest of its like.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static bool IsChosen(T value, T extreme) => value == extreme || (T.IsNaN(extreme) && T.IsNaN(value));

        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        private void Share(ReadOnlySpan<T> x, ReadOnlySpan<T> y, ReadOnlySpan<T> dy, Span<T> dx, Span<T> equal)
        {
            equal.Clear();
            var loops = Broadcasting.Loops(Inputs[0]!.Shape, reduced, Inputs[0]!.Shape);
            var (inner, step) = (loops.Inner, loops.LeftStep);
            for (var i = 0; i < loops.Outer; i++)
            {
                var to = loops.Start(i).Left;
                foreach (var value in x.Slice(i * inner, inner))
                {
                    equal[to] += IsChosen(value, y[to]) ? T.One : T.Zero;
                    to += step;
                }
            }

            for (var i = 0; i < loops.Outer; i++)
            {
                var to = loops.Start(i).Left;
                for (var from = i * inner; from < (i + 1) * inner; from++)
                {
                    if (IsChosen(x[from], y[to]))
                    {
                        dx[from] += dy[to] / equal[to];
                    }

                    to += step;
                }
            }
        }
    }
}
