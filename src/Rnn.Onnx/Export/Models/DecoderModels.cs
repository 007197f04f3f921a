using System.Numerics;
using Rnn.Layers;
using Rnn.Models;

namespace Rnn.Onnx.Export;

/// <summary>
/// Models that write token by token, in two files: one makes what the decoder starts with, the other is one step of it. Who runs them chooses the next token, by a search or by lot, and feeds it back; outputs of the first and
/// the <c>…_next</c> outputs of the second are the inputs of the second.
/// </summary>
internal static class DecoderModels
{
    internal static void WriteEncoder<T>(ModelBuilder model, EncoderDecoder<T> module)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ModelParts.RefuseStates(model, module);
        var graph = model.Graph;
        var tokens = model.Input("tokens", OnnxElementType.Int64, model.Batch, model.Steps);
        var lengths = model.Lengths();
        var x = ModelParts.Apply(graph, "source_embedding", module.SourceEmbedding, tokens);
        OnnxSequence encoded;
        using (graph.Enter("encoder"))
        {
            encoded = graph.Sequence(module.Encoder, new() { Values = x, Lengths = lengths });
        }

        var states = ModelParts.Projected(graph, module, module.Decoder, LayerWriter.Last(graph, encoded, lengths))
            ?? (module.Options.Start == DecoderStart.Own ? ModelParts.Own(graph, module.Decoder, x) : encoded.States!);
        OutputStates(model, module.Decoder, states);
        if (AttentionOf(module) is not { } attention)
        {
            return;
        }

        var memory = graph.ClearPastEnds(encoded.Values, lengths);
        model.Output("memory", memory, model.Batch, model.Steps, attention.MemorySize);
        if (attention is not DotAttention<T>)
        {
            using var path = graph.Enter("attention");
            var keys = AttentionWriter.Keys(graph, attention, memory);
            model.Output("keys", keys, model.Batch, model.Steps, AttentionWriter.KeySize(attention));
        }

        var size = module.Decoder.OutputSize;
        var zeros = graph.Filled(graph.Scalar(0), x, 0, size);
        if (module.Options.Attention == DecoderAttention.Bahdanau)
        {
            model.Output("query", FirstQuery(module, states) ?? zeros, model.Batch, size);
        }

