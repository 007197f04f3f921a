using System.Globalization;
using System.Numerics;
using Rnn.Layers;

namespace Rnn.Onnx.Export;

/// <summary>Layers as nodes: the one list of what each is written by.</summary>
internal static class LayerWriter
{
    /// <summary>A layer of any kind; sequence layers start from their initial states.</summary>
    internal static OnnxGraphValue Write<T>(OnnxGraph graph, Layer<T> layer, OnnxGraphValue x)
        where T : unmanaged, IFloatingPointIeee754<T> => layer switch
        {
            _ when graph.Options.Writers?.Find(layer) is { } write => write(graph, layer, x),
            IOnnxLayer own => own.WriteOnnx(graph, x),
            SequenceLayer<T> sequence => Write(graph, sequence, new() { Values = x }).Values,
            Sequential<T> sequential => ChainWriter.Write(graph, sequential, x, null).Values,
            Linear<T> linear => graph.Linear(x, linear),
            Embedding<T> embedding => graph.Gather(graph.Weight(embedding.Weight), graph.Cast(x, OnnxElementType.Int64)),
            ActivationLayer<T> activation => ActivationWriter.Write(graph, activation.Activation, x),
            LayerNorm<T> norm => Normalize(graph, norm, x),
            RmsNorm<T> norm => Normalize(graph, norm, x),
            Standardization<T> standardization => graph.Divide(graph.Subtract(x, graph.Constant(standardization.Mean, "mean")), graph.Constant(standardization.Deviation, "deviation")),
            Dropout<T> => x,
            LastStep<T> => graph.AtEnd(x, null),
            AdaptiveSoftmax<T> softmax => AdaptiveSoftmax(graph, softmax, x),
            Lambda<T> => throw new NotSupportedException("A Lambda cannot be written as ONNX: nobody knows what its function computes. Give a function that writes its nodes to OnnxExportOptions.Writers, or take layers in its place."),
            _ => throw Unknown(layer),
        };

    /// <summary>A sequence layer.</summary>
    internal static OnnxSequence Write<T>(OnnxGraph graph, SequenceLayer<T> layer, OnnxSequence input)
        where T : unmanaged, IFloatingPointIeee754<T> => layer switch
        {
            IOnnxSequenceLayer own => own.WriteOnnx(graph, input),
            RecurrentLayer<T> recurrent => RecurrentWriter.Write(graph, recurrent, input),
            ScanLayer<T> scan => ScanLayerWriter.Write(graph, scan, input),
            SequenceChain<T> chain => ChainWriter.Write(graph, chain, input),
            Residual<T> residual => ChainWriter.Write(graph, residual, input),
            CausalConvolution<T> convolution => ConvolutionWriter.Write(graph, convolution, input),
            WaveNet<T> waveNet => ConvolutionWriter.Write(graph, waveNet, input),
            _ => throw Unknown(layer),
        };

    /// <summary>What <c>Last</c> of a sequence is.</summary>
    internal static OnnxGraphValue Last(OnnxGraph graph, OnnxSequence output, OnnxGraphValue? lengths) => output.Last ?? graph.AtEnd(output.Values, lengths);

    /// <summary>The child module of a name, of a type.</summary>
    internal static TModule Child<T, TModule>(Module<T> module, string name)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TModule : Module<T> => (TModule)module.Children.First(child => child.Key == name).Value;

    /// <summary>The child module of a name, of a type; null where there is none.</summary>
    internal static TModule? ChildOrNull<T, TModule>(Module<T> module, string name)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TModule : Module<T> => module.Children.FirstOrDefault(child => child.Key == name).Value as TModule;

    internal static NotSupportedException Unknown<T>(Module<T> module)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var name = module.GetType().Name.Split('`')[0];
        return new($"{name} cannot be written as ONNX: it is no module of this library. Implement IOnnxLayer or IOnnxSequenceLayer in it, or give a function that writes its nodes to OnnxExportOptions.Writers.");
    }

    private static OnnxGraphValue Normalize<T>(OnnxGraph graph, LayerNorm<T> norm, OnnxGraphValue x)
        where T : unmanaged, IFloatingPointIeee754<T> => graph.LayerNormalize(
        x, norm.Weight is null ? Matrix.Filled(norm.Size, 1, 1).Write(graph, "ones", norm.Size) : graph.Weight(norm.Weight), norm.Bias is null ? null : graph.Weight(norm.Bias), norm.Epsilon);

    private static OnnxGraphValue Normalize<T>(OnnxGraph graph, RmsNorm<T> norm, OnnxGraphValue x)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var grouped = norm.Groups == 1 ? x : graph.SplitLast(x, norm.Groups, norm.Size / norm.Groups);
        var square = graph.Reduce("ReduceMean", graph.Multiply(grouped, grouped), -1, keep: true);
        var normal = graph.Divide(grouped, graph.Unary("Sqrt", graph.Add(square, graph.Scalar(norm.Epsilon))));
        if (norm.Groups > 1)
        {
            normal = graph.Reshape(normal, graph.Emit("Shape", [x], [OnnxElementType.Int64])[0]);
        }

        return norm.Weight is null ? normal : graph.Multiply(normal, graph.Weight(norm.Weight));
    }

    private static OnnxGraphValue AdaptiveSoftmax<T>(OnnxGraph graph, AdaptiveSoftmax<T> softmax, OnnxGraphValue x)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var head = graph.LogSoftmax(graph.Linear(x, softmax.Head));
        if (softmax.Cutoffs.IsEmpty)
        {
            return head;
        }

        var frequent = softmax.Cutoffs[0];
        var parts = new OnnxGraphValue[softmax.Cutoffs.Length + 1];
        parts[0] = graph.Slice(head, -1, 0, frequent);
        var tail = Child<T, Module<T>>(softmax, "tail");
        for (var i = 1; i < parts.Length; i++)
        {
            var cluster = Child<T, Sequential<T>>(tail, (i - 1).ToString(CultureInfo.InvariantCulture));
            parts[i] = graph.Add(graph.LogSoftmax(Write(graph, cluster, x)), graph.Slice(head, -1, frequent + i - 1, frequent + i));
        }

        return graph.Concat(-1, parts);
    }
}
