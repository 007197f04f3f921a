using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers.Engine;

/// <summary>A layer's input added to its output [N, T, size], up to the length of each row; zeros past it.</summary>
internal static class ResidualSum
{
    /// <summary>output + input.</summary>
    internal static Tensor<T> Apply<T>(Tensor<T> output, Tensor<T> input, ReadOnlySpan<int> lengths)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (row, width) = (output.Shape[1] * output.Shape[2], output.Shape[2]);
        var sum = Tensor<T>.Uninitialized(output.Shape);
        var to = sum.AsSpan();
        for (var r = 0; r < output.Shape[0]; r++)
        {
            var count = lengths.IsEmpty ? row : lengths[r] * width;
            output.AsReadOnlySpan().Slice(r * row, count).CopyTo(to[(r * row)..]);
            SpanKernels<T>.Add(input.AsReadOnlySpan().Slice(r * row, count), to.Slice(r * row, count));
            to.Slice((r * row) + count, row - count).Clear();
        }

        return Graph.Records(output, input) ? new Node<T>(output, input, lengths.ToArray()).Attach(sum) : sum;
    }

    /// <summary>What the sum added at the end of each row, [N, size]: the input at the last step a direction runs, zeros for rows without steps.</summary>
    /// <param name="input">The layer's input [N, T, size].</param>
    /// <param name="lengths">The lengths, empty for T.</param>
    /// <param name="backward">Whether the direction ends at the row's first step.</param>
    internal static Tensor<T> AtEnd<T>(Tensor<T> input, ReadOnlySpan<int> lengths, bool backward)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (rows, steps, width) = (input.Shape[0], input.Shape[1], input.Shape[2]);
        var places = new int[rows];
        var end = Tensor<T>.Zeros(rows, width);
        for (var row = 0; row < rows; row++)
        {
            var length = lengths.IsEmpty ? steps : lengths[row];
            places[row] = length == 0 ? -1 : ((row * steps) + (backward ? 0 : length - 1)) * width;
            if (length > 0)
            {
                input.AsReadOnlySpan().Slice(places[row], width).CopyTo(end.AsSpan()[(row * width)..]);
            }
        }

        return Graph.Records(input) ? new EndNode<T>(input, places, width).Attach(end) : end;
    }

    private sealed class Node<T>(Tensor<T> output, Tensor<T> input, int[] lengths) : GraphNode<T>([output, input])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        internal override void Backward()
        {
            for (var i = 0; i < 2; i++)
            {
                if (Needs(i))
                {
                    Add(Inputs[i]!.Shape, InputGradient(i, out var overwrite), overwrite);
                }
            }
        }

        private void Add(Shape shape, Span<T> to, bool overwrite)
        {
            var (row, width) = (shape[1] * shape[2], shape[2]);
            for (var r = 0; r < shape[0]; r++)
            {
                var count = lengths.Length == 0 ? row : lengths[r] * width;
                var from = OutputGradient().Slice(r * row, count);
                var sum = to.Slice(r * row, count);
                if (overwrite)
                {
                    from.CopyTo(sum);
                    to.Slice((r * row) + count, row - count).Clear();
                }
                else
                {
                    SpanKernels<T>.Add(from, sum);
                }
            }
        }
    }

    private sealed class EndNode<T>(Tensor<T> input, int[] places, int width) : GraphNode<T>([input])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        internal override void Backward()
        {
            var to = InputGradient(0);
            for (var row = 0; row < places.Length; row++)
            {
                if (places[row] >= 0)
                {
                    SpanKernels<T>.Add(OutputGradient().Slice(row * width, width), to.Slice(places[row], width));
                }
            }
        }
    }
}
