using System.Numerics;
using Rnn.Kernels;
using Rnn.Onnx.Import;
using Rnn.Tensors;

namespace Rnn.Onnx.Sessions;

/// <summary>Steps of convolutions and poolings: their patches are put side by side and multiplied by the weights, or summed.</summary>
internal static class ConvolutionSteps
{
    // The places are numbered by floating-point numbers, which are exact up to here.
    private const int MostPlaces = 1 << 23;

    /// <summary>Adds all steps of a convolution but the last, which is the result; null where there are too many places.</summary>
    internal static SessionStep<T>? Create<T>(NodeProgram<T> node, SessionValue<T>?[] inputs, SessionValue<T> output, List<SessionStep<T>> steps)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (input, weight, bias) = (inputs[0]!, inputs[1]!, inputs.Length > 2 ? inputs[2] : null);
        var (groups, outputs, size) = ((int)node.Attributes.Int("group", 1), weight.Shape[0], new Shape(weight.Shape.Dimensions[2..]).ElementCount);
        var window = new Window(node.Attributes, input.Shape, weight.Shape.Dimensions[2..]);
        var (rows, channels, places, inner) = (input.Shape[0], input.Shape[1], window.OutputCount, weight.Length / outputs);
        if (!weight.IsFloatingPoint || bias is { IsFloatingPoint: false } || input.Length > MostPlaces || (double)rows * places * channels * size > MostPlaces)
        {
            return null;
        }

        var sources = Numbered(node, window, input);
        if (node.Prepared is ConvolutionWeights<T> packed && weight.IsConstant && bias is not { IsConstant: false })
        {
            // Rows of places by columns of channels: [N·places, C·window] times the packed weights.
            var patches = SessionValue<T>.Allocate(Tensor<T>.Zeros(rows * places, inner));
            steps.Add(Filled(input, sources.Permute(0, 2, 1, 3), patches));
            var product = SessionValue<T>.Allocate(Tensor<T>.Zeros(rows * places, outputs));
            steps.Add(new ProductStep<T>(patches, null, packed.Product, packed.Matrix, product) { Bias = bias?.Live.Tensor });

            // [N, places, M] becomes [N, M, places].
            return StepBuilder<T>.Move(product, Broadcasting.Strided(new(rows, outputs, places), [places * outputs, 1, outputs], 0), output);
        }

        // Group by group [M/groups, C/groups·window] × [C/groups·window, places], whose results lie where the output has them.
        var columns = SessionValue<T>.Allocate(Tensor<T>.Zeros(rows * groups, inner, places));
        steps.Add(Filled(input, sources.Permute(0, 1, 3, 2), columns));
        var multiply = new MatrixStep<T>(weight, columns, output, outputs / groups, inner, places, groups, rows * groups);
        if (bias is null)
        {
            return multiply;
        }

