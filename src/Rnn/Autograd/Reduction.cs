using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Autograd;

/// <summary>Sums over axes, scaled: the one loop behind sum, mean and broadcasting's backward pass.</summary>
internal static class Reduction
{
    /// <summary>scale · Σ over the axes.</summary>
    internal static Tensor<T> Sum<T>(Tensor<T> input, AxisSet axes, bool keepDimensions, T scale)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var reduced = axes.Reduce(input.Shape, keepDimensions: true);
        var output = Tensor<T>.Zeros(keepDimensions ? reduced : axes.Reduce(input.Shape, keepDimensions: false));
        var target = output.AsSpan();
        AddSums(input.AsReadOnlySpan(), target, input.Shape, reduced);
        if (scale != T.One)
        {
            SpanKernels<T>.Scale(target, scale, target);
            if (T.IsFinite(scale) && HasOverflowed<T>(target))
            {
                // A mean may be a number where its sum is too large to be one.
                var scaled = new T[input.Length];
                SpanKernels<T>.Scale(input.AsReadOnlySpan(), scale, scaled);
                target.Clear();
                AddSums(scaled, target, input.Shape, reduced);
            }
        }

        return Graph.Records(input) ? new Node<T>(input, reduced, scale).Attach(output) : output;
    }

    private static bool HasOverflowed<T>(ReadOnlySpan<T> values)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var value in values)
        {
            if (!T.IsFinite(value))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>target += the sums of source over the dimensions in which target has one element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal static void AddSums<T>(ReadOnlySpan<T> source, Span<T> target, Shape sourceShape, Shape targetShape)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var loops = Broadcasting.Loops(sourceShape, targetShape, sourceShape);
        var inner = loops.Inner;
        for (var i = 0; i < loops.Outer; i++)
        {
            var at = loops.Start(i).Left;
            var row = source.Slice(i * inner, inner);
            if (loops.LeftStep == 0)
            {
                target[at] += SpanKernels<T>.Sum(row);
            }
            else
            {
                var sums = target.Slice(at, inner);
                SpanKernels<T>.Add(row, sums);
            }
        }
    }

    /// <summary>target = scale · source, or target += scale · source, source repeated where it has one element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal static void Spread<T>(ReadOnlySpan<T> source, Span<T> target, Shape sourceShape, Shape targetShape, T scale, bool overwrite)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var loops = Broadcasting.Loops(targetShape, sourceShape, targetShape);
        var inner = loops.Inner;
        for (var i = 0; i < loops.Outer; i++)
        {
            var at = loops.Start(i).Left;
            var row = target.Slice(i * inner, inner);
            if (loops.LeftStep == 0)
            {
                if (overwrite)
                {
                    row.Fill(source[at] * scale);
                }
                else
                {
                    SpanKernels<T>.AddConstant(source[at] * scale, row);
                }
            }
            else if (overwrite)
            {
                SpanKernels<T>.Scale(source.Slice(at, inner), scale, row);
            }
            else
            {
                SpanKernels<T>.AddScaled(source.Slice(at, inner), scale, row);
            }
        }
    }

    private sealed class Node<T>(Tensor<T> input, Shape reduced, T scale) : GraphNode<T>([input])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private protected override bool ReadsInputs => false;

        internal override void Backward()
        {
            var gradient = InputGradient(0, out var overwrite);
            Spread(OutputGradient(), gradient, reduced, Inputs[0]!.Shape, scale, overwrite);
        }
    }
}
