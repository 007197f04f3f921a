using System.Numerics;
using Rnn.Layers;
using Rnn.Models;

namespace Rnn.Onnx.Export;

/// <summary>
/// A memory network. Stories and questions are padded with −1: <c>story</c> [batch, sentences, words], the oldest sentence first and those that are not there last, <c>question</c> [batch, question_words].
/// </summary>
internal static class MemoryNetworkWriter
{
    private const double Impossible = -1e30;

    internal static void Write<T>(ModelBuilder model, MemoryNetwork<T> module)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ModelParts.RefuseStates(model, module);
        ModelParts.RefuseLengths(model, module);
        var (graph, options) = (model.Graph, module.Options);
        var story = model.Input("story", OnnxElementType.Int64, model.Batch, "sentences", "words");
        var question = model.Input("question", OnnxElementType.Int64, model.Batch, "question_words");

        // [N, S]: whether there is a sentence; its age, 0 for the newest; whether it is remembered.
        var isThere = graph.Compare("Greater", graph.Reduce("ReduceMax", story, 2), graph.Integer(-1));
        var count = graph.Reduce("ReduceSum", graph.Cast(isThere, OnnxElementType.Int64), 1, keep: true);
        var age = graph.Subtract(graph.Subtract(count, graph.Integer(1)), graph.CountTo(graph.Size(story, 1)));
        isThere = graph.Emit("And", [isThere, graph.Compare("Less", age, graph.Integer(options.MemorySize))], [OnnxElementType.Boolean])[0];
        var place = graph.Emit("Min", [graph.Emit("Max", [age, graph.Integer(0)], [OnnxElementType.Int64])[0], graph.Integer(options.MemorySize - 1)], [OnnxElementType.Int64])[0];
        var isAdjacent = module.Hop is null;
        var memories = new OnnxGraphValue[isAdjacent ? options.Hops + 1 : 2];
        for (var i = 0; i < memories.Length; i++)
        {
            memories[i] = Vectors(graph, module, module.Embeddings[i], story, 2);
            if (module.Times.Count > 0)
            {
                memories[i] = graph.Add(memories[i], graph.Gather(graph.Weight(module.Times[i].Weight), place));
            }
        }

        var query = Vectors(graph, module, module.Embeddings[isAdjacent ? 0 : 2], question, 1);
        var empty = options.EmptyPlaces ? EmptyPlaces(graph, count, options.MemorySize) : null;
        for (var hop = 0; hop < options.Hops; hop++)
        {
            // [N, 1, E] × [N, E, S] → [N, S].
            var scores = graph.Squeeze(graph.MatMul(graph.Unsqueeze(query, 1), graph.Transpose(memories[isAdjacent ? hop : 0], 0, 2, 1)), 1);
            var weights = Weights(graph, scores, isThere, module.IsLinear ? null : empty, module.IsLinear);
            var read = graph.Squeeze(graph.MatMul(graph.Unsqueeze(weights, 1), memories[isAdjacent ? hop + 1 : 1]), 1);
            query = graph.Add(module.Hop is { } between ? ModelParts.Apply(graph, "hop", between, query) : query, read);
        }

        model.Output("scores", ModelParts.Apply(graph, "output", module.Output, query), model.Batch, module.Vocabulary.Count);
    }

    // The logarithm of the number of places that no sentence fills, [N, 1]: each of them has the score 0.
    private static OnnxGraphValue EmptyPlaces(OnnxGraph graph, OnnxGraphValue count, int places)
    {
        var empty = graph.Cast(graph.Subtract(graph.Integer(places), count), graph.ElementType);
        var isAny = graph.Compare("Greater", empty, graph.Scalar(0));
        return graph.Where(isAny, graph.Unary("Log", graph.Where(isAny, empty, graph.Scalar(1))), graph.Scalar(Impossible));
    }

    private static OnnxGraphValue Weights(OnnxGraph graph, OnnxGraphValue scores, OnnxGraphValue isThere, OnnxGraphValue? empty, bool isLinear)
    {
        if (isLinear)
        {
            return graph.Where(isThere, scores, graph.Scalar(0));
        }

        var known = graph.Where(isThere, scores, graph.Scalar(Impossible));
        var weights = empty is null ? graph.Softmax(known) : graph.Slice(graph.Softmax(graph.Concat(1, known, empty)), 1, 0, -1);
        return graph.Where(isThere, weights, graph.Scalar(0));
    }

    // The sum of the rows of a sentence's words, [N, …, words] → [N, …, E], with position encoding weighed by 1 + aₖ bⱼ.
    private static OnnxGraphValue Vectors<T>(OnnxGraph graph, MemoryNetwork<T> module, Embedding<T> table, OnnxGraphValue words, int axis)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var isThere = graph.Compare("Greater", words, graph.Integer(-1));
        var rows = graph.Gather(graph.Weight(table.Weight), graph.Emit("Max", [words, graph.Integer(0)], [OnnxElementType.Int64])[0]);
        rows = graph.Where(graph.Unsqueeze(isThere, -1), rows, graph.Scalar(0));
        var sum = graph.Reduce("ReduceSum", rows, axis);
        if (!module.Options.PositionEncoding)
        {
            return sum;
        }

        // aₖ = 4 (k − (E+1)/2) / E and bⱼ = (j − (J+1)/2) / J, both counted from 1.
        var size = module.Options.EmbeddingSize;
        var slopes = new double[size];
        for (var k = 0; k < size; k++)
        {
            slopes[k] = 4 * (k + 1 - ((size + 1) / 2.0)) / size;
        }

        var length = module.Options.PositionLength is { } given
            ? graph.Scalar(given)
            : graph.Binary("Max", graph.Reduce("ReduceSum", graph.Cast(isThere, graph.ElementType), axis, keep: true), graph.Scalar(1));
        var position = graph.Cast(graph.CountTo(graph.Size(words, axis)), graph.ElementType);
        var middle = graph.Divide(graph.Subtract(length, graph.Scalar(1)), graph.Scalar(2));
        var tilt = graph.Divide(graph.Subtract(position, middle), length);

        // With a length of all sentences alike the positions lack the dimensions of the batch.
        tilt = graph.Unsqueeze(tilt, -1);
        var tilted = graph.Reduce("ReduceSum", graph.Multiply(rows, tilt), axis);
        return graph.Add(sum, graph.Multiply(tilted, graph.Values<double>(slopes, [size], "slopes")));
    }
}
