using System.Numerics;
using Rnn.Onnx.Schema;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>What all graphs of a model share while it is loaded: operator sets, functions, the folder of external data, and what is left of limits.</summary>
internal sealed class ModelScope<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Functions may call functions; deeper than any model, and an end for those that call each other.
    private const int MaxFunctionDepth = 32;

    private readonly Dictionary<(string Domain, string Name), FunctionProto> _functions = [];
    private readonly int _opset;
    private long _nodesLeft;
    private long _foldsLeft;
    private int _functionDepth;

    internal ModelScope(ModelProto model, string? folder)
    {
        Folder = folder;
        _opset = ReadOpset(model.OpsetImport) ?? throw new InvalidDataException("the model does not say its operator set (opset_import)");
        foreach (var function in model.Functions)
        {
            if (!_functions.TryAdd((function.Domain, function.Name), function))
            {
                throw new InvalidDataException($"the function '{function.Domain}.{function.Name}' comes twice");
            }
        }

        // A file that unfolds to far more than it says is not a model.
        var size = model.CalculateSize();
        _nodesLeft = 25_000 + (size / 8);
        _foldsLeft = (1 << 22) + (4L * size);
    }

    /// <summary>The folder that external data lie in, or null.</summary>
    internal string? Folder { get; }

    /// <summary>The floating-point initialisers of all graphs.</summary>
    internal HashSet<Tensor<T>> Initializers { get; } = new(ReferenceEqualityComparer.Instance);

    /// <summary>The version of the standard's operators.</summary>
    internal int Opset => _opset;

    /// <summary>Counts a node.</summary>
    /// <exception cref="InvalidDataException">There are more than any file of this size can mean.</exception>
    internal void CountNode()
    {
        if (--_nodesLeft < 0)
        {
            throw new InvalidDataException("the functions of the model unfold to too many nodes");
        }
    }

    /// <summary>The elements that computing constants ahead may still make.</summary>
    internal long FoldsLeft => _foldsLeft;

    internal void CountFolded(long elements) => _foldsLeft -= elements;

    /// <summary>The function of a name, or null.</summary>
    internal FunctionProto? Function(string domain, string name) => _functions.GetValueOrDefault((domain, name));

    /// <summary>Builds the graph of a function for one node that calls it.</summary>
    internal GraphProgram<T> BuildFunction(FunctionProto function, NodeAttributes arguments)
    {
        if (++_functionDepth > MaxFunctionDepth)
        {
            throw new InvalidDataException($"functions call each other more than {MaxFunctionDepth} levels deep");
        }

        var graph = new GraphProto { Name = function.Name };
        var values = arguments.All.ToDictionary(attribute => attribute.Name);
        foreach (var attribute in function.AttributeProto)
        {
            values.TryAdd(attribute.Name, attribute);
        }

        graph.Node.AddRange(function.Node.Select(node => Bound(node, values)));
        graph.Input.AddRange(function.Input.Select(name => new ValueInfoProto { Name = name }));
        graph.Output.AddRange(function.Output.Select(name => new ValueInfoProto { Name = name }));
        var program = new GraphBuilder<T>(this, null, ReadOpset(function.OpsetImport) ?? _opset).Build(graph);
        _functionDepth--;
        return program;
    }

    // Attributes that refer to the function's own take their values; where the caller gives none they are left out.
    private static NodeProto Bound(NodeProto node, Dictionary<string, AttributeProto> values)
    {
        if (!node.Attribute.Any(attribute => attribute.RefAttrName.Length > 0 || attribute.G is not null))
        {
            return node;
        }

        var bound = node.Clone();
        bound.Attribute.Clear();
        foreach (var attribute in node.Attribute)
        {
            if (attribute.RefAttrName.Length > 0)
            {
                if (values.TryGetValue(attribute.RefAttrName, out var value))
                {
                    var copy = value.Clone();
                    copy.Name = attribute.Name;
                    bound.Attribute.Add(copy);
                }

                continue;
            }

            var kept = attribute.Clone();
            if (kept.G is { } graph)
            {
                var nodes = graph.Node.Select(inner => Bound(inner, values)).ToArray();
                graph.Node.Clear();
                graph.Node.AddRange(nodes);
            }

            bound.Attribute.Add(kept);
        }

        return bound;
    }

    private static int? ReadOpset(IEnumerable<OperatorSetIdProto> imports)
    {
        foreach (var import in imports)
        {
            if (IsStandard(import.Domain))
            {
                return import.Version is >= 7 and <= 1000
                    ? (int)import.Version
                    : throw new InvalidDataException($"the operator set {import.Version} is not supported; convert the model to opset 7 or later");
            }
        }

        return null;
    }

    /// <summary>Whether a domain is that of the standard's own operators.</summary>
    internal static bool IsStandard(string domain) => domain is "" or "ai.onnx";
}
