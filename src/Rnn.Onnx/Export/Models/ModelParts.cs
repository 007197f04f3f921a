using System.Numerics;
using Rnn.Layers;

namespace Rnn.Onnx.Export;

/// <summary>What the files of several models have in common.</summary>
internal static class ModelParts
{
    /// <summary>Refuses states as inputs and outputs, for a model that has none between two calls.</summary>
    internal static void RefuseStates<T>(ModelBuilder model, Module<T> module)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (model.Options.States)
        {
            throw new NotSupportedException($"States: {NameOf(module)} has no states that go from one call to the next; set OnnxExportOptions.States to false, or export its sequence layer.");
        }
    }

    /// <summary>Refuses lengths of rows, for a model that reads none.</summary>
    internal static void RefuseLengths<T>(ModelBuilder model, Module<T> module)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (model.Options.Lengths)
        {
            throw new NotSupportedException($"Lengths: {NameOf(module)} does not read sequences of several lengths in this form; set OnnxExportOptions.Lengths to false.");
        }
    }

    /// <summary>Runs the sequence layer of a model, from states that are inputs where the options ask for it.</summary>
    internal static OnnxSequence Run<T>(ModelBuilder model, SequenceLayer<T> layer, OnnxGraphValue x, OnnxGraphValue? lengths)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var states = model.States(layer);
        using var path = model.Graph.Enter("layer");
        return model.Graph.Sequence(layer, new() { Values = x, Lengths = lengths, States = states }) with { Lengths = lengths };
    }

    /// <summary>The input of tokens with their vectors, or of feature vectors where there is no embedding.</summary>
    internal static OnnxGraphValue Embedded<T>(ModelBuilder model, Embedding<T>? embedding, int size)
        where T : unmanaged, IFloatingPointIeee754<T> => embedding is null
        ? model.Input("input", model.Batch, model.Steps, size)
        : Lookup(model.Graph, embedding, model.Input("tokens", OnnxElementType.Int64, model.Batch, model.Steps));

    /// <summary>The rows of a table.</summary>
    internal static OnnxGraphValue Lookup<T>(OnnxGraph graph, Embedding<T> embedding, OnnxGraphValue tokens)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var path = graph.Enter("embedding");
        return LayerWriter.Write(graph, embedding, tokens);
    }

    /// <summary>The layer of a name behind the others.</summary>
    internal static OnnxGraphValue Apply<T>(OnnxGraph graph, string name, Layer<T> layer, OnnxGraphValue x)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var path = graph.Enter(name);
        return LayerWriter.Write(graph, layer, x);
    }

    /// <summary>One vector for each row [N, size] at every step of others: [N, T, size].</summary>
    internal static OnnxGraphValue Repeat(OnnxGraph graph, OnnxGraphValue vectors, OnnxGraphValue likeSteps) =>
        graph.Expand(graph.Unsqueeze(vectors, 1), graph.Concat(0, graph.Integers(1), graph.Size(likeSteps, 1), graph.Integers(1)));

    /// <summary>The states that a decoder starts with: learned projections of a vector [N, size]; null where the model has none.</summary>
    internal static OnnxGraphValue[]? Projected<T>(OnnxGraph graph, Module<T> model, SequenceLayer<T> decoder, OnnxGraphValue vectors)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var zero = decoder.ZeroState(1);
        var states = new OnnxGraphValue[zero.Tensors.Count];
        for (var i = 0; i < states.Length; i++)
        {
            var name = $"start_{zero.Names[i].Replace('.', '_')}";
            if (LayerWriter.ChildOrNull<T, Linear<T>>(model, name) is not { } projection)
            {
                return null;
            }

            var values = graph.Tanh(Apply(graph, name, projection, vectors));
            var dimensions = zero.Tensors[i].Shape.Dimensions.ToArray();
            states[i] = dimensions.Length == 2 ? values : graph.Reshape(values, [-1, .. dimensions[1..].Select(size => (long)size)]);
        }

        return states;
    }

    /// <summary>The states that a layer itself begins with, for as many rows as a value has.</summary>
    internal static OnnxGraphValue[] Own<T>(OnnxGraph graph, SequenceLayer<T> layer, OnnxGraphValue like)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        [.. layer.InitialState(1).Tensors.Select(state => graph.Filled(
            graph.Constant(state.Detach(), "initial"), like, 0, [.. state.Shape.Dimensions.ToArray()[1..].Select(size => (long)size)]))];

    private static string NameOf<T>(Module<T> module)
        where T : unmanaged, IFloatingPointIeee754<T> => $"a {module.GetType().Name.Split('`')[0]}";
}