        if (module.Options.InputFeeding)
        {
            model.Output("fed", zeros, model.Batch, size);
        }
    }

    internal static void WriteDecoder<T>(ModelBuilder model, EncoderDecoder<T> module)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (graph, options, attention, size) = (model.Graph, module.Options, AttentionOf(module), module.Decoder.OutputSize);
        var token = model.Input("token", OnnxElementType.Int64, model.Batch);
        var states = model.States(module.Decoder, always: true);
        var lengths = attention is null ? null : model.Lengths();
        var memory = attention is null ? null : model.Input("memory", model.Batch, model.Steps, attention.MemorySize);
        var keys = attention is null or DotAttention<T> ? memory : model.Input("keys", model.Batch, model.Steps, AttentionWriter.KeySize(attention));
        var query = options.Attention == DecoderAttention.Bahdanau ? model.Input("query", model.Batch, size) : null;
        var fed = options.InputFeeding ? model.Input("fed", model.Batch, size) : null;

        // [N, 1, …] throughout: one step.
        var x = graph.Unsqueeze(ModelParts.Apply(graph, "target_embedding", module.TargetEmbedding, token), 1);
        var (context, weights) = query is null ? (null, null) : Attend(graph.Unsqueeze(query, 1));
        x = context is null ? x : graph.Concat(-1, x, context);
        x = fed is null ? x : graph.Concat(-1, x, graph.Unsqueeze(fed, 1));
        OnnxSequence output;
        using (graph.Enter("decoder"))
        {
            output = graph.Sequence(module.Decoder, new() { Values = x, States = states });
        }

        var read = output.Values;
        if (attention is not null)
        {
            (context, weights) = query is null ? Attend(output.Values) : (context, weights);
            read = graph.Tanh(ModelParts.Apply(graph, "readout", LayerWriter.Child<T, Linear<T>>(module, "readout"), graph.Concat(-1, context, output.Values)));
        }

        model.Output("scores", graph.Squeeze(ModelParts.Apply(graph, "output", module.Output, read), 1), model.Batch, module.Output.OutputSize);
        model.NextStates(module.Decoder, output.States, always: true);
        if (weights is not null)
        {
            model.Output("attention", graph.Squeeze(weights, 1), model.Batch, model.Steps);
        }

        if (query is not null)
        {
            model.Output("query_next", graph.Squeeze(output.Values, 1), model.Batch, size);
        }

        if (fed is not null)
        {
            model.Output("fed_next", graph.Squeeze(read, 1), model.Batch, size);
        }

        Describe(model, module.Begin, module.End);

        (OnnxGraphValue? Context, OnnxGraphValue? Weights) Attend(OnnxGraphValue queries)
        {
            using var path = graph.Enter("attention");
            return AttentionWriter.Write(graph, attention!, queries, memory!, keys!, lengths);
        }
    }

    internal static void WriteEncoder<T>(ModelBuilder model, ConditionalGenerator<T> module)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ModelParts.RefuseStates(model, module);
        ModelParts.RefuseLengths(model, module);
        var conditions = module.Classes.Count > 0 ? model.Input("classes", OnnxElementType.Int64, model.Batch) : model.Input("conditions", model.Batch, module.ConditionSize);
        var encoded = ModelParts.Apply(model.Graph, "encoder", module.Encoder, conditions);
        OutputStates(model, module.Decoder, ModelParts.Projected(model.Graph, module, module.Decoder, encoded)!);
        if (module.Options.FeedCondition)
        {
            model.Output("encoded", encoded, model.Batch, module.EncodedSize);
        }

        if (module.Classes.Count > 0)
        {
            model.Describe("classes", string.Join('\n', module.Classes));
        }
    }

    internal static void WriteDecoder<T>(ModelBuilder model, ConditionalGenerator<T> module)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ModelParts.RefuseLengths(model, module);
        var graph = model.Graph;
        var token = model.Input("token", OnnxElementType.Int64, model.Batch);
        var states = model.States(module.Decoder, always: true);
        var x = ModelParts.Apply(graph, "embedding", module.Embedding, token);
        x = module.Options.FeedCondition ? graph.Concat(-1, x, model.Input("encoded", model.Batch, module.EncodedSize)) : x;
        OnnxSequence output;
        using (graph.Enter("decoder"))
        {
            output = graph.Sequence(module.Decoder, new() { Values = graph.Unsqueeze(x, 1), States = states });
        }

        model.Output("scores", graph.Squeeze(ModelParts.Apply(graph, "output", module.Output, output.Values), 1), model.Batch, module.Output.OutputSize);
        model.NextStates(module.Decoder, output.States, always: true);
        Describe(model, module.Begin, module.End);
    }

    private static Attention<T>? AttentionOf<T>(EncoderDecoder<T> module)
        where T : unmanaged, IFloatingPointIeee754<T> => LayerWriter.ChildOrNull<T, Attention<T>>(module, "attention");

    private static void OutputStates<T>(ModelBuilder model, SequenceLayer<T> decoder, IReadOnlyList<OnnxGraphValue> states)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var names = decoder.ZeroState(1).Names;
        for (var i = 0; i < names.Count; i++)
        {
            model.Output(names[i], states[i], model.StateShape(decoder, i));
        }
    }

    // The hidden state of a recurrent layer is what its last output would have been; another layer's first query is zeros.
    private static OnnxGraphValue? FirstQuery<T>(EncoderDecoder<T> module, IReadOnlyList<OnnxGraphValue> states)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (module.Decoder is not RecurrentLayer<T> recurrent)
        {
            return null;
        }

        var top = states.Count - recurrent.Layout.States.Count;
        return recurrent.ZeroState(1).Tensors[top].Shape[^1] == recurrent.OutputSize ? states[top] : null;
    }

    private static void Describe(ModelBuilder model, int begin, int end)
    {
        model.Describe("begin", FormattableString.Invariant($"{begin}"));
        model.Describe("end", FormattableString.Invariant($"{end}"));
    }
}
