using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>Normalisations, as they are in inference.</summary>
internal static class NormalizationOperators
{
    internal static void Register<T>(OperatorSet<T> set)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        set.AddSeveral("LayerNormalization", LayerNormalization);
        set.AddSeveral("BatchNormalization", BatchNormalization);
        set.Add("InstanceNormalization", call => InstanceNormalization(call));
        set.Add("GroupNormalization", call => GroupNormalization(call));
        set.Add("MeanVarianceNormalization", call =>
        {
            var x = call.Tensor(0);
            var centred = x - x.Mean(Axes(), true);
            return centred / centred.Square().Mean(Axes(), true).Sqrt().Add(T.CreateTruncating(1e-9));

            int[] Axes() => NodeCall<T>.Axes(call.Attributes.Ints("axes") ?? [0, 2, 3], x.Rank);
        });
        set.Add("RMSNormalization", call => RootMeanSquare(call));
        set.Add("LpNormalization", call =>
        {
            var x = call.Tensor(0);
            var axis = NodeCall<T>.Axis(call.Attributes.Int("axis", -1), x.Rank);
            return x / (call.Attributes.Int("p", 2) == 1 ? x.Abs().Sum(axis, true) : x.Square().Sum(axis, true).Sqrt());
        });
    }

    private static OnnxValue<T>?[] LayerNormalization<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var x = call.Tensor(0);
        var axis = NodeCall<T>.Axis(call.Attributes.Int("axis", -1), x.Rank);
        var (flat, inner) = Flat(x, axis);
        var epsilon = call.Attributes.Float("epsilon", 1e-5f);
        var y = flat.LayerNorm(Weights(call.Tensor(1), inner), call.OptionalTensor(2) is { } bias ? Weights(bias, inner) : null, epsilon).Reshape(x.Shape);
        if (!call.Wants(1) && !call.Wants(2))
        {
            return [y];
        }

        int[] kept = [.. x.Shape.Dimensions[..axis], .. Enumerable.Repeat(1, x.Rank - axis)];
        var mean = flat.Mean(1, true);
        var inverse = Tensor<T>.Ones(1) / (flat - mean).Square().Mean(1, true).Add(T.CreateTruncating(epsilon)).Sqrt();
        return [y, mean.Reshape(new Shape(kept)), inverse.Reshape(new Shape(kept))];
    }

    private static OnnxValue<T> RootMeanSquare<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var x = call.Tensor(0);
        var (flat, inner) = Flat(x, NodeCall<T>.Axis(call.Attributes.Int("axis", -1), x.Rank));
        return flat.RmsNorm(Weights(call.Tensor(1), inner), 1, call.Attributes.Float("epsilon", 1e-5f)).Reshape(x.Shape);
    }

    // [rows, what is normalised together], and the shape of that.
    private static (Tensor<T> Flat, Shape Inner) Flat<T>(Tensor<T> x, int axis)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var inner = new Shape(x.Shape.Dimensions[axis..]);
        return inner.ElementCount > 0
            ? (x.Reshape(new Shape(x.Length / inner.ElementCount, inner.ElementCount)), inner)
            : throw new InvalidDataException($"nothing to normalise in {x.Shape}");
    }

    private static Tensor<T> Weights<T>(Tensor<T> weights, Shape inner)
        where T : unmanaged, IFloatingPointIeee754<T> => (weights.Shape == inner ? weights : weights.BroadcastTo(inner)).Reshape(new Shape(inner.ElementCount));

    private static OnnxValue<T>?[] BatchNormalization<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (call.Attributes.Flag("training_mode"))
        {
            throw new InvalidDataException("training_mode = 1 is not supported; export the model for inference");
        }

        var x = call.Tensor(0);
        var (scale, bias, mean, variance) = (Channels(call, 1, x), Channels(call, 2, x), Channels(call, 3, x), Channels(call, 4, x));
        var factor = scale / variance.Add(T.CreateTruncating(call.Attributes.Float("epsilon", 1e-5f))).Sqrt();
        return [((x - mean) * factor) + bias];
    }

    private static OnnxValue<T> InstanceNormalization<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var x = call.Tensor(0);
        if (x.Rank < 3)
        {
            throw new InvalidDataException($"expected [batch, channels, …] but got {x.Shape}");
        }

        var (scale, bias) = (Channels(call, 1, x), Channels(call, 2, x));
        int[] axes = [.. Enumerable.Range(2, x.Rank - 2)];
        var centred = x - x.Mean(axes, true);
        var deviation = centred.Square().Mean(axes, true).Add(T.CreateTruncating(call.Attributes.Float("epsilon", 1e-5f))).Sqrt();
        return (centred / deviation * scale) + bias;
    }

    private static OnnxValue<T> GroupNormalization<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (x, groups) = (call.Tensor(0), call.Attributes.RequiredInt("num_groups"));
        if (x.Rank < 3 || groups < 1 || x.Shape[1] % groups != 0 || x.Length == 0)
        {
            throw new InvalidDataException($"{groups} groups of the channels of {x.Shape}");
        }

        // Up to version 20 scale and shift are one for each group, then one for each channel.
        var grouped = x.Reshape((int)(x.Shape[0] * groups), (int)(x.Length / (x.Shape[0] * groups)));
        var centred = grouped - grouped.Mean(1, true);
        var normal = centred / centred.Square().Mean(1, true).Add(T.CreateTruncating(call.Attributes.Float("epsilon", 1e-5f))).Sqrt();
        if (call.Opset >= 21)
        {
            return (normal.Reshape(x.Shape) * Channels(call, 1, x)) + Channels(call, 2, x);
        }

        var parts = normal.Reshape(x.Shape[0], (int)groups, grouped.Shape[1]);
        return ((parts * Channels(call, 1, parts)) + Channels(call, 2, parts)).Reshape(x.Shape);
    }

    // One number for each channel of [N, C, …], or of [N] for the only one.
    private static Tensor<T> Channels<T>(NodeCall<T> call, int input, Tensor<T> x)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var values = call.Tensor(input);
        var channels = x.Rank > 1 ? x.Shape[1] : 1;
        if (values.Length != channels)
        {
            throw new InvalidDataException($"{values.Shape} for {channels} channels of {x.Shape}");
        }

        int[] shape = [channels, .. Enumerable.Repeat(1, Math.Max(0, x.Rank - 2))];
        return values.Reshape(new Shape(shape));
    }
}
