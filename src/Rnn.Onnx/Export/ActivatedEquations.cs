using Rnn.Layers;

namespace Rnn.Onnx.Export;

/// <summary>The steps of LSTM, GRU and plain networks whose activations were chosen when the layer was made.</summary>
internal static class ActivatedEquations
{
    // The phases of an LSTM whose cell state is normalised; see the layout's NormalizedPhases.
    private const int NormalizedOutputPhase = 2;

    internal static void Write(CellActivations activations, StepValues step, string cell, int phase)
    {
        if (cell.StartsWith("lstm", StringComparison.Ordinal))
        {
            Lstm(activations, step, phase, inputCoupled: cell.Contains("-inputcoupled", StringComparison.Ordinal));
        }
        else if (cell.StartsWith("gru", StringComparison.Ordinal))
        {
            Gru(activations, step, phase, replaces: cell.Contains("-replacing", StringComparison.Ordinal));
        }
        else
        {
            step.Next[0] = Apply(activations, step.Graph, activations.Candidate, step.Gates[0]!);
        }
    }

    private static void Lstm(CellActivations activations, StepValues step, int phase, bool inputCoupled)
    {
        var graph = step.Graph;
        var layout = step.Layout;
        var letters = layout.Gates.Select(gate => gate.Letter).ToList();
        var (candidate, output) = (letters.IndexOf("g"), letters.IndexOf("o"));
        var isFull = layout.Products.Any(product => product.Weight == "weight_ch");
        if (phase == 0 || (phase == 1 && !isFull))
        {
            var (before, g) = (step.Previous[1], Apply(activations, graph, activations.Candidate, step.Gates[candidate]!));
            var input = letters.IndexOf("i") is >= 0 and var i ? Gate(i, before) : null;
            var forget = letters.IndexOf("f") is >= 0 and var f ? Gate(f, before) : null;
            input ??= graph.Subtract(graph.Scalar(1), forget!);
            forget ??= inputCoupled ? graph.Subtract(graph.Scalar(1), input) : null;
            step.Next[1] = graph.Add(forget is null ? before : graph.Multiply(forget, before), graph.Multiply(input, g));
        }

        if (phase == NormalizedOutputPhase || (phase == 1 && isFull) || (phase == 0 && !isFull))
        {
            var c = step.Next[1];
            var read = phase == NormalizedOutputPhase ? step.Intermediates[1] : c;
            step.Next[0] = graph.Multiply(Gate(output, c), Apply(activations, graph, activations.Output, read));
        }

        OnnxGraphValue Gate(int gate, OnnxGraphValue state)
        {
            var sum = step.Gates[gate]!;
            for (var weight = 0; weight < layout.UnitWeights.Count; weight++)
            {
                sum = layout.UnitWeights[weight].Gate == gate ? graph.Add(sum, graph.Multiply(step.UnitWeights[weight], state)) : sum;
            }

            return Apply(activations, graph, activations.Gate, sum);
        }
    }

    private static void Gru(CellActivations activations, StepValues step, int phase, bool replaces)
    {
        var graph = step.Graph;
        var h = step.Previous[0];
        var isBefore = step.Layout.Phases > 1;
        if (isBefore && phase == 0)
        {
            step.Intermediates[0] = graph.Multiply(Apply(activations, graph, activations.Gate, step.Gates[0]!), h);
            return;
        }

        var z = Apply(activations, graph, activations.Gate, step.Gates[1]!);
        var sum = step.Gates[2]!;
        sum = isBefore ? sum : graph.Add(sum, graph.Multiply(Apply(activations, graph, activations.Gate, step.Gates[0]!), step.Gates[3]!));
        var n = Apply(activations, graph, activations.Candidate, sum);
        var (from, to) = replaces ? (h, n) : (n, h);
        step.Next[0] = graph.Add(from, graph.Multiply(z, graph.Subtract(to, from)));
    }

    private static OnnxGraphValue Apply(CellActivations activations, OnnxGraph graph, ActivationFunction function, OnnxGraphValue x) =>
        ActivationWriter.Write(graph, function, activations.Clip is { } clip ? ActivationWriter.Clip(graph, x, -clip, clip) : x);
}
