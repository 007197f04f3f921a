using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>Convolutions over any number of dimensions, by gathered patches and one product for each group, and poolings.</summary>
internal static class ConvolutionOperators
{
    internal static void Register<T>(OperatorSet<T> set)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        set.Add("Conv", call => Convolve(call));
        set.Add("ConvTranspose", call => ConvolveTransposed(call));
        set.Add("MaxPool", call => Pool(call, double.NegativeInfinity, (patches, _) => patches.Max(-1)));
        set.Add("AveragePool", call => Pool(call, 0, (patches, counts) => patches.Sum(-1) / counts));
        set.Add("LpPool", call => Norm(call) switch
        {
            1 => Pool(call, 0, (patches, _) => patches.Abs().Sum(-1)),
            2 => Pool(call, 0, (patches, _) => patches.Square().Sum(-1).Sqrt()),
            var p => Pool(call, 0, (patches, _) => patches.Abs().Power(p).Sum(-1).Power(1 / p)),
        });
        set.Add("GlobalLpPool", call => Global(call, (x, axes) => Norm(call) == 2 ? x.Square().Sum(axes, true).Sqrt() : x.Abs().Power(Norm(call)).Sum(axes, true).Power(1 / Norm(call))));
        set.Add("GlobalAveragePool", call => Global(call, (x, axes) => x.Mean(axes, true)));
        set.Add("GlobalMaxPool", call => Global(call, (x, axes) => x.Max(axes, true)));
    }

    /// <summary>A convolution of the first input with the second, plus the third.</summary>
    internal static OnnxValue<T> Convolve<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T> => AddBias(Convolve(call, call.Tensor(0), call.Tensor(1)), call.OptionalTensor(2));

    /// <summary>A convolution with the attributes of a node.</summary>
    internal static Tensor<T> Convolve<T>(NodeCall<T> call, Tensor<T> x, Tensor<T> weight)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var groups = Groups(call, x, weight, outputsFirst: true);
        var window = new Window(call.Attributes, x.Shape, weight.Shape.Dimensions[2..]);
        return Apply(call, window.Padded(call, x, T.Zero), weight, window, groups);
    }

    // Every input spreads over a window of outputs. Zeros between the inputs and around them make it a convolution with the window turned round.
    private static OnnxValue<T> ConvolveTransposed<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (x, weight) = (call.Tensor(0), call.Tensor(1));
        var groups = Groups(call, x, weight, outputsFirst: false);
        var kernel = weight.Shape.Dimensions[2..];
        var window = new Window(call.Attributes, x.Shape, kernel, transposed: true);
        for (var d = 0; d < kernel.Length; d++)
        {
            var axis = d + 2;
            var stride = window.Strides[d];
            if (stride > 1 && x.Shape[axis] > 0)
            {
                call.Run.CheckElements((double)x.Length * stride);
                var spread = Tensor<T>.Concat([x.Unsqueeze(axis + 1), Tensor<T>.Zeros([.. x.Shape.Dimensions[..(axis + 1)], stride - 1, .. x.Shape.Dimensions[(axis + 1)..]])], axis + 1);
                int[] merged = [.. x.Shape.Dimensions[..axis], x.Shape[axis] * stride, .. x.Shape.Dimensions[(axis + 1)..]];
                x = spread.Reshape(new Shape(merged)).Slice(axis, ..(merged[axis] - stride + 1));
            }

            weight = kernel[d] > 1 ? weight.IndexSelect(axis, [.. Enumerable.Range(0, kernel[d]).Reverse()]) : weight;
        }

        // [C, M/groups, …] becomes [M, C/groups, …].
        var (channels, outputs) = (weight.Shape[0], weight.Shape[1]);
        weight = weight.Reshape([groups, channels / groups, outputs, .. kernel]).Transpose(1, 2).Reshape([groups * outputs, channels / groups, .. kernel]);
        var plain = window.TransposedWindow(x.Shape, kernel);
        return AddBias(Apply(call, plain.Padded(call, x, T.Zero), weight, plain, groups), call.OptionalTensor(2));
    }

    private static int Groups<T>(NodeCall<T> call, Tensor<T> x, Tensor<T> weight, bool outputsFirst)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var groups = call.Attributes.Int("group", 1);
        var fits = x.Rank >= 3 && weight.Rank == x.Rank && groups > 0 && groups <= Math.Max(1, x.Shape[1])
            && (outputsFirst ? weight.Shape[1] * groups == x.Shape[1] && weight.Shape[0] % groups == 0 : weight.Shape[0] == x.Shape[1] && x.Shape[1] % groups == 0);
        return fits && weight.Length > 0 ? (int)groups : throw new InvalidDataException($"weights {weight.Shape} in {groups} groups for the input {x.Shape}");
    }

    /// <summary>A number for each channel of [N, C, …] added, if there is any.</summary>
    internal static Tensor<T> AddBias<T>(Tensor<T> y, Tensor<T>? bias)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (bias is null)
        {
            return y;
        }

        var shape = new int[y.Rank - 1];
        Array.Fill(shape, 1);
        shape[0] = bias.Length == y.Shape[1] ? bias.Length : throw new InvalidDataException($"a bias {bias.Shape} for {y.Shape[1]} channels");
        return y + bias.Reshape(new Shape(shape));
    }

    // x [N, C, …], padded; weights [M, C/groups, …].
    private static Tensor<T> Apply<T>(NodeCall<T> call, Tensor<T> x, Tensor<T> weight, Window window, int groups)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (rows, channels, size) = (x.Shape[0], x.Shape[1], new Shape(weight.Shape.Dimensions[2..]).ElementCount);
        var (places, outputs) = (window.OutputCount, weight.Shape[0]);
        call.Run.CheckElements((double)rows * channels * size * places);
        call.Run.CheckElements((double)rows * outputs * places);
        if (rows == 0 || places == 0)
        {
            return Tensor<T>.Zeros([rows, outputs, .. window.Outputs]);
        }

        var patches = window.Patches(x);
        var results = new Tensor<T>[groups];
        for (var g = 0; g < groups; g++)
        {
            var (inputs, width) = (channels / groups, outputs / groups);
            var group = groups == 1 ? patches : patches.Slice(1, (g * inputs)..((g + 1) * inputs));
            var filters = (groups == 1 ? weight : weight.Slice(0, (g * width)..((g + 1) * width))).Reshape(width, inputs * size);

            // [N, C, places, window] → [N, places, C·window] → [N, places, M] → [N, M, places]
            results[g] = group.Permute(0, 2, 1, 3).Reshape(rows * places, inputs * size).MatMul(filters.Transpose()).Reshape(rows, places, width).Transpose(1, 2);
        }

        return (groups == 1 ? results[0] : Tensor<T>.Concat(results, 1)).Reshape([rows, outputs, .. window.Outputs]);
    }

    private static OnnxValue<T> Pool<T>(NodeCall<T> call, double fill, Func<Tensor<T>, Tensor<T>, Tensor<T>> function)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var x = call.Tensor(0);
        var kernel = call.Attributes.Ints("kernel_shape") ?? throw new InvalidDataException("the kernel_shape is missing");
        if (kernel.Any(size => size is < 1 or > int.MaxValue) || kernel.Length != x.Rank - 2)
        {
            throw new InvalidDataException($"a window [{string.Join(", ", kernel)}] over {x.Shape}");
        }

        var window = new Window(call.Attributes, x.Shape, Array.ConvertAll(kernel, size => (int)size), rounds: true);
        call.Run.CheckElements((double)x.Shape[0] * x.Shape[1] * window.Size * window.OutputCount);
        var patches = window.Patches(window.Padded(call, x, T.CreateTruncating(fill)));
        var ones = Tensor<T>.Ones([1, 1, .. x.Shape.Dimensions[2..]]);
        var counts = call.Attributes.Flag("count_include_pad") ? Tensor<T>.Full(T.CreateTruncating(window.Size), 1) : window.Patches(window.Padded(call, ones, T.Zero)).Sum(-1);
        return function(patches, counts).Reshape([x.Shape[0], x.Shape[1], .. window.Outputs]);
    }

    private static double Norm<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        call.Attributes.Int("p", 2) is var p and >= 1 ? p : throw new InvalidDataException($"a norm with p = {call.Attributes.Int("p", 2)}");

    private static OnnxValue<T> Global<T>(NodeCall<T> call, Func<Tensor<T>, int[], Tensor<T>> function)
        where T : unmanaged, IFloatingPointIeee754<T> => call.Tensor(0) is { Rank: >= 3 } x
        ? function(x, [.. Enumerable.Range(2, x.Rank - 2)])
        : throw new InvalidDataException($"a pooling over {call.Value(0).Shape}");
}
