using System.Globalization;
using System.Numerics;
using Rnn.Layers;

namespace Rnn.Onnx.Export;

/// <summary>Causal convolutions over time, alone and in the stack of a WaveNet.</summary>
internal static class ConvolutionWriter
{
    internal static OnnxSequence Write<T>(OnnxGraph graph, CausalConvolution<T> layer, OnnxSequence input)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (x, reach) = (graph.ClearPastEnds(input.Values, input.Lengths), layer.ReceptiveField - 1);
        var output = Convolve(graph, x, input.States?[0], Matrix.Of(layer.Taps.Weight.Value), layer.Taps.Bias, layer.Options.KernelSize, layer.Options.Dilation);
        return new()
        {
            Values = graph.ClearPastEnds(output, input.Lengths),
            Lengths = input.Lengths,
            States = new[] { History(graph, x, input.States?[0], reach, layer.InputSize, input.Lengths) },
        };
    }

    internal static OnnxSequence Write<T>(OnnxGraph graph, WaveNet<T> layer, OnnxSequence input)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var options = layer.Options;
        var x = graph.ClearPastEnds(input.Values, input.Lengths);
        var condition = options.ConditionSize > 0 ? graph.Slice(x, -1, -options.ConditionSize) : null;
        var hidden = graph.Linear(condition is null ? x : graph.Slice(x, -1, 0, -options.ConditionSize), LayerWriter.Child<T, Linear<T>>(layer, "input"));
        var (units, states) = (new OnnxGraphValue[layer.Dilations.Count], new OnnxGraphValue[layer.Dilations.Count]);
        for (var i = 0; i < units.Length; i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"l{i}");
            using var path = graph.Enter(name);
            var gates = LayerWriter.Child<T, Linear<T>>(layer, $"gates_{name}");
            var weight = Matrix.Of(gates.Weight.Value);
            var (taps, reach) = (options.KernelSize * options.ResidualChannels, (options.KernelSize - 1) * layer.Dilations[i]);
            states[i] = History(graph, hidden, input.States?[i], reach, options.ResidualChannels, input.Lengths);
            var sum = Convolve(graph, hidden, input.States?[i], weight.SliceColumns(0, taps), gates.Bias, options.KernelSize, layer.Dilations[i]);
            if (condition is not null)
            {
                sum = graph.Add(sum, graph.MatMul(condition, weight.SliceColumns(taps, options.ConditionSize).Transposed().Write(graph, "condition")));
            }

            var halves = graph.Split(sum, -1, options.DilationChannels, options.DilationChannels);
            units[i] = graph.Multiply(graph.Tanh(halves[0]), graph.Sigmoid(halves[1]));
            if (i + 1 < units.Length)
            {
                hidden = graph.Add(hidden, graph.Linear(units[i], LayerWriter.Child<T, Linear<T>>(layer, $"residual_{name}")));
            }
        }

        var skip = graph.Unary("Relu", graph.Linear(graph.Concat(-1, units), LayerWriter.Child<T, Linear<T>>(layer, "skip")));
        var output = graph.Unary("Relu", graph.Linear(skip, LayerWriter.Child<T, Linear<T>>(layer, "output")));
        return new() { Values = graph.ClearPastEnds(output, input.Lengths), Lengths = input.Lengths, States = states };
    }

    // [N, T, I] → [N, T, O]. The weights have the oldest tap first, [O, K·I]; the operator wants [O, I, K], and time last.
    private static OnnxGraphValue Convolve<T>(OnnxGraph graph, OnnxGraphValue x, OnnxGraphValue? state, Matrix weight, Parameter<T>? bias, int kernel, int dilation)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (reach, inputs) = ((kernel - 1) * dilation, weight.Columns / kernel);
        var taps = new Matrix[inputs];
        for (var i = 0; i < inputs; i++)
        {
            // The taps of one input, [K, O].
            taps[i] = Matrix.Stack([.. Enumerable.Range(0, kernel).Select(tap => weight.SliceColumns((tap * inputs) + i, 1).Transposed())]);
        }

        var filter = Matrix.Stack(taps).Transposed().Write(graph, "filter", weight.Rows, inputs, kernel);
        var isPadded = state is null || reach == 0;
        var output = graph.Emit(
            "Conv", [graph.Transpose(isPadded ? x : graph.Concat(1, state, x), 0, 2, 1), filter, bias is null ? null : graph.Weight(bias)], [x.ElementType],
            Attributes.Integers("kernel_shape", kernel), Attributes.Integers("dilations", dilation), Attributes.Integers("pads", isPadded ? reach : 0, 0))[0];
        return graph.Transpose(output, 0, 2, 1);
    }

    // The last inputs of each row, [N, reach, size], with those before the first step.
    private static OnnxGraphValue History(OnnxGraph graph, OnnxGraphValue x, OnnxGraphValue? state, int reach, int size, OnnxGraphValue? lengths)
    {
        if (reach == 0)
        {
            return graph.Slice(x, 1, long.MaxValue);
        }

        var all = graph.Concat(1, state ?? graph.Filled(graph.Scalar(0), x, 0, reach, size), x);
        if (lengths is null)
        {
            return graph.Slice(all, 1, -reach);
        }

        var places = graph.Add(graph.Integers([.. Enumerable.Range(0, reach).Select(place => (long)place)]), graph.Unsqueeze(graph.Cast(lengths, OnnxElementType.Int64), 1));
        return graph.GatherInRows(all, graph.Unsqueeze(places, 2));
    }
}
