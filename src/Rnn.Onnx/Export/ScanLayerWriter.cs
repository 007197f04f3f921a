using System.Numerics;
using Rnn.Layers;

namespace Rnn.Onnx.Export;

/// <summary>Layers h = a⊙h₋ + b whose a and b depend on the input alone: both are computed for all steps at once, and the loop has one product and one sum.</summary>
internal static class ScanLayerWriter
{
    internal static OnnxSequence Write<T>(OnnxGraph graph, ScanLayer<T> layer, OnnxSequence input)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var hidden = layer.HiddenSize;
        var gates = graph.Split(graph.Linear(input.Values, layer.Gates), -1, [.. Enumerable.Repeat((long)hidden, layer.Gates.OutputSize / hidden)]);
        var (keep, add) = layer switch
        {
            MinGru<T> gru => MinGru(graph, gates, gru.Options.Candidate),
            MinLstm<T> lstm => MinLstm(graph, gates, lstm.Options.Candidate),
            RgLru<T> lru => RgLru(graph, gates, lru, input.Values),
            _ => throw LayerWriter.Unknown(layer),
        };
        var start = input.States?[0] ?? graph.Filled(graph.Scalar(0), input.Values, 0, hidden);
        if (input.Lengths is { } lengths)
        {
            // Past the end of its row a state stays as it is.
            var valid = graph.Unsqueeze(graph.Valid(lengths, input.Values), 2);
            (keep, add) = (graph.Where(valid, keep, graph.Scalar(1)), graph.Where(valid, add, graph.Scalar(0)));
        }

        var final = new OnnxGraphValue[1];
        var output = ScanLoop.Write(graph, [start], [graph.Transpose(keep, 1, 0, 2), graph.Transpose(add, 1, 0, 2)], backward: false, final, (body, previous, step) =>
        {
            var next = body.Add(body.Multiply(step[0], previous[0]), step[1]);
            return ([next], next);
        });
        return new() { Values = graph.ClearPastEnds(graph.Transpose(output, 1, 0, 2), input.Lengths), Lengths = input.Lengths, States = final };
    }

    private static (OnnxGraphValue Keep, OnnxGraphValue Add) MinGru(OnnxGraph graph, OnnxGraphValue[] gates, ScanCandidate candidate)
    {
        var update = graph.Sigmoid(gates[0]);
        return (graph.Subtract(graph.Scalar(1), update), graph.Multiply(update, Candidate(graph, candidate, gates[1])));
    }

    // i/(f + i) = σ(log i − log f), of which neither vanishes in a quotient; log σ(a) = −softplus(−a).
    private static (OnnxGraphValue Keep, OnnxGraphValue Add) MinLstm(OnnxGraph graph, OnnxGraphValue[] gates, ScanCandidate candidate)
    {
        var input = graph.Sigmoid(graph.Subtract(Softplus(graph, gates[0]), Softplus(graph, gates[1])));
        return (graph.Subtract(graph.Scalar(1), input), graph.Multiply(input, Candidate(graph, candidate, gates[2])));

        static OnnxGraphValue Softplus(OnnxGraph graph, OnnxGraphValue x) => graph.Unary("Softplus", graph.Unary("Neg", x));
    }

    // log a = d·σ(u) and √(1 − a²) = √(−(e^(2 log a) − 1)) = √(−tanh(log a)·(a² + 1)), without a difference of near numbers.
    private static (OnnxGraphValue Keep, OnnxGraphValue Add) RgLru<T>(OnnxGraph graph, OnnxGraphValue[] gates, RgLru<T> layer, OnnxGraphValue x)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var decay = Array.ConvertAll(layer.Decay.Value.ToArray(), value =>
        {
            var negative = -double.CreateTruncating(value);
            return -layer.Options.Exponent * (Math.Max(negative, 0) + Math.Log(1 + Math.Exp(-Math.Abs(negative))));
        });
        var log = graph.Multiply(graph.Sigmoid(gates[0]), graph.Values<double>(decay, [decay.Length], "decay"));
        var keep = graph.Unary("Exp", log);
        var scale = graph.Unary("Sqrt", graph.Multiply(graph.Unary("Neg", graph.Tanh(log)), graph.Add(graph.Multiply(keep, keep), graph.Scalar(1))));
        return (keep, graph.Multiply(scale, graph.Multiply(graph.Sigmoid(gates[1]), x)));
    }

    private static OnnxGraphValue Candidate(OnnxGraph graph, ScanCandidate candidate, OnnxGraphValue x) => candidate switch
    {
        ScanCandidate.Identity => x,
        ScanCandidate.Tanh => graph.Tanh(x),
        _ => graph.Where(graph.Compare("Less", x, graph.Scalar(0)), graph.Sigmoid(x), graph.Add(x, graph.Scalar(0.5))),
    };
}
