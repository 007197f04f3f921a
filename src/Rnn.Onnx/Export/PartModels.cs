using System.Numerics;
using Rnn.Layers;

namespace Rnn.Onnx.Export;

/// <summary>Files for modules that are no layers by themselves: attention, pooling, a conditional random field.</summary>
internal static class PartModels
{
    internal static void Write<T>(ModelBuilder model, Module<T> module)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ModelParts.RefuseStates(model, module);
        switch (module)
        {
            case Attention<T> attention:
                Write(model, attention);
                break;
            case SequencePooling<T> pooling:
                var sequence = new OnnxSequence { Values = model.Input("input", model.Batch, model.Steps, pooling.Size), Lengths = model.Lengths() };
                model.Output("output", PoolingWriter.Write(model.Graph, pooling, sequence), model.Batch, pooling.Size);
                break;
            case LinearChainCrf<T> field:
                var scores = model.Input("scores", model.Batch, model.Steps, field.Tags);
                model.Output("tags", FieldWriter.Write(model.Graph, field, scores, model.Lengths()), model.Batch, model.Steps);
                break;
            default:
                throw LayerWriter.Unknown(module);
        }
    }

    private static void Write<T>(ModelBuilder model, Attention<T> attention)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var graph = model.Graph;
        var queries = model.Input("query", model.Batch, "queries", attention.QuerySize);
        var memory = model.Input("memory", model.Batch, model.Steps, attention.MemorySize);
        var lengths = model.Lengths();
        memory = graph.ClearPastEnds(memory, lengths);
        var (context, weights) = AttentionWriter.Write(graph, attention, queries, memory, AttentionWriter.Keys(graph, attention, memory), lengths);
        model.Output("context", context, model.Batch, "queries", attention.MemorySize);
        model.Output("weights", weights, model.Batch, "queries", model.Steps);
    }
}
