using System.Numerics;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Tensors;

namespace Rnn.Onnx.Export;

/// <summary>Forecasts, in the data's own units in and out, as <c>Forecaster.Predict</c> makes them.</summary>
internal static class ForecasterWriter
{
    private const double VarianceFloor = 1e-5;

    internal static void Write<T>(ModelBuilder model, Forecaster<T> module)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ModelParts.RefuseStates(model, module);
        ModelParts.RefuseLengths(model, module);
        var (graph, options, variables) = (model.Graph, module.Options, module.Variables);
        var buffers = module.NamedBuffers.ToDictionary(pair => pair.Key, pair => pair.Value);
        var (mean, deviation) = (graph.Constant(buffers["mean"], "mean"), graph.Constant(buffers["standard_deviation"], "standard_deviation"));
        var targets = graph.Integers(Places(module.Targets, variables));
        var known = Places(options.Known, variables);
        var depth = Math.Max(1, options.Quantiles.Count);
        var past = graph.Divide(graph.Subtract(model.Input("past", model.Batch, module.Window, variables.Count), mean), deviation);
        OnnxGraphValue? future = null;
        if (known.Length > 0)
        {
            var columns = graph.Integers(known);
            future = graph.Divide(graph.Subtract(model.Input("known", model.Batch, module.Horizon, known.Length), graph.Gather(mean, columns)), graph.Gather(deviation, columns));
        }

        var (x, level, swing) = Scaled(graph, past, options.Scaling, known, variables.Count);
        var forecast = Network(model, module, x, future, targets, depth);
        forecast = InOrder(graph, graph.Add(InOrder(graph, forecast, depth), graph.Constant(buffers["calibration"], "calibration")), depth);
        forecast = swing is null ? forecast : graph.Multiply(forecast, OfTargets(swing));
        forecast = level is null ? forecast : graph.Add(forecast, OfTargets(level));
        forecast = graph.Add(
            graph.Multiply(forecast, graph.Unsqueeze(graph.Gather(deviation, targets), 1)), graph.Unsqueeze(graph.Gather(mean, targets), 1));
        model.Output("forecast", forecast, model.Batch, module.Horizon, module.Targets.Count, depth);
        model.Describe("targets", string.Join('\n', module.Targets));

        // [N, 1, C] → [N, 1, V, 1].
        OnnxGraphValue OfTargets(OnnxGraphValue values) => graph.Unsqueeze(graph.Gather(values, targets, 2), 3);
    }

    private static OnnxGraphValue Network<T>(ModelBuilder model, Forecaster<T> module, OnnxGraphValue x, OnnxGraphValue? known, OnnxGraphValue targets, int depth)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var graph = model.Graph;
        OnnxSequence encoded;
        using (graph.Enter("encoder"))
        {
            encoded = graph.Sequence(module.Encoder, new() { Values = x });
        }

        var read = LayerWriter.Last(graph, encoded, null);
        if (module.Decoder is { } decoder)
        {
            var repeated = graph.Expand(graph.Unsqueeze(read, 1), graph.Integers(1, module.Horizon, 1));
            using var path = graph.Enter("decoder");
            read = graph.Sequence(decoder, new() { Values = known is null ? repeated : graph.Concat(-1, repeated, known) }).Values;
        }
        else if (known is not null)
        {
            read = graph.Concat(-1, read, graph.Reshape(known, 0, -1));
        }

        var output = ModelParts.Apply(graph, "output", LayerWriter.Child<T, Linear<T>>(module, "output"), read);
        var forecast = graph.Reshape(output, -1, module.Horizon, module.Targets.Count, depth);
        if (LayerWriter.ChildOrNull<T, Linear<T>>(module, "autoregression") is not { } autoregression)
        {
            return forecast;
        }

        // [N, steps, V] → [N, V, steps] → [N, V, F] → [N, F, V, 1], the same for each quantile.
        var last = graph.Gather(graph.Slice(x, 1, -module.Options.AutoregressiveSteps), targets, 2);
        var linear = ModelParts.Apply(graph, "autoregression", autoregression, graph.Transpose(last, 0, 2, 1));
        return graph.Add(forecast, graph.Unsqueeze(graph.Transpose(linear, 0, 2, 1), 3));
    }

    // The windows in their own units, and what these are, [N, 1, C]; known variables stay as they are.
    private static (OnnxGraphValue X, OnnxGraphValue? Level, OnnxGraphValue? Swing) Scaled(OnnxGraph graph, OnnxGraphValue past, WindowScaling scaling, long[] known, int variables)
    {
        if (scaling == WindowScaling.None)
        {
            return (past, null, null);
        }

        var scales = new double[variables];
        for (var i = 0; i < variables; i++)
        {
            scales[i] = known.Contains(i) ? 0 : 1;
        }

        var scaled = graph.Values<double>(scales, [variables], "scaled");
        if (scaling == WindowScaling.LastValue)
        {
            var last = graph.Multiply(graph.Slice(past, 1, -1), scaled);
            return (graph.Subtract(past, last), last, null);
        }

        var mean = graph.Reduce("ReduceMean", past, 1, keep: true);
        var difference = graph.Subtract(past, mean);
        var variance = graph.Reduce("ReduceMean", graph.Multiply(difference, difference), 1, keep: true);
        var root = graph.Unary("Sqrt", graph.Add(variance, graph.Scalar(VarianceFloor)));
        var swing = graph.Add(graph.Multiply(root, scaled), graph.Subtract(graph.Scalar(1), scaled));
        var level = graph.Multiply(mean, scaled);
        return (graph.Divide(graph.Subtract(past, level), swing), level, swing);
    }

    // The quantiles of each step and target in rising order.
    private static OnnxGraphValue InOrder(OnnxGraph graph, OnnxGraphValue forecast, int depth) => depth == 1
        ? forecast
        : graph.Emit("TopK", [forecast, graph.Integers(depth)], [forecast.ElementType, OnnxElementType.Int64], Attributes.Integer("axis", -1), Attributes.Integer("largest", 0), Attributes.Integer("sorted", 1))[0];

    private static long[] Places(IReadOnlyList<string> names, IReadOnlyList<string> variables)
    {
        var all = variables.ToArray();
        return [.. names.Select(name => (long)Array.IndexOf(all, name))];
    }
}
