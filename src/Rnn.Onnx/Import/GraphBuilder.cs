using System.Numerics;
using Rnn.Onnx.Schema;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>
/// Checks a graph of a file and binds it: names to places, nodes to operators in an order in which each finds its inputs made. What depends on
/// constants alone is computed at once.
/// </summary>
internal sealed class GraphBuilder<T>(ModelScope<T> scope, GraphBuilder<T>? outer, int opset)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly List<string> _names = [];
    private readonly List<OnnxValue<T>?> _constants = [];
    private readonly Dictionary<string, int> _slots = new(StringComparer.Ordinal);
    private readonly List<(int Outer, int Inner)> _captures = [];
    private readonly List<NodeProgram<T>> _nodes = [];
    private OnnxValue<T>?[] _values = [];

    /// <summary>Builds the program of a graph.</summary>
    /// <exception cref="InvalidDataException">The graph is malformed or has an operator that is not supported; the message says which.</exception>
    internal GraphProgram<T> Build(GraphProto graph)
    {
        foreach (var initializer in graph.Initializer)
        {
            var value = TensorProtoConversion.Read<T>(initializer, scope.Folder);
            _constants[Define(initializer.Name)] = value;
            if (value.IsFloatingPoint)
            {
                _ = scope.Initializers.Add(value.Tensor);
            }
        }

        // Files of the first versions list initialisers among the inputs too.
        var inputs = new List<int>();
        foreach (var input in graph.Input)
        {
            if (!_slots.ContainsKey(input.Name))
            {
                inputs.Add(Define(input.Name));
            }
        }

        var producers = FindProducers(graph);
        foreach (var index in Sort(graph, producers))
        {
            Bind(graph.Node[index]);
        }

        var outputs = graph.Output.Select(output => Resolve(output.Name) ?? throw new InvalidDataException($"the output '{output.Name}' is not made by anything")).ToArray();
        var program = new GraphProgram<T>
        {
            Names = [.. _names],
            Constants = [.. _constants],
            Nodes = _nodes,
            Inputs = [.. inputs],
            Outputs = outputs,
            Captures = _captures,
        };
        DropUnread(program);
        program.FindLastReads();
        return program;
    }

    // Constants that have only served to compute others.
    private static void DropUnread(GraphProgram<T> program)
    {
        var read = program.Nodes.SelectMany(node => node.Reads()).Concat(program.Outputs).ToHashSet();
        for (var slot = 0; slot < program.Constants.Length; slot++)
        {
            program.Constants[slot] = read.Contains(slot) ? program.Constants[slot] : null;
        }
    }

    private int Define(string name)
    {
        if (name.Length == 0 || !_slots.TryAdd(name, _names.Count))
        {
            throw new InvalidDataException(name.Length == 0 ? "a value has no name" : $"two values are called '{name}'");
        }

        _names.Add(name);
        _constants.Add(null);
        return _names.Count - 1;
    }

    private Dictionary<string, int> FindProducers(GraphProto graph)
    {
        var producers = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < graph.Node.Count; i++)
        {
            foreach (var output in graph.Node[i].Output)
            {
                if (output.Length > 0)
                {
                    _ = Define(output);
                    producers.Add(output, i);
                }
            }
        }

        return producers;
    }

    // In the order of the file wherever that is possible: a node comes as soon as all that it reads is made.
    private static List<int> Sort(GraphProto graph, Dictionary<string, int> producers)
    {
        var waiting = new int[graph.Node.Count];
        var readers = new List<int>?[graph.Node.Count];
        var ready = new PriorityQueue<int, int>();
        for (var i = 0; i < waiting.Length; i++)
        {
            foreach (var producer in Reads(graph.Node[i]).Where(producers.ContainsKey).Select(name => producers[name]).Distinct())
            {
                waiting[i]++;
                (readers[producer] ??= []).Add(i);
            }

            if (waiting[i] == 0)
            {
                ready.Enqueue(i, i);
            }
        }

        var order = new List<int>(waiting.Length);
        while (ready.TryDequeue(out var next, out _))
        {
            order.Add(next);
            foreach (var reader in readers[next] ?? [])
            {
                if (--waiting[reader] == 0)
                {
                    ready.Enqueue(reader, reader);
                }
            }
        }

        return order.Count == waiting.Length ? order
            : throw new InvalidDataException($"the node '{NameOf(graph.Node[Array.FindIndex(waiting, count => count > 0)])}' reads, directly or through others, what it makes itself");
    }

    // The names that a node reads, those that its graphs read from outside too.
    private static HashSet<string> Reads(NodeProto node)
    {
        var reads = node.Input.Where(name => name.Length > 0).ToHashSet(StringComparer.Ordinal);
        foreach (var graph in node.Attribute.Select(attribute => attribute.G).Where(graph => graph is not null))
        {
            var inner = graph!.Output.Select(output => output.Name).ToHashSet(StringComparer.Ordinal);
            foreach (var innerNode in graph.Node)
            {
                inner.UnionWith(Reads(innerNode));
            }

            inner.ExceptWith(graph.Input.Select(input => input.Name));
            inner.ExceptWith(graph.Initializer.Select(initializer => initializer.Name));
            inner.ExceptWith(graph.Node.SelectMany(innerNode => innerNode.Output));
            reads.UnionWith(inner);
        }

        return reads;
    }

    private static string NameOf(NodeProto node) => node.Name.Length > 0 ? node.Name : node.Output.FirstOrDefault(name => name.Length > 0) ?? node.OpType;

    // The place of a value of this graph, or of one around it, which then becomes a value here; null where there is none.
    private int? Resolve(string name)
    {
        if (_slots.TryGetValue(name, out var slot))
        {
            return slot;
        }

        if (outer?.Resolve(name) is not { } outside)
        {
            return null;
        }

        slot = Define(name);
        if (outer._constants[outside] is { } constant)
        {
            _constants[slot] = constant;
        }
        else
        {
            _captures.Add((outside, slot));
        }

        return slot;
    }

    private void Bind(NodeProto proto)
    {
        scope.CountNode();
        var name = NameOf(proto);
        try
        {
            var attributes = new NodeAttributes(proto.Attribute);
            var inputs = proto.Input.Select(input => input.Length == 0 ? -1
                : Resolve(input) ?? throw new InvalidDataException($"it reads '{input}', which nothing makes")).ToArray();
            var graphs = new Dictionary<string, GraphProgram<T>>(StringComparer.Ordinal);
            foreach (var attribute in proto.Attribute.Where(attribute => attribute.G is not null))
            {
                graphs[attribute.Name] = new GraphBuilder<T>(scope, this, opset).Build(attribute.G);
            }

            var node = new NodeProgram<T>
            {
                Name = name,
                Operator = proto.OpType,
                Opset = opset,
                Attributes = attributes,
                Inputs = inputs,
                Outputs = [.. proto.Output.Select(output => output.Length == 0 ? -1 : _slots[output])],
                Graphs = graphs,
                Function = FindFunction(proto, attributes, graphs),
            };
            if (!Fold(node))
            {
                node.Prepared = Prepare(node);
                _nodes.Add(node);
            }
        }
        catch (Exception exception) when (exception is ArgumentException or OverflowException || (exception is InvalidDataException && !exception.Message.StartsWith("node '", StringComparison.Ordinal)))
        {
            throw new InvalidDataException($"node '{name}' ({Called(proto)}, opset {opset}): {exception.Message}", exception);
        }
    }

    private static string Called(NodeProto proto) => ModelScope<T>.IsStandard(proto.Domain) ? proto.OpType : $"{proto.Domain}.{proto.OpType}";

    private OperatorFunction<T> FindFunction(NodeProto proto, NodeAttributes attributes, Dictionary<string, GraphProgram<T>> graphs)
    {
        if (scope.Function(proto.Domain, proto.OpType) is { } function)
        {
            graphs[ControlFlowOperators.Body] = scope.BuildFunction(function, attributes);
            return ControlFlowOperators.CallFunction;
        }

        var operators = ModelScope<T>.IsStandard(proto.Domain) ? OperatorSet<T>.Standard : proto.Domain == ContributedOperators.Domain ? OperatorSet<T>.Contributed : null;
        return operators?.Find(proto.OpType)
            ?? throw new InvalidDataException($"the operator {Called(proto)} is not supported");
    }

    private object? Prepare(NodeProgram<T> node)
    {
        return RecurrentOperators.IsRecurrent(node.Operator) ? RecurrentOperators.Prepare(node, _constants)
            : MatrixOperators.Prepare(node, node.Inputs.Length > 1 && node.Inputs[1] >= 0 ? _constants[node.Inputs[1]] : null);
    }

    // Computes a node of constant inputs now, where the result is not too large.
    private bool Fold(NodeProgram<T> node)
    {
        if (node.Graphs.Count > 0 || RandomOperators.IsRandom(node.Operator) || Array.Exists(node.Inputs, slot => slot >= 0 && _constants[slot] is null))
        {
            return false;
        }

        Array.Resize(ref _values, Math.Max(_values.Length, _names.Count));
        foreach (var slot in node.Inputs.Where(slot => slot >= 0))
        {
            _values[slot] = _constants[slot];
        }

        try
        {
            using var noGradient = NoGradient.Enter();
            GraphProgram<T>.RunNode(node, _values, new RunContext(scope.FoldsLeft, 0));
        }
        catch (InvalidDataException exception) when (SizeLimitException.Caused(exception))
        {
            return false;
        }

        foreach (var slot in node.Outputs.Where(slot => slot >= 0))
        {
            _constants[slot] = _values[slot];
            scope.CountFolded(_values[slot]!.Length);
        }

        return true;
    }
}
