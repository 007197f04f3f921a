using System.Numerics;
using Rnn.Layers;

namespace Rnn.Onnx.Export;

/// <summary>The likeliest tags of a linear-chain conditional random field (Viterbi 1967): a loop forward that keeps the best tag before each, and one back along them.</summary>
internal static class FieldWriter
{
    /// <summary>Scores [N, T, C] give tags Int64 [N, T], −1 past the end of each row.</summary>
    internal static OnnxGraphValue Write<T>(OnnxGraph graph, LinearChainCrf<T> field, OnnxGraphValue scores, OnnxGraphValue? lengths)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var steps = graph.Transpose(scores, 1, 0, 2);
        var valid = lengths is null ? null : graph.Transpose(graph.Valid(lengths, scores), 1, 0);
        var transitions = graph.Weight(field.Transitions);
        var begin = graph.Weight(field.Start);
        var own = graph.Integers([.. Enumerable.Range(0, field.Tags).Select(tag => (long)tag)]);

        // The first step is one of the loop too, since runtimes refuse a loop over no steps.
        var isFirst = graph.Unsqueeze(graph.Compare("Equal", graph.CountTo(graph.Size(steps, 0)), graph.Integer(0)), 1, 2);
        OnnxGraphValue[] sequences = valid is null ? [steps, isFirst] : [steps, isFirst, graph.Unsqueeze(valid, 2)];
        var best = new OnnxGraphValue[1];
        var before = ScanLoop.Write(graph, [graph.Filled(graph.Scalar(0), scores, 0, field.Tags)], sequences, backward: false, best, (body, state, step) =>
        {
            // [N, before, after].
            var paths = body.Add(body.Unsqueeze(state[0], 2), transitions);
            var next = body.Add(body.Where(step[1], begin, body.Reduce("ReduceMax", paths, 1)), step[0]);
            var from = body.ArgMax(paths, 1);

            // Past the end of a row every tag comes from itself.
            return step.Length == 2 ? ([next], from) : ([body.Where(step[2], next, state[0])], body.Where(step[2], from, own));
        });
        var last = graph.Unsqueeze(graph.ArgMax(graph.Add(best[0], graph.Weight(field.End)), 1), 1);
        var tags = ScanLoop.Write(graph, [last], [before], backward: true, new OnnxGraphValue[1], (body, state, step) =>
            ([body.Emit("GatherElements", [step[0], state[0]], [OnnxElementType.Int64], Attributes.Integer("axis", 1))[0]], state[0]));
        var all = graph.Squeeze(tags, 2);
        return graph.Transpose(valid is null ? all : graph.Where(valid, all, graph.Integer(-1)), 1, 0);
    }
}
