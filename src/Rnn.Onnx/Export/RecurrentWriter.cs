using System.Globalization;
using System.Numerics;
using Rnn.Layers;

namespace Rnn.Onnx.Export;

/// <summary>
/// Stacks of recurrent layers: a node RNN, GRU or LSTM for each layer where these say what the cell computes, else a loop (Scan) over its step. Between the layers stand merging of directions and residual
/// connections. Values are time-major here, [T, N, …], which is the only layout that ONNX Runtime computes.
/// </summary>
internal static class RecurrentWriter
{
    internal static OnnxSequence Write<T>(OnnxGraph graph, RecurrentLayer<T> layer, OnnxSequence input)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var parameters = layer.NamedParameters.ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);
        var (directions, states, lengths) = (layer.Directions, layer.Layout.States.Count, input.Lengths);
        var final = new OnnxGraphValue[layer.LayerCount * directions * states];
        var valid = lengths is null ? null : graph.Unsqueeze(graph.Transpose(graph.Valid(lengths, input.Values), 1, 0), 2);
        var x = graph.Transpose(input.Values, 1, 0, 2);
        var (below, width) = (x, layer.InputSize);
        var isOperator = RecurrentOperator.Fits(layer);
        var adds = false;
        for (var index = 0; index < layer.LayerCount; index++)
        {
            using var path = graph.Enter(string.Create(CultureInfo.InvariantCulture, $"l{index}"));
            below = x;
            var weights = new CellWeights<T>[directions];
            var initial = new OnnxGraphValue?[directions * states];
            for (var i = 0; i < initial.Length; i++)
            {
                weights[i / states] ??= new(layer, parameters, index, i / states);
                initial[i] = Initial(graph, weights[i / states], i % states, input.States?[(index * initial.Length) + i], x);
            }

            var outputs = isOperator
                ? [RecurrentOperator.Write(graph, weights, x, lengths, initial, final.AsSpan(index * initial.Length, initial.Length))]
                : RecurrentScan.Write(graph, weights, x, valid, initial, final.AsSpan(index * initial.Length, initial.Length));
            x = Merge(graph, layer, outputs);
            var outputWidth = weights[0].OutputSize * (Merges(layer) ? 1 : directions);
            adds = layer.Options.Residual && outputWidth == width;
            if (adds)
            {
                x = graph.Add(x, below);
                x = valid is null ? x : graph.Where(valid, x, graph.Scalar(0));
            }

            width = outputWidth;
        }

        return new()
        {
            Values = graph.Transpose(x, 1, 0, 2),
            Lengths = lengths,
            States = final,
            Last = Last(graph, layer, final, adds ? graph.Transpose(below, 1, 0, 2) : null, lengths),
        };
    }

    /// <summary>Whether the directions are added, plainly or for their mean.</summary>
    internal static bool Merges<T>(RecurrentLayer<T> layer)
        where T : unmanaged, IFloatingPointIeee754<T> => layer is { Directions: 2, Options.Merge: DirectionMerge.Sum or DirectionMerge.Mean };

    // The state to start from, [N, size]: the one that is given, the learned one, or null for zeros.
    private static OnnxGraphValue? Initial<T>(OnnxGraph graph, CellWeights<T> weights, int state, OnnxGraphValue? given, OnnxGraphValue x)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (given is not null || weights.Initial(weights.Layout.States[state].Letter) is not { } learned)
        {
            return given;
        }

        return graph.Filled(graph.Weight(learned), x, 1, weights.StateSize(state));
    }

    // Outputs of each direction [T, N, size], or of an operator all in one [T, D, N, H], as one: [T, N, size].
    private static OnnxGraphValue Merge<T>(OnnxGraph graph, RecurrentLayer<T> layer, OnnxGraphValue[] outputs)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        OnnxGraphValue merged;
        if (outputs.Length == layer.Directions && !RecurrentOperator.Fits(layer))
        {
            merged = outputs.Length == 1 ? outputs[0] : Merges(layer) ? graph.Add(outputs[0], outputs[1]) : graph.Concat(2, outputs);
        }
        else if (layer.Directions == 1)
        {
            merged = graph.Squeeze(outputs[0], 1);
        }
        else
        {
            merged = Merges(layer) ? graph.Reduce("ReduceSum", outputs[0], 1) : graph.Reshape(graph.Transpose(outputs[0], 0, 2, 1, 3), 0, 0, -1);
        }

        return Merges(layer) && layer.Options.Merge == DirectionMerge.Mean ? graph.Multiply(merged, graph.Scalar(0.5)) : merged;
    }

    // The final hidden states of the top layer as its outputs come, with the input where that is added; topInput is [N, T, size] then.
    private static OnnxGraphValue Last<T>(OnnxGraph graph, RecurrentLayer<T> layer, OnnxGraphValue[] final, OnnxGraphValue? topInput, OnnxGraphValue? lengths)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var states = layer.Layout.States.Count;
        var last = final[final.Length - (layer.Directions * states)];
        var half = graph.Scalar(0.5);
        if (layer.Directions == 2)
        {
            var backward = final[^states];
            last = Merges(layer) ? graph.Add(last, backward) : graph.Concat(1, last, backward);
            last = Merges(layer) && layer.Options.Merge == DirectionMerge.Mean ? graph.Multiply(last, half) : last;
        }

        if (topInput is null)
        {
            return last;
        }

        if (layer.Directions == 1)
        {
            return graph.Add(last, graph.AtEnd(topInput, lengths, layer.Options.Reverse));
        }

        var (atLast, atFirst) = (graph.AtEnd(topInput, lengths), graph.AtEnd(topInput, lengths, backward: true));
        return graph.Add(last, Merges(layer)
            ? graph.Multiply(graph.Add(atLast, atFirst), half)
            : graph.Concat(1, graph.Slice(atLast, 1, 0, layer.OutputSize / 2), graph.Slice(atFirst, 1, layer.OutputSize / 2)));
    }
}
