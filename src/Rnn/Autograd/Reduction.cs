using System.Numerics;
using Rnn.Tensors;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Rnn.Autograd;

/// <summary>Sums over axes, scaled: the one loop behind sum, mean and broadcasting's way back.</summary>
internal static class Reduction
{
    /// <summary>scale · Σ over the axes.</summary>
    internal static Tensor<T> Sum<T>(Tensor<T> input, AxisSet axes, bool keepDimensions, T scale)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var kept = axes.Reduce(input.Shape, keepDimensions: true);
        var output = Tensor<T>.Zeros(keepDimensions ? kept : axes.Reduce(input.Shape, keepDimensions: false));
        var target = output.AsSpan();
        AddSums(input.AsReadOnlySpan(), target, input.Shape, kept);
        if (scale != T.One)
        {
            TensorPrimitives.Multiply(target, scale, target);
        }

        return Graph.Records(input) ? new Node<T>(input, kept, scale).Attach(output) : output;
    }

    /// <summary>target += the sums of source over the dimensions in which target has one element.</summary>
    internal static void AddSums<T>(ReadOnlySpan<T> source, Span<T> target, Shape sourceShape, Shape targetShape)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var loops = new BroadcastLoops(sourceShape, targetShape, sourceShape);
        var inner = loops.Inner;
        for (var i = 0; i < loops.Outer; i++)
        {
            var at = loops.Start(i).Left;
            var row = source.Slice(i * inner, inner);
            if (loops.LeftStep == 0)
            {
                target[at] += TensorPrimitives.Sum(row);
            }
            else
            {
                var sums = target.Slice(at, inner);
                TensorPrimitives.Add(sums, row, sums);
            }
        }
    }

    /// <summary>target = scale · source, or target += scale · source, source repeated where it has one element.</summary>
    internal static void Spread<T>(ReadOnlySpan<T> source, Span<T> target, Shape sourceShape, Shape targetShape, T scale, bool fresh)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var loops = new BroadcastLoops(targetShape, sourceShape, targetShape);
        var inner = loops.Inner;
        for (var i = 0; i < loops.Outer; i++)
        {
            var at = loops.Start(i).Left;
            var row = target.Slice(i * inner, inner);
            if (loops.LeftStep == 0)
            {
                if (fresh)
                {
                    row.Fill(source[at] * scale);
                }
                else
                {
                    TensorPrimitives.Add(row, source[at] * scale, row);
                }
            }
            else if (fresh)
            {
                TensorPrimitives.Multiply(source.Slice(at, inner), scale, row);
            }
            else
            {
                TensorPrimitives.MultiplyAdd(source.Slice(at, inner), scale, row, row);
            }
        }
    }

    private sealed class Node<T>(Tensor<T> input, Shape kept, T scale) : GraphNode<T>([input])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        internal override void Backward()
        {
            var gradient = InputGradient(0, out var fresh);
            Spread(OutputGradient(), gradient, kept, Inputs[0]!.Shape, scale, fresh);
        }
    }
}
