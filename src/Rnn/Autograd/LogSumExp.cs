using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>log Σ eˣ over all elements, a scalar, without overflow; −∞ where there are none. Its gradient is the softmax.</summary>
    /// <param name="input">The tensor.</param>
    public static Tensor<T> LogSumExp<T>(this Tensor<T> input)
        where T : unmanaged, IFloatingPointIeee754<T> => LogSumExpOver(input, AxisSet.All(input), keepDimensions: false);

    /// <summary>log Σ eˣ over one axis, without overflow; where the result is infinite its largest elements share the gradient evenly.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="axis">The axis to sum over; negative ones count from the last.</param>
    /// <param name="keepDimensions">Whether the axis stays as a dimension of one element.</param>
    public static Tensor<T> LogSumExp<T>(this Tensor<T> input, int axis, bool keepDimensions = false)
        where T : unmanaged, IFloatingPointIeee754<T> => LogSumExpOver(input, AxisSet.Of(input, [axis]), keepDimensions);

    /// <summary>log Σ eˣ over several axes, without overflow; where the result is infinite its largest elements share the gradient evenly.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="axes">The axes to sum over; negative ones count from the last.</param>
    /// <param name="keepDimensions">Whether the axes stay as dimensions of one element.</param>
    public static Tensor<T> LogSumExp<T>(this Tensor<T> input, ReadOnlySpan<int> axes, bool keepDimensions = false)
        where T : unmanaged, IFloatingPointIeee754<T> => LogSumExpOver(input, AxisSet.Of(input, axes), keepDimensions);

    private static Tensor<T> LogSumExpOver<T>(Tensor<T> input, AxisSet axes, bool keepDimensions)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var values = input.Detach();
        var reduced = axes.Reduce(input.Shape, keepDimensions: true);
        var largest = axes.Count(input.Shape) == 0
            ? Tensor<T>.Full(T.NegativeInfinity, reduced)
            : Extreme(values, axes, keepDimensions: true, largest: true);
        var sum = Reduction.Sum(Binary.Apply<T, ExpDifferenceFunction<T>>(values, largest), axes, keepDimensions: true, T.One);
        var output = sum.Log().Add(largest).View(keepDimensions ? reduced : axes.Reduce(input.Shape, keepDimensions: false));
        return Graph.Records(input) ? new LogSumExpNode<T>(input, output, axes).Attach(output) : output;
    }

    // e to the power of a − b; 1 where both are the same infinity, so that infinite sums are infinite and not NaN.
    private readonly struct ExpDifferenceFunction<T> : IBinaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public static string Name => "LogSumExp";

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Value<V>(V a, V b)
            where V : struct, IVector<V, T> => V.Select(V.EqualTo(a, b), V.One, V.Exp(a - b));

        public static V LeftDerivative<V>(V a, V b, V y)
            where V : struct, IVector<V, T> => y;

        public static V RightDerivative<V>(V a, V b, V y)
            where V : struct, IVector<V, T> => -y;
    }

    private sealed class LogSumExpNode<T>(Tensor<T> input, Tensor<T> output, AxisSet axes) : GraphNode<T>([input])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        internal override void Backward()
        {
            var input = Inputs[0]!.Detach();
            var reduced = axes.Reduce(input.Shape, keepDimensions: true);
            var powers = Binary.Apply<T, ExpDifferenceFunction<T>>(input, output.View(reduced));

            // Their sum is 1 up to rounding, but for infinite results.
            var share = Tensor<T>.From(OutputGradient(), reduced).Divide(Reduction.Sum(powers, axes, keepDimensions: true, T.One));
            var product = powers.Multiply(share).AsReadOnlySpan();
            var gradient = InputGradient(0, out var overwrite);
            SpanKernels<T>.AddOrCopy(product, gradient, overwrite);
        }
    }
}
