using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Autograd;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>
    /// The sums of all elements up to and including each one along a dimension: 1, 2, 3 becomes 1, 3, 6. Added in double precision and
    /// rounded once for each element.
    /// </summary>
    /// <param name="input">The tensor.</param>
    /// <param name="axis">The dimension; negative ones count from the last.</param>
    /// <param name="reverse">Whether to add from the end: 1, 2, 3 becomes 6, 5, 3.</param>
    public static Tensor<T> CumulativeSum<T>(this Tensor<T> input, int axis, bool reverse = false)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        var view = AxisView.Of(input.Shape, axis);
        var output = Tensor<T>.Uninitialized(input.Shape);
        RunningSums(input.AsReadOnlySpan(), output.AsSpan(), view, reverse, overwrite: true);
        return Graph.Records(input) ? new CumulativeSumNode<T>(input, view, reverse).Attach(output) : output;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void RunningSums<T>(ReadOnlySpan<T> source, Span<T> target, AxisView view, bool reverse, bool overwrite)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var sums = ArrayPool<double>.Shared.Rent(view.Inner);
        for (var outer = 0; outer < view.Outer; outer++)
        {
            sums.AsSpan(0, view.Inner).Clear();
            for (var i = 0; i < view.Size; i++)
            {
                var at = ((outer * view.Size) + (reverse ? view.Size - 1 - i : i)) * view.Inner;
                for (var j = 0; j < view.Inner; j++)
                {
                    sums[j] += Element.ToDouble(source[at + j]);
                    var sum = Element.From<T>(sums[j]);
                    target[at + j] = overwrite ? sum : target[at + j] + sum;
                }
            }
        }

        ArrayPool<double>.Shared.Return(sums);
    }

    private sealed class CumulativeSumNode<T>(Tensor<T> input, AxisView view, bool reverse) : GraphNode<T>([input])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private protected override bool ReadsInputs => false;

        // An element is part of the sums from its own place on: their gradients are summed from the other end.
        internal override void Backward()
        {
            var gradient = InputGradient(0, out var overwrite);
            RunningSums(OutputGradient(), gradient, view, !reverse, overwrite);
        }
    }
}
