using System.Numerics;
using Rnn.Autograd;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>A part of the tensor by one range a dimension, from the outermost on: <c>x.Slice(.., 1..^1)</c>.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="ranges">At most one range a dimension; dimensions without one stay whole.</param>
    /// <exception cref="ArgumentException">There are more ranges than dimensions, or one reaches outside.</exception>
    public static Tensor<T> Slice<T>(this Tensor<T> input, params ReadOnlySpan<Range> ranges)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        if (ranges.Length > input.Rank)
        {
            throw new ArgumentException($"ranges: expected at most {input.Rank} for the shape {input.Shape} but got {ranges.Length}.", nameof(ranges));
        }

        var view = new StridedView(input.Shape);
        for (var i = 0; i < ranges.Length; i++)
        {
            var (start, count) = OffsetAndLength(input.Shape, i, ranges[i]);
            view = view.Slice(i, start, count, 1);
        }

        return ViewOperation.Apply(input, view, view.Shape);
    }

    /// <summary>A part of one dimension, every so many elements.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="axis">The dimension; negative ones count from the last.</param>
    /// <param name="range">Which elements of it.</param>
    /// <param name="step">1 takes all of them, 2 every other, −1 all from the last to the first.</param>
    /// <exception cref="ArgumentException">The range reaches outside, or the step is zero.</exception>
    public static Tensor<T> Slice<T>(this Tensor<T> input, int axis, Range range, int step = 1)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        if (step is 0 or int.MinValue)
        {
            throw new ArgumentException($"step: expected a step other than zero but got {step}.", nameof(step));
        }

        axis = input.Shape.Axis(axis, nameof(axis));
        var (start, length) = OffsetAndLength(input.Shape, axis, range);
        var count = (int)(((long)length + Math.Abs(step) - 1) / Math.Abs(step));
        var first = step > 0 || length == 0 ? start : start + length - 1;
        var view = new StridedView(input.Shape).Slice(axis, first, count, step);
        return ViewOperation.Apply(input, view, view.Shape);
    }

    /// <summary>The elements at one index of a dimension, which the result does not have: <c>x.Select(1, t)</c> of [N, T, I] is [N, I].</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="axis">The dimension; negative ones count from the last.</param>
    /// <param name="index">The index in it; negative ones count from the end.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such dimension or index.</exception>
    public static Tensor<T> Select<T>(this Tensor<T> input, int axis, int index)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        axis = input.Shape.Axis(axis, nameof(axis));
        var size = input.Shape[axis];
        if (index < -size || index >= size)
        {
            throw new ArgumentOutOfRangeException(
                nameof(index), index, $"index: expected {-size} to {size - 1} for dimension {axis} of the shape {input.Shape} but got {index}.");
        }

        var view = new StridedView(input.Shape).Slice(axis, index < 0 ? index + size : index, 1, 1);
        return ViewOperation.Apply(input, view, WithoutAxis(input.Shape, axis));
    }

    /// <summary>The tensor cut along a dimension into parts of the given sizes.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="axis">The dimension; negative ones count from the last.</param>
    /// <param name="sizes">The sizes of the parts; their sum is the size of the dimension.</param>
    /// <exception cref="ArgumentException">The sizes do not add up, or one is negative.</exception>
    public static Tensor<T>[] Split<T>(this Tensor<T> input, int axis, params ReadOnlySpan<int> sizes)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        axis = input.Shape.Axis(axis, nameof(axis));
        var sum = 0L;
        var negative = false;
        foreach (var size in sizes)
        {
            sum += size;
            negative |= size < 0;
        }

        if (negative || sum != input.Shape[axis])
        {
            throw new ArgumentException(
                $"sizes: expected parts that add up to {input.Shape[axis]}, dimension {axis} of the shape {input.Shape}, but got [{string.Join(", ", sizes.ToArray())}].", nameof(sizes));
        }

        var parts = new Tensor<T>[sizes.Length];
        var start = 0;
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = input.Slice(axis, start..(start + sizes[i]));
            start += sizes[i];
        }

        return parts;
    }

    private static (int Start, int Length) OffsetAndLength(Shape shape, int axis, Range range)
    {
        var size = shape[axis];
        var start = range.Start.GetOffset(size);
        var end = range.End.GetOffset(size);
        if (start < 0 || end > size || start > end)
        {
            throw new ArgumentException($"range: {range} reaches outside of dimension {axis} of the shape {shape}, or ends before it starts.", nameof(range));
        }

        return (start, end - start);
    }

    private static Shape WithoutAxis(Shape shape, int axis)
    {
        Span<int> dimensions = stackalloc int[shape.Rank - 1];
        shape.Dimensions[..axis].CopyTo(dimensions);
        shape.Dimensions[(axis + 1)..].CopyTo(dimensions[axis..]);
        return new(dimensions);
    }
}
