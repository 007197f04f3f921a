using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>Sums, means, extremes and norms over axes, the places of extremes, and softmax.</summary>
internal static class ReductionOperators
{
    internal static void Register<T>(OperatorSet<T> set)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Add(set, "ReduceSum", (x, axes, keep) => x.Sum(axes, keep), (a, b) => a + b, 0);
        Add(set, "ReduceMean", (x, axes, keep) => x.Mean(axes, keep), null, 0);
        Add(set, "ReduceMax", (x, axes, keep) => x.Max(axes, keep), Math.Max, long.MinValue);
        Add(set, "ReduceMin", (x, axes, keep) => x.Min(axes, keep), Math.Min, long.MaxValue);
        Add(set, "ReduceL1", (x, axes, keep) => x.Abs().Sum(axes, keep), null, 0);
        Add(set, "ReduceL2", (x, axes, keep) => x.Square().Sum(axes, keep).Sqrt(), null, 0);
        Add(set, "ReduceSumSquare", (x, axes, keep) => x.Square().Sum(axes, keep), (a, b) => a + (b * b), 0);
        Add(set, "ReduceLogSum", (x, axes, keep) => x.Sum(axes, keep).Log(), null, 0);
        Add(set, "ReduceLogSumExp", (x, axes, keep) => x.LogSumExp(axes, keep), null, 0);
        Add(set, "ReduceProd", Product, (a, b) => a * b, 1);
        set.Add("ArgMax", call => Extreme(call, largest: true));
        set.Add("ArgMin", call => Extreme(call, largest: false));
        set.Add("Softmax", call => Softmax(call, (x, axis) => x.Softmax(axis)));
        set.Add("LogSoftmax", call => Softmax(call, (x, axis) => x.LogSoftmax(axis)));
        set.Add("Hardmax", call =>
        {
            // One where the largest is, the first of several.
            var x = call.Tensor(0);
            var axis = NodeCall<T>.Axis(call.Attributes.Int("axis", call.Opset < 13 ? 1 : -1), x.Rank);
            var outer = new Shape(x.Shape.Dimensions[..axis]).ElementCount;
            var size = call.Opset < 13 ? x.Length / Math.Max(1, outer) : x.Shape[axis];
            var inner = size == 0 ? 0 : x.Length / outer / size;
            var result = new T[x.Length];
            var places = size == 0 ? [] : Extremes<T>(x.AsReadOnlySpan(), outer, size, inner, largest: true, last: false);
            for (var i = 0; i < places.Length; i++)
            {
                result[(((i / inner * size) + (int)places[i]) * inner) + (i % inner)] = T.One;
            }

            return Tensor<T>.From(result, x.Shape);
        });
        set.Add("CumSum", call => CumulativeSum(call));
    }

    /// <summary>The axes that a reduction runs over; null for none at all.</summary>
    internal static int[]? Axes<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var rank = call.Value(0).Rank;
        var given = call.AttributeOrInput("axes", 1);
        return given is { Length: > 0 } ? NodeCall<T>.Axes(given, rank)
            : call.Attributes.Flag("noop_with_empty_axes") ? null : [.. Enumerable.Range(0, rank)];
    }

    private delegate Tensor<T> Reduction<T>(Tensor<T> x, int[] axes, bool keep)
        where T : unmanaged, IFloatingPointIeee754<T>;

    private static void Add<T>(OperatorSet<T> set, string name, Reduction<T> floating, Func<long, long, long>? whole, long start)
        where T : unmanaged, IFloatingPointIeee754<T> => set.Add(name, call =>
        {
            var (value, axes, keeps) = (call.Value(0), Axes(call), call.Attributes.Int("keepdims", 1) != 0);
            if (axes is null || (axes.Length == 0 && value.IsFloatingPoint && name is not ("ReduceL1" or "ReduceL2" or "ReduceSumSquare" or "ReduceLogSum")))
            {
                return value;
            }

            if (value.IsFloatingPoint)
            {
                return axes.Length > 0 ? floating(value.Tensor, axes, keeps) : floating(value.Tensor.Reshape(1), [0], false);
            }

            return whole is not null ? Whole(value, axes, keeps, whole, start) : throw new InvalidDataException($"whole numbers ({value}) are not supported");
        });

    private static OnnxValue<T> Whole<T>(OnnxValue<T> value, int[] axes, bool keeps, Func<long, long, long> function, long start)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var kept = value.Shape.Dimensions.ToArray();
        foreach (var axis in axes)
        {
            kept[axis] = 1;
        }

        var (map, source) = (Broadcasting.Map(new(kept), value.Shape), value.IntegerArray);
        var result = new long[new Shape(kept).ElementCount];
        Array.Fill(result, start);
        for (var i = 0; i < map.Length; i++)
        {
            result[map[i]] = function(result[map[i]], source[i]);
        }

        var shape = keeps ? new Shape(kept) : new([.. kept.Where((_, axis) => !axes.Contains(axis))]);
        return new(Array.ConvertAll(result, number => Schema.IntegerTypes.Wrap(number, value.ElementType)), shape, value.ElementType);
    }

    private static Tensor<T> Product<T>(Tensor<T> x, int[] axes, bool keep)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var axis in axes.Reverse())
        {
            var product = x.Shape[axis] == 0 ? Tensor<T>.Ones([.. x.Shape.Dimensions[..axis], .. x.Shape.Dimensions[(axis + 1)..]]) : x.Select(axis, 0);
            for (var i = 1; i < x.Shape[axis]; i++)
            {
                product *= x.Select(axis, i);
            }

            x = keep ? product.Unsqueeze(axis) : product;
        }

        return x;
    }

    private static OnnxValue<T> Extreme<T>(NodeCall<T> call, bool largest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var value = call.Value(0);
        var axis = NodeCall<T>.Axis(call.Attributes.Int("axis", 0), value.Rank);
        var size = value.Shape[axis];
        if (size == 0)
        {
            throw new InvalidDataException($"an extreme of no elements along axis {axis} of {value.Shape}");
        }

        var inner = new Shape(value.Shape.Dimensions[(axis + 1)..]).ElementCount;
        var outer = new Shape(value.Shape.Dimensions[..axis]).ElementCount;
        var result = value.IsFloatingPoint
            ? Extremes<T>(value.Tensor.AsReadOnlySpan(), outer, size, inner, largest, call.Attributes.Flag("select_last_index"))
            : Extremes<long>(value.Integers, outer, size, inner, largest, call.Attributes.Flag("select_last_index"));
        int[] dimensions = [.. value.Shape.Dimensions[..axis], .. call.Attributes.Int("keepdims", 1) != 0 ? [1] : Array.Empty<int>(), .. value.Shape.Dimensions[(axis + 1)..]];
        return new(result, new(dimensions), OnnxElementType.Int64);
    }

    private static long[] Extremes<TElement>(ReadOnlySpan<TElement> values, int outer, int size, int inner, bool largest, bool last)
        where TElement : INumber<TElement>
    {
        var result = new long[outer * inner];
        for (var o = 0; o < outer; o++)
        {
            for (var i = 0; i < inner; i++)
            {
                var start = (o * size * inner) + i;
                var best = 0;
                for (var k = 1; k < size; k++)
                {
                    var order = values[start + (k * inner)].CompareTo(values[start + (best * inner)]);
                    order = largest ? order : -order;
                    best = order > 0 || (order == 0 && last) ? k : best;
                }

                result[(o * inner) + i] = best;
            }
        }

        return result;
    }

    // Before version 13 all dimensions from the axis on are one, by default those behind the first.
    private static OnnxValue<T> Softmax<T>(NodeCall<T> call, Func<Tensor<T>, int, Tensor<T>> function)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var x = call.Tensor(0);
        if (call.Opset >= 13)
        {
            return function(x, NodeCall<T>.Axis(call.Attributes.Int("axis", -1), x.Rank));
        }

        var axis = NodeCall<T>.Axis(call.Attributes.Int("axis", 1), x.Rank);
        var outer = new Shape(x.Shape.Dimensions[..axis]).ElementCount;
        return function(x.Reshape([outer, new Shape(x.Shape.Dimensions[axis..]).ElementCount]), 1).Reshape(x.Shape);
    }

    private static OnnxValue<T> CumulativeSum<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var x = ArithmeticOperators.Cast(call.Value(0), OnnxElementType.Float).Tensor;
        var axis = NodeCall<T>.Axis(call.Integers(1)[0], x.Rank);
        var sums = x.CumulativeSum(axis, call.Attributes.Flag("reverse"));
        OnnxValue<T> result = call.Attributes.Flag("exclusive") ? sums - x : sums;
        return call.Value(0).IsFloatingPoint ? result : ArithmeticOperators.Cast(result, call.Value(0).ElementType);
    }
}
