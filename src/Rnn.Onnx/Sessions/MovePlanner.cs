using System.Numerics;
using Rnn.Onnx.Import;

namespace Rnn.Onnx.Sessions;

/// <summary>
/// Steps of nodes that only put elements in other places. The node itself says which: it runs on whole numbers that stand for the places of its inputs.
/// </summary>
internal static class MovePlanner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // A place is 1 + its index, with the number of the input above; 0 is the node's own fill.
    private const int IndexBits = 40;

    /// <summary>The outputs, with steps added that fill them; null where the node is none of these or its places depend on data.</summary>
    internal static SessionValue<T>?[]? Plan(NodeProgram<T> node, SessionValue<T>?[] inputs, OnnxValue<T>?[] samples, List<SessionStep<T>> steps, RunContext run)
    {
        if (!MovementOperators.Movers.Contains(node.Operator)
            || Array.Exists(inputs, input => input is { IsFloatingPoint: false, IsConstant: false }) || !samples.All(sample => sample is null or { IsFloatingPoint: true }))
        {
            return null;
        }

        var places = new OnnxValue<T>?[inputs.Length + node.Outputs.Length];
        for (var i = 0; i < inputs.Length; i++)
        {
            places[i] = inputs[i] is { IsFloatingPoint: true } input ? Numbered(input, i) : inputs[i]?.Live;
        }

        var probe = new NodeProgram<T>
        {
            Name = node.Name,
            Operator = node.Operator,
            Opset = node.Opset,
            Attributes = node.Attributes,
            Graphs = node.Graphs,
            Function = node.Function,
            Inputs = [.. node.Inputs.Select((slot, i) => slot < 0 ? -1 : i)],
            Outputs = [.. node.Outputs.Select((slot, i) => slot < 0 ? -1 : inputs.Length + i)],
        };
        GraphProgram<T>.RunNode(probe, places, run);
        var outputs = new SessionValue<T>?[samples.Length];
        for (var i = 0; i < samples.Length; i++)
        {
            outputs[i] = samples[i] is { } sample ? Move(inputs, places[inputs.Length + i]!, sample, node, steps) : null;
        }

        return outputs;
    }

    /// <summary>A value repeated to a larger shape, by a step of its own.</summary>
    internal static SessionValue<T> Expand(SessionValue<T> value, Tensors.Shape shape, List<SessionStep<T>> steps)
    {
        var output = SessionValue<T>.Allocate(Tensors.Tensor<T>.Zeros(shape));
        steps.Add(new MoveStep<T>([value], output, Runs(Array.ConvertAll(Broadcasting.Map(value.Shape, shape), place => place + 1L))));
        return output;
    }

    private static OnnxValue<T> Numbered(SessionValue<T> input, int source)
    {
        var numbers = new long[input.Length];
        for (var i = 0; i < numbers.Length; i++)
        {
            numbers[i] = ((long)source << IndexBits) + i + 1;
        }

        return new(numbers, input.Shape, OnnxElementType.Int64);
    }

    private static SessionValue<T> Move(SessionValue<T>?[] inputs, OnnxValue<T> places, OnnxValue<T> sample, NodeProgram<T> node, List<SessionStep<T>> steps)
    {
        var runs = Runs(places.IntegerArray);

        // Everything of one input in its order: only the shape is another.
        if (runs is [{ From: 0, To: 0 } only] && only.Length == sample.Length && inputs[only.Source]!.Length == only.Length)
        {
            return inputs[only.Source]!.As(sample.Shape);
        }

        var fill = node.Operator == "Pad" ? T.CreateTruncating(node.Attributes.Float("value", 0)) : T.Zero;
        var output = SessionValue<T>.Allocate(Tensors.Tensor<T>.Full(fill, sample.Shape));
        steps.Add(new MoveStep<T>(inputs!, output, runs));
        return output;
    }

    /// <summary>Places, numbered as above, as stretches of neighbours.</summary>
    internal static (int Source, int From, int To, int Length)[] Runs(long[] places)
    {
        var runs = new List<(int, int, int, int)>();
        for (var start = 0; start < places.Length;)
        {
            var end = start + 1;
            while (end < places.Length && places[start] > 0 && places[end] == places[start] + end - start)
            {
                end++;
            }

            if (places[start] > 0)
            {
                var (source, index) = ((int)((places[start] - 1) >> IndexBits), (int)((places[start] - 1) & ((1L << IndexBits) - 1)));
                runs.Add((source, index, start, end - start));
            }

            start = end;
        }

        return [.. runs];
    }
}
