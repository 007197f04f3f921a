using System.Numerics;

namespace Rnn.Onnx.Import;

/// <summary>An operator: from a node with its inputs to the outputs, null for those that nobody can ask for.</summary>
internal delegate OnnxValue<T>?[] OperatorFunction<T>(NodeCall<T> call)
    where T : unmanaged, IFloatingPointIeee754<T>;

/// <summary>A node of a graph, checked and bound: names have become places among the graph's values.</summary>
internal sealed class NodeProgram<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The name in the file, or its first output where it has none.</summary>
    internal required string Name { get; init; }

    /// <summary>The operator's name.</summary>
    internal required string Operator { get; init; }

    /// <summary>The version of the operator set.</summary>
    internal required int Opset { get; init; }

    internal required NodeAttributes Attributes { get; init; }

    /// <summary>The place of each input, −1 for one that is left out.</summary>
    internal required int[] Inputs { get; init; }

    /// <summary>The place of each output, −1 for one that nobody wants.</summary>
    internal required int[] Outputs { get; init; }

    /// <summary>The graphs among the attributes, by attribute.</summary>
    internal required IReadOnlyDictionary<string, GraphProgram<T>> Graphs { get; init; }

    internal required OperatorFunction<T> Function { get; init; }

    /// <summary>Values of the graph that nobody reads after this node.</summary>
    internal int[] LastReads { get; set; } = [];

    /// <summary>What the operator has prepared from constant inputs when the model was loaded, such as a recurrent layer; null for nothing.</summary>
    internal object? Prepared { get; set; }

    /// <summary>The same node with its inputs at the first places, for what asks it about its attributes and inputs alone.</summary>
    internal NodeProgram<T> WithInputs(int count) => new()
    {
        Name = Name,
        Operator = Operator,
        Opset = Opset,
        Attributes = Attributes,
        Inputs = [.. Enumerable.Range(0, count).Select(i => Inputs[i] < 0 ? -1 : i)],
        Outputs = [],
        Graphs = Graphs,
        Function = Function,
    };

    /// <summary>How messages call the node.</summary>
    public override string ToString() => $"node '{Name}' ({Operator}, opset {Opset})";

    /// <summary>Every place that the node reads: its inputs and what its graphs take from outside.</summary>
    internal IEnumerable<int> Reads() => Inputs.Where(slot => slot >= 0).Concat(Graphs.Values.SelectMany(graph => graph.Captures.Select(capture => capture.Outer)));
}

/// <summary>A graph, checked and bound: nodes in an order in which each finds its inputs made.</summary>
internal sealed class GraphProgram<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The names of the values by place.</summary>
    internal required string[] Names { get; init; }

    /// <summary>For each place the value that it always has: an initialiser; else null.</summary>
    internal required OnnxValue<T>?[] Constants { get; init; }

    internal required List<NodeProgram<T>> Nodes { get; init; }

    /// <summary>The places of the inputs.</summary>
    internal required int[] Inputs { get; init; }

    /// <summary>The places of the outputs.</summary>
    internal required int[] Outputs { get; init; }

    /// <summary>Values of the graph around this one: the place there and the place here.</summary>
    internal required IReadOnlyList<(int Outer, int Inner)> Captures { get; init; }

    /// <summary>Finds after which node each value is no longer needed.</summary>
    internal void FindLastReads()
    {
        var last = new Dictionary<int, int>();
        for (var i = 0; i < Nodes.Count; i++)
        {
            foreach (var slot in Nodes[i].Reads().Concat(Nodes[i].Outputs.Where(slot => slot >= 0)))
            {
                last[slot] = i;
            }
        }

        foreach (var slot in Outputs)
        {
            last.Remove(slot);
        }

        foreach (var group in last.Where(pair => Constants[pair.Key] is null).GroupBy(pair => pair.Value))
        {
            Nodes[group.Key].LastReads = [.. group.Select(pair => pair.Key)];
        }
    }

    /// <summary>Computes the outputs.</summary>
    /// <param name="inputs">A value for each input; null where the graph has an initialiser for it.</param>
    /// <param name="outer">The values of the graph around this one; empty for the model's own.</param>
    /// <param name="run">What the whole run shares.</param>
    internal OnnxValue<T>[] Run(ReadOnlySpan<OnnxValue<T>?> inputs, ReadOnlySpan<OnnxValue<T>?> outer, RunContext run)
    {
        var values = (OnnxValue<T>?[])Constants.Clone();
        foreach (var (from, to) in Captures)
        {
            values[to] = outer[from];
        }

        for (var i = 0; i < Inputs.Length; i++)
        {
            values[Inputs[i]] = inputs[i] ?? values[Inputs[i]];
        }

        foreach (var node in Nodes)
        {
            RunNode(node, values, run);
            foreach (var slot in node.LastReads)
            {
                values[slot] = null;
            }
        }

        return Array.ConvertAll(Outputs, slot => values[slot] ?? throw new InvalidDataException($"the output '{Names[slot]}' was not made"));
    }

    /// <summary>Computes a node and puts its outputs among the values.</summary>
    /// <exception cref="InvalidDataException">The node's inputs do not fit its operator; the message names node, operator and opset.</exception>
    internal static void RunNode(NodeProgram<T> node, OnnxValue<T>?[] values, RunContext run)
    {
        OnnxValue<T>?[] outputs;
        try
        {
            outputs = node.Function(new(node, values, run));
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidDataException or InvalidOperationException or OverflowException
            or IndexOutOfRangeException or DivideByZeroException or NotSupportedException)
        {
            throw new InvalidDataException($"{node}: {exception.Message}", exception);
        }

        for (var i = 0; i < node.Outputs.Length; i++)
        {
            if (node.Outputs[i] >= 0)
            {
                values[node.Outputs[i]] = (i < outputs.Length ? outputs[i] : null)
                    ?? throw new InvalidDataException($"{node}: the operator has no output of number {i}.");
            }
        }
    }
}
