using System.Numerics;
using Rnn.Onnx.Schema;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>Shapes, changes of shape that leave the elements in their order, and tensors made from nothing.</summary>
internal static class ShapeOperators
{
    internal static void Register<T>(OperatorSet<T> set)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        set.Add("Shape", call => ShapeOf(call));
        set.Add("Size", call => new([call.Value(0).Length], new Shape(), OnnxElementType.Int64));
        set.Add("Reshape", call => WithShape(call.Value(0), ReshapeTarget(call)));
        set.Add("Flatten", call => Flatten(call));
        set.Add("Squeeze", call => Squeeze(call));
        set.Add("Unsqueeze", call => Unsqueeze(call));
        set.Add("Constant", call => Constant<T>(call.Attributes));
        set.Add("ConstantOfShape", call => ConstantOfShape(call));
        set.Add("Range", call => Range(call));
        set.Add("EyeLike", call => EyeLike(call));
    }

    /// <summary>The same elements in another shape.</summary>
    internal static OnnxValue<T> WithShape<T>(OnnxValue<T> value, Shape shape)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        value.Length != shape.ElementCount ? throw new InvalidDataException($"the {value.Length} elements of {value.Shape} do not fill the shape {shape}")
        : value.IsFloatingPoint ? value.Tensor.Reshape(shape) : new OnnxValue<T>(value.IntegerArray, shape, value.ElementType);

    /// <summary>The value of a Constant node.</summary>
    internal static OnnxValue<T> Constant<T>(NodeAttributes attributes)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (attributes.Tensor("value") is { } tensor)
        {
            return TensorProtoConversion.Read<T>(tensor);
        }

        if (attributes.Has("value_float"))
        {
            return Tensor<T>.Scalar(T.CreateTruncating(attributes.Float("value_float", 0)));
        }

        if (attributes.Has("value_int"))
        {
            return new([attributes.Int("value_int", 0)], new Shape(), OnnxElementType.Int64);
        }

        if (attributes.Floats("value_floats") is { } floats)
        {
            return Tensor<T>.From(Array.ConvertAll(floats, T.CreateTruncating));
        }

        return attributes.Ints("value_ints") is { } ints
            ? new(ints, new Shape(ints.Length), OnnxElementType.Int64)
            : throw new InvalidDataException($"a constant by {string.Join(", ", attributes.All.Select(attribute => attribute.Name))} is not supported");
    }

    private static OnnxValue<T> ShapeOf<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var shape = call.Value(0).Shape;
        var start = Limit(call.Attributes.Int("start", 0), shape.Rank);
        var end = Math.Max(start, Limit(call.Attributes.Int("end", shape.Rank), shape.Rank));
        var dimensions = Array.ConvertAll(shape.Dimensions[start..end].ToArray(), dimension => (long)dimension);
        return new(dimensions, new Shape(dimensions.Length), OnnxElementType.Int64);
    }

    private static int Limit(long place, int rank) => (int)Math.Clamp(place < 0 ? place + rank : place, 0, rank);

    private static Shape ReshapeTarget<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (shape, wanted) = (call.Value(0).Shape, (long[])call.Integers(1).Clone());
        var (inferred, known) = (-1, 1.0);
        for (var i = 0; i < wanted.Length; i++)
        {
            if (wanted[i] == -1)
            {
                inferred = inferred < 0 ? i : throw new InvalidDataException($"[{string.Join(", ", wanted)}] has more than one −1");
                continue;
            }

            if (wanted[i] == 0 && !call.Attributes.Flag("allowzero"))
            {
                wanted[i] = i < shape.Rank ? shape[i] : throw new InvalidDataException($"a 0 in [{string.Join(", ", wanted)}] stands for a dimension that {shape} does not have");
            }

            known *= wanted[i];
        }

        if (inferred >= 0)
        {
            wanted[inferred] = known > 0 ? (long)(shape.ElementCount / known) : 0;
        }

        return call.Shape(wanted);
    }

    private static OnnxValue<T> Flatten<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var value = call.Value(0);
        var axis = call.Attributes.Int("axis", 1);
        var place = (int)(axis < 0 ? axis + value.Rank : axis);
        if (place < 0 || place > value.Rank)
        {
            throw new InvalidDataException($"there is no axis {axis} in {value.Shape}");
        }

        var outer = new Shape(value.Shape.Dimensions[..place]).ElementCount;
        return WithShape(value, new(outer, new Shape(value.Shape.Dimensions[place..]).ElementCount));
    }

    private static OnnxValue<T> Squeeze<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var value = call.Value(0);
        var axes = call.AttributeOrInput("axes", 1) is { } given ? NodeCall<T>.Axes(given, value.Rank) : null;
        var dimensions = new List<int>();
        for (var i = 0; i < value.Rank; i++)
        {
            if (axes is null ? value.Shape[i] != 1 : !axes.Contains(i))
            {
                dimensions.Add(value.Shape[i]);
            }
            else if (value.Shape[i] != 1)
            {
                throw new InvalidDataException($"the dimension {i} of {value.Shape} is not 1 and cannot be left out");
            }
        }

        return WithShape(value, new([.. dimensions]));
    }

    private static OnnxValue<T> Unsqueeze<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var value = call.Value(0);
        var given = call.AttributeOrInput("axes", 1) ?? throw new InvalidDataException("the axes are missing");
        if (given.Length + value.Rank > 16)
        {
            throw new InvalidDataException($"a shape of {given.Length + value.Rank} dimensions; up to 16 are supported");
        }

        var dimensions = value.Shape.Dimensions.ToArray().ToList();
        foreach (var axis in NodeCall<T>.Axes(given, given.Length + value.Rank))
        {
            dimensions.Insert(axis, 1);
        }

        return WithShape(value, new([.. dimensions]));
    }

    private static OnnxValue<T> ConstantOfShape<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var shape = call.Shape(call.Integers(0));
        if (call.Attributes.Tensor("value") is not { } tensor)
        {
            return Tensor<T>.Zeros(shape);
        }

        var value = TensorProtoConversion.Read<T>(tensor);
        if (value.Length != 1)
        {
            throw new InvalidDataException($"the value has {value.Length} elements; expected one");
        }

        if (value.IsFloatingPoint)
        {
            return Tensor<T>.Full(value.Tensor.AsReadOnlySpan()[0], shape);
        }

        var integers = new long[shape.ElementCount];
        Array.Fill(integers, value.Integers[0]);
        return new(integers, shape, value.ElementType);
    }

    private static OnnxValue<T> Range<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (call.Value(0).IsFloatingPoint)
        {
            var (start, limit, delta) = (call.Tensor(0).Item(), call.Tensor(1).Item(), call.Tensor(2).Item());
            return Tensor<T>.Arange(start, Count(call, Math.Ceiling(double.CreateTruncating((limit - start) / delta))), delta);
        }

        var (first, end, step) = (call.Integers(0)[0], call.Integers(1)[0], call.Integers(2)[0]);
        var count = step == 0 ? double.NaN : Math.Ceiling(((double)end - first) / step);
        var values = new long[Count(call, count)];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = first + (i * step);
        }

        return new(values, new Shape(values.Length), call.Value(0).ElementType);
    }

    private static int Count<T>(NodeCall<T> call, double count)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (double.IsNaN(count))
        {
            throw new InvalidDataException("a range without a step");
        }

        call.Run.CheckElements(count);
        return (int)Math.Max(0, Math.Min(count, int.MaxValue));
    }

    private static OnnxValue<T> EyeLike<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var like = call.Value(0);
        var (rows, columns, offset) = (like.Shape[0], like.Shape[1], call.Attributes.Int("k", 0));
        var values = new long[like.Length];
        for (var row = 0; row < rows; row++)
        {
            if (row + offset >= 0 && row + offset < columns)
            {
                values[(row * columns) + row + offset] = 1;
            }
        }

        return ArithmeticOperators.Cast(new OnnxValue<T>(values, like.Shape, OnnxElementType.Int64), (OnnxElementType)call.Attributes.Int("dtype", (int)like.ElementType));
    }
}
