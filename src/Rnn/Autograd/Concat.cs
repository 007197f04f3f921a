using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    extension<T>(Tensor<T>)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        /// <summary>Tensors put one after another along a dimension: <c>Tensor&lt;float&gt;.Concat([x, y], axis: -1)</c>.</summary>
        /// <param name="tensors">One or more tensors that differ in that dimension only.</param>
        /// <param name="axis">The dimension; negative ones count from the last.</param>
        /// <exception cref="ArgumentException">There is no tensor, or they differ in another dimension.</exception>
        public static Tensor<T> Concat(ReadOnlySpan<Tensor<T>> tensors, int axis)
        {
            var first = FirstOf(tensors).Shape;
            axis = first.Axis(axis, nameof(axis));
            var size = 0L;
            for (var i = 0; i < tensors.Length; i++)
            {
                var shape = tensors[i].Shape;
                if (shape.Rank != first.Rank || WithoutAxis(shape, axis) != WithoutAxis(first, axis))
                {
                    throw new ArgumentException(
                        $"tensors: expected shapes that differ from the first, {first}, in dimension {axis} only but number {i} is {shape}.", nameof(tensors));
                }

                size += shape[axis];
            }

            Span<int> dimensions = stackalloc int[first.Rank];
            first.Dimensions.CopyTo(dimensions);
            dimensions[axis] = size <= Array.MaxLength
                ? (int)size
                : throw new ArgumentException(
                    $"tensors: {tensors.Length} tensors from {first} on make {size} along dimension {axis} together; the limit is {Array.MaxLength}.", nameof(tensors));
            return Join(tensors, new Shape(dimensions), axis);
        }

        /// <summary>Tensors of one shape side by side along a new dimension: T tensors [N, H] stacked at 1 are [N, T, H].</summary>
        /// <param name="tensors">One or more tensors of the same shape.</param>
        /// <param name="axis">Where the new dimension stands in the result; negative ones count from the last.</param>
        /// <exception cref="ArgumentException">There is no tensor, or they differ in shape.</exception>
        public static Tensor<T> Stack(ReadOnlySpan<Tensor<T>> tensors, int axis = 0)
        {
            var first = FirstOf(tensors).Shape;
            for (var i = 0; i < tensors.Length; i++)
            {
                if (tensors[i].Shape != first)
                {
                    throw new ArgumentException($"tensors: expected the shape of the first, {first}, but number {i} is {tensors[i].Shape}.", nameof(tensors));
                }
            }

            Span<int> dimensions = stackalloc int[first.Rank + 1];
            axis = Shape.Create(dimensions).Axis(axis, nameof(axis));
            first.Dimensions[..axis].CopyTo(dimensions);
            dimensions[axis] = tensors.Length;
            first.Dimensions[axis..].CopyTo(dimensions[(axis + 1)..]);
            return Join(tensors, new Shape(dimensions), axis);
        }
    }

    private static Tensor<T> FirstOf<T>(ReadOnlySpan<Tensor<T>> tensors)
        where T : unmanaged, IFloatingPointIeee754<T> => tensors.Length > 0
        ? tensors[0] ?? throw new ArgumentNullException(nameof(tensors))
        : throw new ArgumentException("tensors: expected at least one.", nameof(tensors));

    // Each tensor fills a column of blocks: rows of the dimensions outside of the axis, blocks of all from the axis on.
    private static Tensor<T> Join<T>(ReadOnlySpan<Tensor<T>> tensors, Shape shape, int axis)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var output = Tensor<T>.Uninitialized(shape);
        var rows = RowsOutside(shape, axis);
        var width = rows == 0 ? 0 : output.Length / rows;
        var target = output.AsSpan();
        var at = 0;
        foreach (var tensor in tensors)
        {
            var source = tensor.AsReadOnlySpan();
            var block = rows == 0 ? 0 : source.Length / rows;
            for (var i = 0; i < rows; i++)
            {
                source.Slice(i * block, block).CopyTo(target[((i * width) + at)..]);
            }

            at += block;
        }

        return Graph.Records<T>(tensors) ? new JoinNode<T>(tensors.ToArray(), rows, width).Attach(output) : output;
    }

    private static int RowsOutside(Shape shape, int axis)
    {
        var rows = 1;
        for (var i = 0; i < axis; i++)
        {
            rows *= shape[i];
        }

        return rows;
    }

    private sealed class JoinNode<T>(Tensor<T>[] tensors, int rows, int width) : GraphNode<T>(tensors)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private protected override bool ReadsInputs => false;

        internal override void Backward()
        {
            var source = OutputGradient();
            var at = 0;
            for (var i = 0; i < Inputs.Length; i++)
            {
                var block = rows == 0 ? 0 : Inputs[i]!.Length / rows;
                if (Needs(i))
                {
                    var target = InputGradient(i, out var overwrite);
                    for (var row = 0; row < rows; row++)
                    {
                        SpanKernels<T>.AddOrCopy(source.Slice((row * width) + at, block), target.Slice(row * block, block), overwrite);
                    }
                }

                at += block;
            }
        }
    }
}
