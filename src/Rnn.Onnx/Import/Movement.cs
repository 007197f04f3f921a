using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>Elements put in other places, of floating-point values (through which gradients flow) and of whole numbers.</summary>
internal static class Movement
{
    /// <summary>Elements of one axis by their indices.</summary>
    internal static OnnxValue<T> Select<T>(OnnxValue<T> value, int axis, int[] indices)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var size = value.Shape[axis];
        foreach (var index in indices)
        {
            if (index < 0 || index >= size)
            {
                throw new InvalidDataException($"there is no index {index} along axis {axis} of {value.Shape}");
            }
        }

        var ascends = true;
        for (var i = 1; i < indices.Length && ascends; i++)
        {
            ascends = indices[i] == indices[i - 1] + 1;
        }

        if (ascends && indices.Length == size)
        {
            return value;
        }

        if (value.IsFloatingPoint)
        {
            return ascends && indices.Length > 0 ? value.Tensor.Slice(axis, indices[0]..(indices[0] + indices.Length)) : value.Tensor.IndexSelect(axis, indices);
        }

        var dimensions = value.Shape.Dimensions.ToArray();
        dimensions[axis] = indices.Length;
        var shape = new Shape(dimensions);
        var inner = new Shape(dimensions.AsSpan(axis + 1)).ElementCount;
        var outer = new Shape(dimensions.AsSpan(0, axis)).ElementCount;
        var (source, result) = (value.IntegerArray, new long[shape.ElementCount]);
        for (var o = 0; o < outer; o++)
        {
            for (var i = 0; i < indices.Length; i++)
            {
                source.AsSpan(((o * size) + indices[i]) * inner, inner).CopyTo(result.AsSpan(((o * indices.Length) + i) * inner, inner));
            }
        }

        return new(result, shape, value.ElementType);
    }

    /// <summary>The dimensions in another order.</summary>
    internal static OnnxValue<T> Transpose<T>(OnnxValue<T> value, int[] order)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (value.IsFloatingPoint)
        {
            return value.Tensor.Permute(order);
        }

        var strides = Broadcasting.Strides(value.Shape);
        var shape = new Shape(Array.ConvertAll(order, axis => value.Shape[axis]));
        var map = Broadcasting.Strided(shape, Array.ConvertAll(order, axis => strides[axis]), 0);
        var source = value.IntegerArray;
        return new(Array.ConvertAll(map, place => source[place]), shape, value.ElementType);
    }

    /// <summary>Values one after another along an axis.</summary>
    internal static OnnxValue<T> Concat<T>(NodeCall<T> call, IReadOnlyList<OnnxValue<T>> values, int axis)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var total = 0.0;
        foreach (var value in values)
        {
            total += value.Length;
            var same = value.Rank == values[0].Rank && value.IsFloatingPoint == values[0].IsFloatingPoint;
            for (var d = 0; same && d < value.Rank; d++)
            {
                same = d == axis || value.Shape[d] == values[0].Shape[d];
            }

            if (!same)
            {
                throw new InvalidDataException($"{values[0]} and {value} do not stand side by side along axis {axis}");
            }
        }

        if (values.Count > 1)
        {
            call.Run.CheckElements(total);
        }

        if (values[0].IsFloatingPoint)
        {
            return Tensor<T>.Concat([.. values.Select(value => value.Tensor)], axis);
        }

        var dimensions = values[0].Shape.Dimensions.ToArray();
        dimensions[axis] = values.Sum(value => value.Shape[axis]);
        var shape = new Shape(dimensions);
        var (result, outer, at) = (new long[shape.ElementCount], new Shape(dimensions.AsSpan(0, axis)).ElementCount, 0);
        var row = outer == 0 ? 0 : result.Length / outer;
        foreach (var value in values)
        {
            var part = outer == 0 ? 0 : value.Length / outer;
            for (var o = 0; o < outer; o++)
            {
                value.IntegerArray.AsSpan(o * part, part).CopyTo(result.AsSpan((o * row) + at, part));
            }

            at += part;
        }

        return new(result, shape, values[0].ElementType);
    }

    /// <summary>Values of one shape one after another along an axis that is new.</summary>
    internal static OnnxValue<T> Stack<T>(NodeCall<T> call, IReadOnlyList<OnnxValue<T>> values, long axis)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var place = NodeCall<T>.Axis(axis, values[0].Rank + 1);
        var shape = new Shape([.. values[0].Shape.Dimensions[..place], 1, .. values[0].Shape.Dimensions[place..]]);
        return Concat(call, [.. values.Select(value => ShapeOperators.WithShape(value, shape))], place);
    }

    /// <summary>Dimensions of one element, or missing ones, repeated.</summary>
    internal static OnnxValue<T> Expand<T>(OnnxValue<T> value, Shape shape)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        value.Shape == shape ? value
        : value.IsFloatingPoint ? value.Tensor.BroadcastTo(shape)
        : new OnnxValue<T>(Broadcasting.Expand(value.IntegerArray, value.Shape, shape), shape, value.ElementType);
}