        steps.Add(multiply);
        return new ChannelBiasStep<T>(output, bias, places);
    }

    /// <summary>The same for a transposed convolution: every input spreads over its window of outputs, which add up.</summary>
    internal static SessionStep<T>? CreateTransposed<T>(NodeProgram<T> node, SessionValue<T>?[] inputs, SessionValue<T> output, List<SessionStep<T>> steps)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (input, weight, bias) = (inputs[0]!, inputs[1]!, inputs.Length > 2 ? inputs[2] : null);
        var (groups, rows, channels) = ((int)node.Attributes.Int("group", 1), input.Shape[0], input.Shape[1]);
        var window = new Window(node.Attributes, input.Shape, weight.Shape.Dimensions[2..], transposed: true);
        var (places, width) = (input.Length / (rows * channels), weight.Length / channels);
        if (!weight.IsFloatingPoint || bias is { IsFloatingPoint: false } || (double)rows * groups * places * width > MostPlaces)
        {
            return null;
        }

        // [N, groups, C/groups, places] to [N, groups, places, C/groups], times [groups, C/groups, M/groups·window].
        var inner = channels / groups;
        var order = Broadcasting.Strided(new(rows, groups, places, inner), [channels * places, inner * places, 1, places], 0);
        var left = new StepBuilder<T>(steps).Pick(input, order, new(rows * groups, places, inner));
        var spread = SessionValue<T>.Allocate(Tensor<T>.Zeros(rows * groups, places, width));
        steps.Add(node.Prepared is TransposedWeights<T> packed && weight.IsConstant
            ? new ProductStep<T>(left, packed.Product, null, packed.Matrix, spread)
            : new MatrixStep<T>(left, weight, spread, places, inner, width, rows * groups, groups));
        return new SpreadStep<T>(spread, Targets(window, input, weight, output, groups), bias, output);
    }

    /// <summary>The same for a pooling.</summary>
    internal static SessionStep<T>? CreatePool<T>(NodeProgram<T> node, SessionValue<T> input, SessionValue<T> output, List<SessionStep<T>> steps)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var window = new Window(node.Attributes, input.Shape, Array.ConvertAll(node.Attributes.Ints("kernel_shape")!, size => (int)size), rounds: true);
        if (input.Length > MostPlaces || (double)output.Length * window.Size > MostPlaces)
        {
            return null;
        }

        var isMaximum = node.Operator == "MaxPool";
        var sources = Numbered(node, window, input);
        var patches = SessionValue<T>.Allocate(Tensor<T>.Full(isMaximum ? T.NegativeInfinity : T.Zero, output.Length, window.Size));
        steps.Add(Filled(input, sources, patches));
        if (isMaximum || node.Attributes.Flag("count_include_pad"))
        {
            return new ReductionStep<T>(patches, output, window.Size, isMaximum ? "ReduceMax" : "ReduceMean");
        }

        // Without the padding: by the number of elements that are there.
        steps.Add(new ReductionStep<T>(patches, output, window.Size, "ReduceSum"));
        var counts = Array.ConvertAll(sources.ToArray(), place => place == T.Zero ? T.Zero : T.One).Chunk(window.Size).Select(chunk => chunk.Aggregate(T.Zero, (sum, one) => sum + one)).ToArray();
        return new BinaryStep<T, DivideFunction<T>>(output, SessionValue<T>.Constant(Tensor<T>.From(counts, output.Shape)), output);
    }

    // [N, C, places, window] of numbered elements; zero is padding.
    private static Tensor<T> Numbered<T>(NodeProgram<T> node, Window window, SessionValue<T> input)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var numbers = Tensor<T>.Arange(T.One, input.Length, T.One).Reshape(input.Shape);
        return window.Patches(window.Padded(new NodeCall<T>(node, [], new RunContext(4L * MostPlaces, 0)), numbers, T.Zero));
    }

    private static MoveStep<T> Filled<T>(SessionValue<T> input, Tensor<T> sources, SessionValue<T> patches)
        where T : unmanaged, IFloatingPointIeee754<T> => new([input], patches, MovePlanner<T>.Runs(Array.ConvertAll(sources.ToArray(), long.CreateTruncating)));

    // Where each element of [N, groups, places, M/groups, window] is added, or −1 where it is cut off.
    private static int[] Targets<T>(Window window, SessionValue<T> input, SessionValue<T> weight, SessionValue<T> output, int groups)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (rank, maps) = (input.Shape.Rank - 2, weight.Shape[1]);
        int[] from = input.Shape.Dimensions[2..].ToArray(), kernel = weight.Shape.Dimensions[2..].ToArray(), to = output.Shape.Dimensions[2..].ToArray();
        var (places, size, area) = (new Shape(from).ElementCount, new Shape(kernel).ElementCount, new Shape(to).ElementCount);
        var targets = new int[input.Shape[0] * groups * places * maps * size];
        var (strides, steps) = (Broadcasting.Strides(new(from)), Broadcasting.Strides(new(kernel)));
        for (var i = 0; i < targets.Length; i++)
        {
            var (offset, map, place, channel) = (i % size, i / size % maps, i / (size * maps) % places, i / (size * maps * places));
            var at = 0;
            for (var d = 0; d < rank && at >= 0; d++)
            {
                var target = window.Target(d, place / strides[d] % from[d], offset / steps[d] % kernel[d]);
                at = target < 0 || target >= to[d] ? -1 : (at * to[d]) + target;
            }

            targets[i] = at < 0 ? -1 : (((channel * maps) + map) * area) + at;
        }

        return targets;
    }
}

/// <summary>A number for each channel of [N, C, places], added to all of its places.</summary>
internal sealed class ChannelBiasStep<T>(SessionValue<T> output, SessionValue<T> bias, int places) : SessionStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal override void Run()
    {
        var (values, numbers) = (output.Live.Tensor, bias.Live.Tensor);
        for (var i = 0; i < output.Length / places; i++)
        {
            SpanKernels<T>.AddConstant(numbers.AsReadOnlySpan()[i % bias.Length], values.AsSpan().Slice(i * places, places));
        }
    }
}

/// <summary>Numbers that are added where a table says, to a number for each channel of [N, C, …] or to zero.</summary>
internal sealed class SpreadStep<T>(SessionValue<T> input, int[] targets, SessionValue<T>? bias, SessionValue<T> output) : SessionStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal override void Run()
    {
        var to = output.Write;
        if (bias is null)
        {
            to.Clear();
        }
        else
        {
            var (channels, area) = (output.Shape[1], output.Length / (output.Shape[0] * output.Shape[1]));
            for (var i = 0; i < output.Shape[0] * channels; i++)
            {
                to.Slice(i * area, area).Fill(bias.Read[i % channels]);
            }
        }

        var from = input.Read;
        for (var i = 0; i < targets.Length; i++)
        {
            if (targets[i] >= 0)
            {
                to[targets[i]] += from[i];
            }
        }
    }
}
