using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>Operators that put elements in other places, leave some out or repeat them.</summary>
internal static class MovementOperators
{
    /// <summary>Those whose outputs are elements of their floating-point inputs, chosen by shapes and whole numbers alone.</summary>
    internal static readonly string[] Movers = ["Transpose", "Concat", "Slice", "Split", "Gather", "Expand", "Tile", "Pad", "GatherElements", "ReverseSequence", "DepthToSpace", "SpaceToDepth"];

    internal static void Register<T>(OperatorSet<T> set)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        set.Add("Transpose", call => Transpose(call));
        set.Add("Concat", call =>
        {
            var values = Enumerable.Range(0, call.InputCount).Select(call.Value).ToArray();
            return Movement.Concat(call, values, NodeCall<T>.Axis(call.Attributes.RequiredInt("axis"), call.Value(0).Rank));
        });
        set.Add("Slice", call => Slice(call));
        set.AddSeveral("Split", Split);
        set.Add("Gather", call => Gather(call));
        set.Add("GatherElements", call => GatherElements(call));
        set.Add("Expand", call => Movement.Expand(call.Value(0), call.Broadcast(call.Value(0).Shape, call.Shape(call.Integers(1)))));
        set.Add("Tile", call => Tile(call));
        set.Add("Pad", call => Pad(call));
        set.Add("ReverseSequence", call => ReverseSequence(call));
        set.Add("DepthToSpace", call => Blocks(call, toSpace: true));
        set.Add("SpaceToDepth", call => Blocks(call, toSpace: false));
        set.Add("OneHot", call => OneHot(call));
    }

    /// <summary>A value with elements added before and behind each dimension, or taken away where the number is negative.</summary>
    /// <param name="call">The node.</param>
    /// <param name="value">The value.</param>
    /// <param name="before">For each dimension how many before.</param>
    /// <param name="after">For each dimension how many behind.</param>
    /// <param name="fill">A scalar of the same type to fill with, or null to repeat what is there by <paramref name="mode"/>.</param>
    /// <param name="mode"><c>edge</c>, <c>reflect</c> or <c>wrap</c>.</param>
    internal static OnnxValue<T> Pad<T>(NodeCall<T> call, OnnxValue<T> value, long[] before, long[] after, OnnxValue<T>? fill, string mode)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var axis = 0; axis < value.Rank; axis++)
        {
            var (low, high, size) = (before[axis], after[axis], value.Shape[axis]);
            if (low == 0 && high == 0)
            {
                continue;
            }

            var dimensions = Array.ConvertAll(value.Shape.Dimensions.ToArray(), dimension => (long)dimension);
            dimensions[axis] = checked(size + low + high);
            var shape = call.Shape(dimensions);
            if (fill is null)
            {
                var (from, axisSize) = (-low, size);
                value = Movement.Select(value, axis, [.. Enumerable.Range(0, shape[axis]).Select(i => Source(i + from, axisSize, mode))]);
                continue;
            }

            var (first, last) = ((int)Math.Max(0, -low), (int)(size - Math.Max(0, -high)));
            if (first > last)
            {
                throw new InvalidDataException($"more elements are taken away along axis {axis} than {value.Shape} has");
            }

            var parts = new List<OnnxValue<T>>();
            AddFill(parts, fill, value.Shape, axis, low);
            parts.Add(Movement.Select(value, axis, [.. Enumerable.Range(first, last - first)]));
            AddFill(parts, fill, value.Shape, axis, high);
            value = Movement.Concat(call, parts, axis);
        }

        return value;
    }

    private static OnnxValue<T> Transpose<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var value = call.Value(0);
        var order = call.Attributes.Ints("perm") is { } given
            ? Array.ConvertAll(given, axis => NodeCall<T>.Axis(axis, value.Rank))
            : [.. Enumerable.Range(0, value.Rank).Reverse()];
        if (order.Length != value.Rank || order.Distinct().Count() != order.Length)
        {
            throw new InvalidDataException($"[{string.Join(", ", order)}] does not name every dimension of {value.Shape} once");
        }

        return order.Length < 2 ? value : Movement.Transpose(value, order);
    }

    private static OnnxValue<T> Slice<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var value = call.Value(0);
        var starts = call.AttributeOrInput("starts", 1) ?? throw new InvalidDataException("the starts are missing");
        var ends = call.AttributeOrInput("ends", 2) ?? throw new InvalidDataException("the ends are missing");
        var axes = call.AttributeOrInput("axes", 3) ?? [.. Enumerable.Range(0, starts.Length).Select(axis => (long)axis)];
        var steps = call.OptionalIntegers(4) ?? [.. Enumerable.Repeat(1L, starts.Length)];
        if (ends.Length != starts.Length || axes.Length != starts.Length || steps.Length != starts.Length)
        {
            throw new InvalidDataException($"{starts.Length} starts, {ends.Length} ends, {axes.Length} axes and {steps.Length} steps");
        }

        _ = NodeCall<T>.Axes(axes, value.Rank);
        for (var i = 0; i < starts.Length; i++)
        {
            var axis = NodeCall<T>.Axis(axes[i], value.Rank);
            value = Movement.Select(value, axis, Indices(starts[i], ends[i], steps[i], value.Shape[axis]));
        }

        return value;
    }

    // As Python's slices: what reaches outside is cut off.
    private static int[] Indices(long start, long end, long step, int size)
    {
        if (step == 0)
        {
            throw new InvalidDataException("a step of zero");
        }

        var (lowest, highest) = step > 0 ? (0, size) : (-1, size - 1);
        start = Math.Clamp(start < 0 ? start + size : start, lowest, highest);
        end = Math.Clamp(end < 0 ? Math.Max(end, -size - 1L) + size : end, lowest, highest);
        var indices = new List<int>();
        if (step > 0)
        {
            for (var i = start; i < end; i += Math.Min(step, int.MaxValue))
            {
                indices.Add((int)i);
            }
        }
        else
        {
            for (var i = start; i > end; i += Math.Max(step, int.MinValue))
            {
                indices.Add((int)i);
            }
        }

        return [.. indices];
    }

    private static OnnxValue<T>?[] Split<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var value = call.Value(0);
        var axis = NodeCall<T>.Axis(call.Attributes.Int("axis", 0), value.Rank);
        var size = value.Shape[axis];
        var sizes = call.AttributeOrInput("split", 1);
        if (sizes is null)
        {
            var parts = (int)Math.Clamp(call.Attributes.Int("num_outputs", call.Node.Outputs.Length), 1, Math.Max(1, call.Node.Outputs.Length));
            var each = (size + parts - 1) / parts;
            sizes = [.. Enumerable.Range(0, parts).Select(part => Math.Clamp(size - ((long)part * each), 0, each))];
        }

        if (sizes.Any(part => part < 0) || sizes.Sum() != size)
        {
            throw new InvalidDataException($"parts of [{string.Join(", ", sizes)}] do not add up to the {size} along axis {axis} of {value.Shape}");
        }

        var (result, start) = (new OnnxValue<T>?[sizes.Length], 0);
        for (var i = 0; i < sizes.Length; i++)
        {
            result[i] = call.Wants(i) ? Movement.Select(value, axis, [.. Enumerable.Range(start, (int)sizes[i])]) : null;
            start += (int)sizes[i];
        }

        return result;
    }

    private static OnnxValue<T> Gather<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (value, places) = (call.Value(0), call.Value(1));
        var axis = NodeCall<T>.Axis(call.Attributes.Int("axis", 0), value.Rank);
        var indices = Array.ConvertAll(call.Integers(1), index => Wrapped(index, value.Shape[axis]));
        var shape = new Shape([.. value.Shape.Dimensions[..axis], .. places.Shape.Dimensions, .. value.Shape.Dimensions[(axis + 1)..]]);
        call.Run.CheckElements(Math.Max(0, (double)shape.ElementCount - value.Length));
        return ShapeOperators.WithShape(Movement.Select(value, axis, indices), shape);
    }

    private static int Wrapped(long index, int size) => index >= -size && index < size
        ? (int)(index < 0 ? index + size : index)
        : throw new InvalidDataException($"the index {index} is not among {size} elements");

    private static OnnxValue<T> GatherElements<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (value, places) = (call.Value(0), call.Value(1));
        var axis = NodeCall<T>.Axis(call.Attributes.Int("axis", 0), value.Rank);
        if (places.Rank != value.Rank)
        {
            throw new InvalidDataException($"indices {places.Shape} of {value.Shape}");
        }

        for (var d = 0; d < value.Rank; d++)
        {
            if (d != axis && places.Shape[d] > value.Shape[d])
            {
                throw new InvalidDataException($"indices {places.Shape} reach outside of {value.Shape}");
            }
        }

        var strides = Broadcasting.Strides(value.Shape);
        var stride = strides[axis];
        strides[axis] = 0;
        var map = Broadcasting.Strided(places.Shape, strides, 0);
        var indices = places.IntegerArray;
        for (var i = 0; i < map.Length; i++)
        {
            map[i] += Wrapped(indices[i], value.Shape[axis]) * stride;
        }

        return ShapeOperators.WithShape(Movement.Select(ShapeOperators.WithShape(value, new(value.Length)), 0, map), places.Shape);
    }

    private static OnnxValue<T> Tile<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (value, repeats) = (call.Value(0), call.Integers(1));
        if (repeats.Length != value.Rank || repeats.Any(repeat => repeat < 0))
        {
            throw new InvalidDataException($"repeats [{string.Join(", ", repeats)}] of {value.Shape}");
        }

        _ = call.Shape([.. value.Shape.Select((dimension, i) => checked(dimension * repeats[i]))]);
        for (var axis = 0; axis < value.Rank; axis++)
        {
            var size = value.Shape[axis];
            value = repeats[axis] == 1 ? value : Movement.Select(value, axis, [.. Enumerable.Range(0, (int)(size * repeats[axis])).Select(i => i % size)]);
        }

        return value;
    }

    private static OnnxValue<T> Pad<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var value = call.Value(0);
        var pads = call.AttributeOrInput("pads", 1) ?? call.Attributes.Ints("paddings") ?? throw new InvalidDataException("the pads are missing");
        var axes = call.OptionalIntegers(3) is { } given ? Array.ConvertAll(given, axis => NodeCall<T>.Axis(axis, value.Rank)) : [.. Enumerable.Range(0, value.Rank)];
        if (pads.Length != 2 * axes.Length || axes.Distinct().Count() != axes.Length)
        {
            throw new InvalidDataException($"{pads.Length} pads for {axes.Length} axes of {value.Shape}");
        }

        var (before, after) = (new long[value.Rank], new long[value.Rank]);
        for (var i = 0; i < axes.Length; i++)
        {
            (before[axes[i]], after[axes[i]]) = (pads[i], pads[axes.Length + i]);
        }

        var mode = call.Attributes.String("mode") ?? "constant";
        return mode switch
        {
            "constant" => Pad(call, value, before, after, Fill(call), mode),
            "edge" or "reflect" or "wrap" => Pad(call, value, before, after, null, mode),
            _ => throw new InvalidDataException($"the mode '{mode}' is not supported"),
        };
    }

    private static OnnxValue<T> Fill<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T> => call.Optional(2) is { } value
        ? ShapeOperators.WithShape(value, new Shape())
        : call.Value(0).IsFloatingPoint ? Tensor<T>.Scalar(T.CreateTruncating(call.Attributes.Float("value", 0))) : new OnnxValue<T>([0], new Shape(), call.Value(0).ElementType);

    private static void AddFill<T>(List<OnnxValue<T>> parts, OnnxValue<T> fill, Shape shape, int axis, long count)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (count > 0)
        {
            var dimensions = shape.Dimensions.ToArray();
            dimensions[axis] = (int)count;
            parts.Add(Movement.Expand(fill, new(dimensions)));
        }
    }

    private static int Source(long i, int size, string mode)
    {
        if (size == 0)
        {
            throw new InvalidDataException("there is nothing to pad with");
        }

        switch (mode)
        {
            case "edge":
                return (int)Math.Clamp(i, 0, size - 1);
            case "wrap":
                return (int)(((i % size) + size) % size);
            default:
                var period = Math.Max(1, 2 * (size - 1L));
                var place = ((i % period) + period) % period;
                return (int)(place < size ? place : period - place);
        }
    }

    private static OnnxValue<T> ReverseSequence<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (value, lengths) = (call.Value(0), call.Integers(1));
        var (time, batch) = (NodeCall<T>.Axis(call.Attributes.Int("time_axis", 0), value.Rank), NodeCall<T>.Axis(call.Attributes.Int("batch_axis", 1), value.Rank));
        var strides = Broadcasting.Strides(value.Shape);
        if (time == batch || lengths.Length != value.Shape[batch] || lengths.Any(length => length < 0 || length > value.Shape[time]))
        {
            throw new InvalidDataException($"lengths [{string.Join(", ", lengths.Take(8))}] of {value.Shape}");
        }

        var map = Broadcasting.Strided(value.Shape, strides, 0);
        for (var i = 0; i < map.Length; i++)
        {
            var (step, row) = (i / strides[time] % value.Shape[time], i / strides[batch] % value.Shape[batch]);
            map[i] += step < lengths[row] ? (int)(lengths[row] - 1 - (2 * step)) * strides[time] : 0;
        }

        return ShapeOperators.WithShape(Movement.Select(ShapeOperators.WithShape(value, new(value.Length)), 0, map), value.Shape);
    }

    // Channels to blocks of b × b elements, or back.
    private static OnnxValue<T> Blocks<T>(NodeCall<T> call, bool toSpace)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (value, size) = (call.Value(0), call.Attributes.RequiredInt("blocksize"));
        var fits = value.Rank == 4 && size is > 0 and < 1 << 15
            && (toSpace ? value.Shape[1] % (size * size) == 0 : value.Shape[2] % size == 0 && value.Shape[3] % size == 0);
        if (!fits)
        {
            throw new InvalidDataException($"blocks of {size} in {value.Shape}");
        }

        var b = (int)size;
        var (n, c, h, w) = (value.Shape[0], value.Shape[1], value.Shape[2], value.Shape[3]);
        if (!toSpace)
        {
            return ShapeOperators.WithShape(Movement.Transpose(ShapeOperators.WithShape(value, new(n, c, h / b, b, w / b, b)), [0, 3, 5, 1, 2, 4]), new(n, c * b * b, h / b, w / b));
        }

        var isColumnFirst = (call.Attributes.String("mode") ?? "DCR") == "CRD";
        var split = ShapeOperators.WithShape(value, isColumnFirst ? new(n, c / (b * b), b, b, h, w) : new(n, b, b, c / (b * b), h, w));
        return ShapeOperators.WithShape(Movement.Transpose(split, isColumnFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]), new(n, c / (b * b), h * b, w * b));
    }

    private static OnnxValue<T> OneHot<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var indices = ArithmeticOperators.Cast(call.Value(0), OnnxElementType.Int64);
        var depth = ArithmeticOperators.Cast(call.Value(1), OnnxElementType.Int64).Integers[0];
        var axis = NodeCall<T>.Axis(call.Attributes.Int("axis", -1), indices.Rank + 1);
        var shape = call.Shape([.. indices.Shape.Select(dimension => (long)dimension), depth]);
        var map = new int[shape.ElementCount];
        for (var i = 0; i < indices.Length; i++)
        {
            var index = indices.Integers[i];
            if (index >= -depth && index < depth)
            {
                map[(i * depth) + (index < 0 ? index + depth : index)] = 1;
            }
        }

        var last = ShapeOperators.WithShape(Movement.Select(call.Value(2), 0, map), shape);
        int[] order = [.. Enumerable.Range(0, axis), indices.Rank, .. Enumerable.Range(axis, indices.Rank - axis)];
        return indices.Rank == 0 ? last : Movement.Transpose(last, order);
    }
}
