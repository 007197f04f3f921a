using System.Numerics;
using Rnn.Layers;

namespace Rnn.Onnx.Export;

/// <summary>Chains of layers and residual connections.</summary>
internal static class ChainWriter
{
    /// <summary>A chain, and the lengths of what it gives: null behind a layer that takes the end of each row.</summary>
    internal static OnnxSequence Write<T>(OnnxGraph graph, Sequential<T> chain, OnnxGraphValue x, OnnxGraphValue? lengths)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        OnnxSequence? sequence = null;
        for (var i = 0; i < chain.Count; i++)
        {
            using var path = graph.Enter(Name(chain, i));
            var given = sequence;
            sequence = null;
            switch (chain[i])
            {
                case SequenceLayer<T> layer:
                    sequence = LayerWriter.Write(graph, layer, new() { Values = x, Lengths = lengths });
                    x = sequence.Values;
                    break;
                case Sequential<T> nested when lengths is not null && x.ElementType != OnnxElementType.Int64:
                    var inner = Write(graph, nested, x, lengths);
                    (x, lengths) = (inner.Values, inner.Lengths);
                    break;
                case LastStep<T>:
                    x = given is null ? graph.AtEnd(x, lengths) : LayerWriter.Last(graph, given, lengths);
                    lengths = null;
                    break;
                default:
                    x = LayerWriter.Write(graph, chain[i], x);
                    break;
            }
        }

        return new() { Values = x, Lengths = lengths };
    }

    internal static OnnxSequence Write<T>(OnnxGraph graph, SequenceChain<T> chain, OnnxSequence input)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (x, lengths) = (input.Values, input.Lengths);
        var (states, taken) = (new List<OnnxGraphValue>(), 0);
        OnnxSequence? output = null;
        OnnxGraphValue? last = null;
        for (var i = 0; i < chain.Count; i++)
        {
            using var path = graph.Enter(Name(chain, i));
            if (chain[i] is SequenceLayer<T> layer)
            {
                var count = layer.ZeroState(1).Tensors.Count;
                output = LayerWriter.Write(graph, layer, new() { Values = x, Lengths = lengths, States = input.States?.Skip(taken).Take(count).ToArray() });
                taken += count;
                states.AddRange(output.States ?? Array.Empty<OnnxGraphValue>());
                x = output.Values;

                // What follows a backward direction works on its last output as on any other.
                last = layer.IsCausal ? null : LayerWriter.Last(graph, output, lengths);
            }
            else
            {
                output = null;
                x = LayerWriter.Write(graph, chain[i], x);
                last = last is null ? null : graph.Squeeze(LayerWriter.Write(graph, chain[i], graph.Unsqueeze(last, 1)), 1);
            }
        }

        return new()
        {
            Values = output is null ? graph.ClearPastEnds(x, lengths) : x,
            Lengths = lengths,
            States = states,
            Last = output is null ? last : LayerWriter.Last(graph, output, lengths),
        };
    }

    internal static OnnxSequence Write<T>(OnnxGraph graph, Residual<T> residual, OnnxSequence input)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        OnnxSequence inner;
        using (graph.Enter("layers"))
        {
            inner = Write(graph, residual.Layers, input);
        }

        return inner with
        {
            Values = graph.ClearPastEnds(graph.Add(inner.Values, input.Values), input.Lengths),
            Last = graph.Add(LayerWriter.Last(graph, inner, input.Lengths), graph.AtEnd(input.Values, input.Lengths)),
        };
    }

    private static string Name<T>(Module<T> chain, int index)
        where T : unmanaged, IFloatingPointIeee754<T> => chain.Children[index].Key;
}
