using System.Numerics;
using Rnn.Layers;

namespace Rnn.Onnx.Export;

/// <summary>Attention to the steps of a memory.</summary>
internal static class AttentionWriter
{
    private const double Impossible = -1e30;

    /// <summary>What is computed of a memory [N, T, M] once, for all queries; the memory itself where nothing is.</summary>
    internal static OnnxGraphValue Keys<T>(OnnxGraph graph, Attention<T> attention, OnnxGraphValue memory)
        where T : unmanaged, IFloatingPointIeee754<T> => attention switch
        {
            DotAttention<T> => memory,
            GeneralAttention<T> general => graph.MatMul(memory, Matrix.Of(general.Weight.Value).Transposed().Write(graph, "weight")),
            AdditiveAttention<T> => graph.Linear(memory, LayerWriter.Child<T, Linear<T>>(attention, "memory")),
            _ => throw LayerWriter.Unknown(attention),
        };

    /// <summary>The size of a key.</summary>
    internal static int KeySize<T>(Attention<T> attention)
        where T : unmanaged, IFloatingPointIeee754<T> => attention switch
        {
            DotAttention<T> => attention.MemorySize,
            AdditiveAttention<T> additive => additive.HiddenSize,
            _ => attention.QuerySize,
        };

    /// <summary>Attends: queries [N, U, Q] give contexts [N, U, M] and weights [N, U, T].</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="attention">The attention.</param>
    /// <param name="queries">[N, U, Q].</param>
    /// <param name="memory">[N, T, M], with zeros past the ends of rows.</param>
    /// <param name="keys">What <see cref="Keys"/> gave.</param>
    /// <param name="lengths">The valid steps of each row, or null.</param>
    internal static (OnnxGraphValue Context, OnnxGraphValue Weights) Write<T>(OnnxGraph graph, Attention<T> attention, OnnxGraphValue queries, OnnxGraphValue memory, OnnxGraphValue keys, OnnxGraphValue? lengths)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var scores = Scores(graph, attention, queries, keys);
        OnnxGraphValue weights;
        if (lengths is null)
        {
            weights = graph.Softmax(scores);
        }
        else
        {
            var valid = graph.Unsqueeze(graph.Valid(lengths, memory), 1);
            weights = graph.Where(valid, graph.Softmax(graph.Where(valid, scores, graph.Scalar(Impossible))), graph.Scalar(0));
        }

        return (graph.MatMul(weights, memory), weights);
    }

    private static OnnxGraphValue Scores<T>(OnnxGraph graph, Attention<T> attention, OnnxGraphValue queries, OnnxGraphValue keys)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (attention is AdditiveAttention<T> additive)
        {
            // [N, U, 1, A] + [N, 1, T, A] → [N, U, T].
            var hidden = graph.Tanh(graph.Add(graph.Unsqueeze(graph.Linear(queries, LayerWriter.Child<T, Linear<T>>(additive, "query")), 2), graph.Unsqueeze(keys, 1)));
            return graph.Reduce("ReduceSum", graph.Multiply(hidden, graph.Weight(additive.Score)), -1);
        }

        var products = graph.MatMul(queries, graph.Transpose(keys, 0, 2, 1));
        return attention is DotAttention<T> { IsScaled: true } ? graph.Multiply(products, graph.Scalar(1 / Math.Sqrt(attention.QuerySize))) : products;
    }
}
