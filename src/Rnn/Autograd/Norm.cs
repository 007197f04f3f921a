using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>The Euclidean norm of all elements, a scalar; where it is zero so is its gradient.</summary>
    /// <param name="input">The tensor.</param>
    public static Tensor<T> Norm<T>(this Tensor<T> input)
        where T : unmanaged, IFloatingPointIeee754<T> => NormOver(input, AxisSet.All(input), keepDimensions: false);

    /// <summary>The Euclidean norms along an axis; where one is zero so is its gradient.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="axis">The axis; negative ones count from the last.</param>
    /// <param name="keepDimensions">Whether the axis stays as a dimension of one element.</param>
    public static Tensor<T> Norm<T>(this Tensor<T> input, int axis, bool keepDimensions = false)
        where T : unmanaged, IFloatingPointIeee754<T> => NormOver(input, AxisSet.Of(input, [axis]), keepDimensions);

    private static Tensor<T> NormOver<T>(Tensor<T> input, AxisSet axes, bool keepDimensions)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var reduced = axes.Reduce(input.Shape, keepDimensions: true);
        var output = Tensor<T>.Zeros(keepDimensions ? reduced : axes.Reduce(input.Shape, keepDimensions: false));
        var y = output.AsSpan();
        var x = input.AsReadOnlySpan();
        var loops = Broadcasting.Loops(input.Shape, reduced, input.Shape);
        for (var i = 0; i < loops.Outer; i++)
        {
            var at = loops.Start(i).Left;
            var row = x.Slice(i * loops.Inner, loops.Inner);
            if (loops.LeftStep == 0)
            {
                y[at] += SpanKernels<T>.Dot(row, row);
            }
            else
            {
                var sums = y.Slice(at, loops.Inner);
                SpanKernels<T>.AddProduct(row, row, sums);
            }
        }

        var isSafe = true;
        foreach (ref var norm in y)
        {
            isSafe &= norm >= Element.From<T>(SmallestSafeSquare<T>()) && T.IsFinite(norm);
            norm = T.Sqrt(norm);
        }

        if (!isSafe)
        {
            ScaledNorms(x, y, loops);
        }

        return Graph.Records(input) ? new NormNode<T>(input, output, reduced).Attach(output) : output;
    }

    // Above this a sum of squares has lost no digits to squares that are too small to be written.
    private static double SmallestSafeSquare<T>()
        where T : unmanaged, IFloatingPointIeee754<T> => typeof(T) == typeof(float) ? 1e-24 : 1e-270;

    // Norms whose squares are too large or too small to be written: largest · |x / largest|. The others stay as they are.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void ScaledNorms<T>(ReadOnlySpan<T> x, Span<T> y, in LoopNest loops)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (inner, step) = (loops.Inner, loops.LeftStep);
        var largest = new T[y.Length];
        var sums = new T[y.Length];
        for (var i = 0; i < loops.Outer; i++)
        {
            var to = loops.Start(i).Left;
            foreach (var value in x.Slice(i * inner, inner))
            {
                largest[to] = T.Max(largest[to], T.Abs(value));
                to += step;
            }
        }

        for (var i = 0; i < loops.Outer; i++)
        {
            var to = loops.Start(i).Left;
            foreach (var value in x.Slice(i * inner, inner))
            {
                var scaled = largest[to] == T.Zero ? T.Zero : value / largest[to];
                sums[to] += scaled * scaled;
                to += step;
            }
        }

        for (var i = 0; i < y.Length; i++)
        {
            var isSafe = y[i] * y[i] >= Element.From<T>(SmallestSafeSquare<T>()) && T.IsFinite(y[i]);
            if (!isSafe)
            {
                y[i] = T.IsFinite(largest[i]) ? largest[i] * T.Sqrt(sums[i]) : largest[i];
            }
        }
    }

    private sealed class NormNode<T>(Tensor<T> input, Tensor<T> output, Shape reduced) : GraphNode<T>([input])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        internal override void Backward()
        {
            var x = Inputs[0]!.AsReadOnlySpan();
            var y = output.AsReadOnlySpan();
            var dy = OutputGradient();
            var dx = InputGradient(0);
            var loops = Broadcasting.Loops(Inputs[0]!.Shape, reduced, Inputs[0]!.Shape);
            var (inner, step) = (loops.Inner, loops.LeftStep);
            for (var i = 0; i < loops.Outer; i++)
            {
                var to = loops.Start(i).Left;
                for (var from = i * inner; from < (i + 1) * inner; from++)
                {
                    dx[from] += y[to] == T.Zero ? T.Zero : dy[to] * (x[from] / y[to]);
                    to += step;
                }
            }
        }
    }
}
