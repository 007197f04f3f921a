using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>Operators that find, pick or replace elements by their places.</summary>
internal static class IndexingOperators
{
    internal static void Register<T>(OperatorSet<T> set)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        set.AddSeveral("TopK", TopK);
        set.Add("NonZero", call => NonZero(call));
        set.Add("GatherND", call => GatherMany(call));
        set.Add("ScatterND", call => Scatter(call, PlacesMany(call)));
        set.Add("ScatterElements", call => Scatter(call, PlacesAlong(call)));
        set.Add("Scatter", call => Scatter(call, PlacesAlong(call)));
        set.Add("Compress", call => Compress(call));
        set.Add("Trilu", call => Triangle(call));
    }

    private static OnnxValue<T>?[] TopK<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var value = call.Value(0);
        var axis = NodeCall<T>.Axis(call.Attributes.Int("axis", -1), value.Rank);
        var (size, wanted) = (value.Shape[axis], call.Has(1) ? call.Integers(1)[0] : call.Attributes.RequiredInt("k"));
        if (wanted < 0 || wanted > size)
        {
            throw new InvalidDataException($"the {wanted} largest of {size} elements");
        }

        var (count, stride) = ((int)wanted, Broadcasting.Strides(value.Shape)[axis]);
        var dimensions = value.Shape.Dimensions.ToArray();
        dimensions[axis] = count;
        var shape = new Shape(dimensions);
        var keys = ArithmeticOperators.Cast(value, OnnxElementType.Double).Tensor.ToArray();
        var largest = call.Attributes.Int("largest", 1) != 0;
        var (places, indices) = (new int[shape.ElementCount], new long[shape.ElementCount]);
        var order = new int[size];
        for (var line = 0; line < (size == 0 ? 0 : value.Length / size); line++)
        {
            var start = (line / stride * stride * size) + (line % stride);
            for (var i = 0; i < size; i++)
            {
                order[i] = i;
            }

            // Equal elements in the order of their places.
            Array.Sort(order, (a, b) =>
            {
                var compared = keys[start + (a * stride)].CompareTo(keys[start + (b * stride)]);
                return compared != 0 ? (largest ? -compared : compared) : a.CompareTo(b);
            });
            var to = (line / stride * stride * count) + (line % stride);
            for (var i = 0; i < count; i++)
            {
                (places[to + (i * stride)], indices[to + (i * stride)]) = (start + (order[i] * stride), order[i]);
            }
        }

        return [Pick(value, places, shape), new(indices, shape, OnnxElementType.Int64)];
    }

    private static OnnxValue<T> NonZero<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var value = call.Value(0);
        var truths = ArithmeticOperators.Cast(value, OnnxElementType.Boolean).IntegerArray;
        var found = Enumerable.Range(0, truths.Length).Where(place => truths[place] != 0).ToArray();
        var (rank, strides) = (Math.Max(1, value.Rank), Broadcasting.Strides(value.Shape));
        var result = new long[rank * found.Length];
        for (var axis = 0; axis < value.Rank; axis++)
        {
            for (var i = 0; i < found.Length; i++)
            {
                result[(axis * found.Length) + i] = found[i] / strides[axis] % value.Shape[axis];
            }
        }

        return new(result, new(rank, found.Length), OnnxElementType.Int64);
    }

    private static OnnxValue<T> GatherMany<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (value, indices) = (call.Value(0), call.Value(1));
        var batch = call.Attributes.Int("batch_dims", 0);
        if (indices.Rank == 0 || batch < 0 || batch >= Math.Min(value.Rank, indices.Rank) || indices.Shape[-1] + batch > value.Rank || indices.Shape[-1] == 0
            || !value.Shape.Dimensions[..(int)batch].SequenceEqual(indices.Shape.Dimensions[..(int)batch]))
        {
            throw new InvalidDataException($"indices {indices.Shape} of {value.Shape} with {batch} batch dimensions");
        }

        var (depth, first) = (indices.Shape[-1], (int)batch);
        var (strides, tail) = (Broadcasting.Strides(value.Shape), value.Shape.Dimensions[(first + depth)..].ToArray());
        var inner = new Shape(tail).ElementCount;
        var batches = new Shape(indices.Shape.Dimensions[..first]).ElementCount;
        var shape = call.Shape([.. indices.Shape.Dimensions[..^1].ToArray().Select(size => (long)size), .. tail.Select(size => (long)size)]);
        var (places, rows) = (new int[shape.ElementCount], indices.Length / depth);
        for (var row = 0; row < rows; row++)
        {
            var start = batches == 0 || first == 0 ? 0 : row / (rows / batches) * strides[first - 1];
            start += Place(value.Shape, strides, first, indices.Integers.Slice(row * depth, depth));
            for (var i = 0; i < inner; i++)
            {
                places[(row * inner) + i] = start + i;
            }
        }

        return Pick(value, places, shape);
    }

    // For each element of the updates its place in the data.
    private static int[] PlacesMany<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (value, indices) = (call.Value(0), call.Value(1));
        if (indices.Rank == 0 || indices.Shape[-1] > value.Rank || indices.Shape[-1] == 0)
        {
            throw new InvalidDataException($"indices {indices.Shape} of {value.Shape}");
        }

        var (depth, strides) = (indices.Shape[-1], Broadcasting.Strides(value.Shape));
        var inner = new Shape(value.Shape.Dimensions[depth..]).ElementCount;
        call.Run.CheckElements((double)indices.Length / depth * inner);
        var places = new int[indices.Length / depth * inner];
        for (var i = 0; i < places.Length; i++)
        {
            places[i] = Place(value.Shape, strides, 0, indices.Integers.Slice(i / inner * depth, depth)) + (i % inner);
        }

        return places;
    }

    private static int[] PlacesAlong<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (value, indices) = (call.Value(0), call.Value(1));
        var axis = NodeCall<T>.Axis(call.Attributes.Int("axis", 0), value.Rank);
        if (indices.Rank != value.Rank || Enumerable.Range(0, value.Rank).Any(d => d != axis && indices.Shape[d] > value.Shape[d]))
        {
            throw new InvalidDataException($"indices {indices.Shape} of {value.Shape}");
        }

        var strides = Broadcasting.Strides(value.Shape);
        var stride = strides[axis];
        strides[axis] = 0;
        var places = Broadcasting.Strided(indices.Shape, strides, 0);
        for (var i = 0; i < places.Length; i++)
        {
            places[i] += Wrapped(indices.Integers[i], value.Shape[axis]) * stride;
        }

        return places;
    }

    // The data with some elements replaced: picked from data and updates side by side, so that gradients flow to both.
    private static OnnxValue<T> Scatter<T>(NodeCall<T> call, int[] places)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (value, updates) = (call.Value(0), call.Value(2));
        var reduction = call.Attributes.String("reduction") ?? "none";
        if (updates.Length != places.Length)
        {
            throw new InvalidDataException($"updates {updates.Shape} for {places.Length} places of {value.Shape}");
        }

        if (reduction != "none")
        {
            return Reduced(call, value, updates, places, reduction);
        }

        var sources = new int[value.Length];
        for (var i = 0; i < sources.Length; i++)
        {
            sources[i] = i;
        }

        for (var i = 0; i < places.Length; i++)
        {
            sources[places[i]] = value.Length + i;
        }

        var both = Movement.Concat(call, [ShapeOperators.WithShape(value, new(value.Length)), ShapeOperators.WithShape(updates, new(updates.Length))], 0);
        return ShapeOperators.WithShape(Movement.Select(both, 0, sources), value.Shape);
    }

    // Places that come several times: the first update of each is combined with the data, then the second, …
    private static OnnxValue<T> Reduced<T>(NodeCall<T> call, OnnxValue<T> value, OnnxValue<T> updates, int[] places, string reduction)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        (Func<Tensor<T>, Tensor<T>, Tensor<T>> Floating, Func<long, long, long> Whole) function = reduction switch
        {
            "add" => ((a, b) => a + b, (a, b) => a + b),
            "mul" => ((a, b) => a * b, (a, b) => a * b),
            "max" => ((a, b) => a.Maximum(b), Math.Max),
            "min" => ((a, b) => a.Minimum(b), Math.Min),
            _ => throw new InvalidDataException($"the reduction '{reduction}' is not supported"),
        };
        var flat = ShapeOperators.WithShape(value, new(value.Length));
        updates = ShapeOperators.WithShape(updates, new(updates.Length));
        var left = Enumerable.Range(0, places.Length).ToList();
        while (left.Count > 0)
        {
            var seen = new HashSet<int>();
            var round = left.Where(i => seen.Add(places[i])).ToArray();
            left = [.. left.Except(round)];

            // The update of each place of the data, or none.
            var (update, mask) = (new int[value.Length], new long[value.Length]);
            foreach (var i in round)
            {
                (update[places[i]], mask[places[i]]) = (i, 1);
            }

            var spread = Movement.Select(updates, 0, update);
            var chosen = new OnnxValue<T>(mask, new(mask.Length), OnnxElementType.Boolean);
            flat = flat.IsFloatingPoint
                ? Tensor<T>.Where(ArithmeticOperators.Cast(chosen, OnnxElementType.Float).Tensor, function.Floating(flat.Tensor, spread.Floating), flat.Tensor)
                : new OnnxValue<T>([.. mask.Select((isChosen, i) => isChosen != 0 ? Schema.IntegerTypes.Wrap(function.Whole(flat.IntegerArray[i], spread.IntegerArray[i]), flat.ElementType) : flat.IntegerArray[i])], flat.Shape, flat.ElementType);
        }

        return ShapeOperators.WithShape(flat, value.Shape);
    }

    private static OnnxValue<T> Compress<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (value, truths) = (call.Value(0), call.Integers(1));
        value = call.Attributes.Has("axis") ? value : ShapeOperators.WithShape(value, new(value.Length));
        var axis = NodeCall<T>.Axis(call.Attributes.Int("axis", 0), value.Rank);
        return truths.Length <= value.Shape[axis]
            ? Movement.Select(value, axis, [.. Enumerable.Range(0, truths.Length).Where(i => truths[i] != 0)])
            : throw new InvalidDataException($"{truths.Length} truth values for axis {axis} of {value.Shape}");
    }

    private static OnnxValue<T> Triangle<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var value = call.Value(0);
        if (value.Rank < 2)
        {
            throw new InvalidDataException($"a triangle of {value.Shape}");
        }

        var (rows, columns, upper, offset) = (value.Shape[-2], value.Shape[-1], call.Attributes.Int("upper", 1) != 0, call.OptionalIntegers(1)?[0] ?? 0);
        var mask = new long[rows * columns];
        for (var i = 0; i < mask.Length; i++)
        {
            var distance = (i % columns) - (i / columns);
            mask[i] = upper ? distance >= offset ? 1 : 0 : distance <= offset ? 1 : 0;
        }

        var shape = new Shape(rows, columns);
        var kept = new OnnxValue<T>(mask, shape, OnnxElementType.Int64);
        return value.IsFloatingPoint
            ? Tensor<T>.Where(ArithmeticOperators.Cast(kept, OnnxElementType.Float).Tensor, value.Tensor, Tensor<T>.Scalar(T.Zero))
            : ArithmeticOperators.Whole(call, value, kept, (number, keeps) => keeps != 0 ? number : 0);
    }

    private static OnnxValue<T> Pick<T>(OnnxValue<T> value, int[] places, Shape shape)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        ShapeOperators.WithShape(Movement.Select(ShapeOperators.WithShape(value, new(value.Length)), 0, places), shape);

    private static int Place(Shape shape, int[] strides, int first, ReadOnlySpan<long> index)
    {
        var place = 0;
        for (var d = 0; d < index.Length; d++)
        {
            place += Wrapped(index[d], shape[first + d]) * strides[first + d];
        }

        return place;
    }

    private static int Wrapped(long index, int size) => index >= -size && index < size
        ? (int)(index < 0 ? index + size : index)
        : throw new InvalidDataException($"the index {index} is not among {size} elements");
}
