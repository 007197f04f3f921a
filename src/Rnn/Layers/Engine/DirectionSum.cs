using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers.Engine;

/// <summary>Both halves of the last dimension, added and scaled: [N, T, 2·size] becomes [N, T, size].</summary>
internal static class DirectionSum
{
    /// <summary>scale · (forward + backward).</summary>
    internal static Tensor<T> Apply<T>(Tensor<T> both, T scale)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var size = both.Shape[^1] / 2;
        var output = Tensor<T>.Uninitialized(new Shape(both.Shape[0], both.Shape[1], size));
        var from = both.AsReadOnlySpan();
        var to = output.AsSpan();
        for (var at = 0; at < to.Length; at += size)
        {
            var sum = to.Slice(at, size);
            from.Slice(2 * at, size).CopyTo(sum);
            SpanKernels<T>.Add(from.Slice((2 * at) + size, size), sum);
            if (scale != T.One)
            {
                SpanKernels<T>.Scale(sum, scale, sum);
            }
        }

        return Graph.Records(both) ? new Node<T>(both, size, scale).Attach(output) : output;
    }

    private sealed class Node<T>(Tensor<T> both, int size, T scale) : GraphNode<T>([both])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        internal override void Backward()
        {
            var from = OutputGradient();
            var to = InputGradient(0, out var overwrite);
            for (var at = 0; at < from.Length; at += size)
            {
                for (var half = 0; half < 2; half++)
                {
                    var sum = to.Slice((2 * at) + (half * size), size);
                    if (overwrite)
                    {
                        SpanKernels<T>.Scale(from.Slice(at, size), scale, sum);
                    }
                    else
                    {
                        SpanKernels<T>.AddScaled(from.Slice(at, size), scale, sum);
                    }
                }
            }
        }
    }
}
