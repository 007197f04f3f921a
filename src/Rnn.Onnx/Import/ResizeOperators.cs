using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>Resampling to another number of elements, axis by axis: the nearest element, or between the two nearest.</summary>
internal static class ResizeOperators
{
    internal static void Register<T>(OperatorSet<T> set)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        set.Add("Resize", call => Resize(call, call.Opset < 11 ? 1 : 2));
        set.Add("Upsample", call => Resize(call, 1));
    }

    private static OnnxValue<T> Resize<T>(NodeCall<T> call, int scalesInput)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var value = call.Value(0);
        var linear = (call.Attributes.String("mode") ?? "nearest") switch
        {
            "nearest" => false,
            "linear" => true,
            var mode => throw new InvalidDataException($"the mode {mode} is not supported"),
        };
        if (call.Attributes.Flag("antialias") || (call.Attributes.String("keep_aspect_ratio_policy") ?? "stretch") != "stretch")
        {
            throw new InvalidDataException("antialias and keep_aspect_ratio_policy are not supported");
        }

        int[] axes = call.Attributes.Ints("axes") is { } given ? [.. given.Select(axis => NodeCall<T>.Axis(axis, value.Rank))] : [.. Enumerable.Range(0, value.Rank)];
        var sizes = scalesInput == 2 ? call.OptionalIntegers(3) : null;
        var scales = call.Attributes.Floats("scales")?.Select(scale => (double)scale).ToArray()
            ?? (call.OptionalTensor(scalesInput) is { Length: > 0 } tensor ? Array.ConvertAll(tensor.ToArray(), double.CreateTruncating) : null);
        if ((sizes?.Length ?? scales?.Length) != axes.Length)
        {
            throw new InvalidDataException($"expected sizes or scales of {axes.Length} axes");
        }

        for (var i = 0; i < axes.Length; i++)
        {
            var old = value.Shape[axes[i]];
            var size = sizes is not null ? sizes[i] : checked((long)Math.Floor(old * scales![i]));
            var scale = sizes is not null ? (double)size / old : scales![i];
            if (size == old && (sizes is not null || scale == 1))
            {
                continue;
            }

            var dimensions = Array.ConvertAll(value.Shape.Dimensions.ToArray(), dimension => (long)dimension);
            dimensions[axes[i]] = size;
            _ = call.Shape(dimensions);
            if (old == 0 || size == 0)
            {
                throw new InvalidDataException($"{value} cannot be resampled to {size} elements");
            }

            // Which element is the nearest is decided in single precision, as other implementations do: it tells where places lie halfway.
            var places = Enumerable.Range(0, (int)size);
            value = linear
                ? Between(value, axes[i], [.. places.Select(place => Source(call, place, scale, old, (int)size))], old)
                : Movement.Select(value, axes[i], [.. places.Select(place => Nearest(call, Source(call, place, (float)scale, old, (int)size), old))]);
        }

        return value;
    }

    // The place among the old elements, a fraction, of an element of the result.
    private static TNumber Source<T, TNumber>(NodeCall<T> call, int index, TNumber scale, int old, int size)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TNumber : IFloatingPoint<TNumber>
    {
        var (place, half) = (TNumber.CreateTruncating(index), TNumber.CreateTruncating(0.5));
        return (call.Attributes.String("coordinate_transformation_mode") ?? (call.Opset < 11 ? "asymmetric" : "half_pixel")) switch
        {
            "half_pixel" => ((place + half) / scale) - half,
            "pytorch_half_pixel" => size > 1 ? ((place + half) / scale) - half : TNumber.Zero,
            "align_corners" => size > 1 ? place * TNumber.CreateTruncating(old - 1) / TNumber.CreateTruncating(size - 1) : TNumber.Zero,
            "asymmetric" => place / scale,
            var mode => throw new InvalidDataException($"the coordinate_transformation_mode {mode} is not supported"),
        };
    }

    private static int Nearest<T>(NodeCall<T> call, float place, int old)
        where T : unmanaged, IFloatingPointIeee754<T> => (int)Math.Clamp(
        (call.Attributes.String("nearest_mode") ?? (call.Opset < 11 ? "floor" : "round_prefer_floor")) switch
        {
            "floor" => MathF.Floor(place),
            "ceil" => MathF.Ceiling(place),
            "round_prefer_floor" => MathF.Ceiling(place - 0.5f),
            "round_prefer_ceil" => MathF.Floor(place + 0.5f),
            var mode => throw new InvalidDataException($"the nearest_mode {mode} is not supported"),
        },
        0,
        old - 1);

    private static OnnxValue<T> Between<T>(OnnxValue<T> value, int axis, double[] places, int old)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        places = Array.ConvertAll(places, place => Math.Clamp(place, 0, old - 1));
        var low = Array.ConvertAll(places, place => (int)place);
        var high = Array.ConvertAll(low, place => Math.Min(place + 1, old - 1));
        var shape = new Shape([places.Length, .. Enumerable.Repeat(1, value.Rank - 1 - axis)]);
        var share = Tensor<T>.From(places.Select((place, i) => T.CreateTruncating(place - low[i])).ToArray(), shape);
        var rest = Tensor<T>.From(places.Select((place, i) => T.CreateTruncating(1 - (place - low[i]))).ToArray(), shape);
        return (Movement.Select(value, axis, low).Floating * rest) + (Movement.Select(value, axis, high).Floating * share);
    }
}
