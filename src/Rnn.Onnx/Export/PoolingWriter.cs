using System.Numerics;
using Rnn.Layers;

namespace Rnn.Onnx.Export;

/// <summary>The outputs of a sequence as one vector for each row.</summary>
internal static class PoolingWriter
{
    private const double Impossible = -1e30;

    internal static OnnxGraphValue Write<T>(OnnxGraph graph, SequencePooling<T> pooling, OnnxSequence sequence)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (y, lengths) = (sequence.Values, sequence.Lengths);
        var valid = lengths is null ? null : graph.Unsqueeze(graph.Valid(lengths, y), 2);
        switch (pooling.Kind)
        {
            case PoolingKind.Last:
                return LayerWriter.Last(graph, sequence, lengths);
            case PoolingKind.Mean:
                var sum = graph.Reduce("ReduceSum", graph.ClearPastEnds(y, lengths), 1);
                var count = lengths is null
                    ? graph.Size(y, 1)
                    : graph.Unsqueeze(graph.Emit("Max", [graph.Cast(lengths, OnnxElementType.Int64), graph.Integer(1)], [OnnxElementType.Int64])[0], 1);
                return graph.Divide(sum, graph.Cast(count, graph.ElementType));
            case PoolingKind.Max:
                if (valid is null)
                {
                    return graph.Reduce("ReduceMax", y, 1);
                }

                var greatest = graph.Reduce("ReduceMax", graph.Where(valid, y, graph.Scalar(double.NegativeInfinity)), 1);
                return graph.Where(graph.Gather(valid, graph.Integer(0), 1), greatest, graph.Scalar(0));
            default:
                var hidden = graph.Tanh(graph.Linear(y, LayerWriter.Child<T, Linear<T>>(pooling, "hidden")));
                var score = pooling.NamedParameters.First(pair => pair.Key == "score").Value;
                var scores = graph.Reduce("ReduceSum", graph.Multiply(hidden, graph.Weight(score)), -1, keep: true);
                var weights = graph.Softmax(valid is null ? scores : graph.Where(valid, scores, graph.Scalar(Impossible)), 1);
                return graph.Reduce("ReduceSum", graph.Multiply(weights, y), 1);
        }
    }
}
