using System.Numerics;
using Rnn.Layers;
using Rnn.Onnx.Schema;

namespace Rnn.Onnx.Export;

/// <summary>A size of a dimension: a number, or a name for any number.</summary>
internal readonly record struct Dimension(string? Name, int Size)
{
    public static implicit operator Dimension(int size) => new(null, size);

    public static implicit operator Dimension(string name) => new(name, 0);
}

/// <summary>A file that is being made: its graph, inputs and outputs.</summary>
internal sealed class ModelBuilder
{
    private readonly List<ValueInfoProto> _inputs = [];
    private readonly List<ValueInfoProto> _outputs = [];
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);
    private readonly OnnxExportOptions _options;

    internal ModelBuilder(OnnxExportOptions options, bool isDouble)
    {
        _options = options;
        Graph = new(options, options.ElementType ?? (isDouble ? OnnxElementType.Double : OnnxElementType.Float));
        foreach (var (key, value) in options.Metadata ?? new Dictionary<string, string>())
        {
            _metadata[key] = value;
        }
    }

    internal OnnxGraph Graph { get; }

    internal OnnxExportOptions Options => _options;

    /// <summary>The number of rows N.</summary>
    internal Dimension Batch => _options.BatchSize is { } size ? size : "batch";

    /// <summary>The number of steps T.</summary>
    internal Dimension Steps => _options.Steps is { } steps ? steps : "steps";

    /// <summary>Adds an input of the model's numbers.</summary>
    internal OnnxGraphValue Input(string name, params ReadOnlySpan<Dimension> dimensions) => Input(name, Graph.ElementType, dimensions);

    internal OnnxGraphValue Input(string name, OnnxElementType type, params ReadOnlySpan<Dimension> dimensions)
    {
        name = Renamed(name);
        if (!Graph.TryTakeName(name))
        {
            throw new ArgumentException($"Names: two inputs are named '{name}'; give each its own name.", nameof(name));
        }

        _inputs.Add(Info(name, type, dimensions));
        return new(name, type);
    }

    /// <summary>The input of lengths, where the options ask for it.</summary>
    internal OnnxGraphValue? Lengths() => _options.Lengths ? Input("lengths", OnnxElementType.Int32, Batch) : null;

    /// <summary>The inputs of states [N, …] to start from, where the options ask for them.</summary>
    internal OnnxGraphValue[]? States<T>(SequenceLayer<T> layer, bool always = false)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!_options.States && !always)
        {
            return null;
        }

        var state = layer.ZeroState(1);
        var values = new OnnxGraphValue[state.Tensors.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Input(state.Names[i], StateShape(layer, i));
        }

        return values;
    }

    /// <summary>The outputs of the states after the last step, where the options ask for them.</summary>
    internal void NextStates<T>(SequenceLayer<T> layer, IReadOnlyList<OnnxGraphValue>? states, bool always = false)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var names = layer.ZeroState(1).Names;
        for (var i = 0; states is not null && i < names.Count && (_options.States || always); i++)
        {
            Output($"{names[i]}_next", states[i], StateShape(layer, i));
        }
    }

    /// <summary>The shape of one tensor of a state.</summary>
    internal Dimension[] StateShape<T>(SequenceLayer<T> layer, int index)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var dimensions = layer.ZeroState(1).Tensors[index].Shape.Dimensions.ToArray();
        return [Batch, .. dimensions[1..].Select(size => (Dimension)size)];
    }

    /// <summary>Adds an output.</summary>
    internal void Output(string name, OnnxGraphValue value, params ReadOnlySpan<Dimension> dimensions)
    {
        name = Renamed(name);
        if (!Graph.TryTakeName(name))
        {
            throw new ArgumentException($"Names: '{name}' is the name of an input or of another value of the file; give the output another name.", nameof(name));
        }

        Graph.Nodes.Add(new() { OpType = "Identity", Name = Graph.NewName($"{name}_output"), Input = { value.Name }, Output = { name } });
        _outputs.Add(Info(name, value.ElementType, dimensions));
    }

    /// <summary>Adds an entry to the metadata, unless the options have one of its key.</summary>
    internal void Describe(string key, string value) => _metadata.TryAdd(key, value);

    /// <summary>The file.</summary>
    internal ModelProto Build()
    {
        var graph = new GraphProto { Name = _options.GraphName };
        graph.Input.AddRange(_inputs);
        graph.Output.AddRange(_outputs);
        graph.Node.AddRange(Graph.Nodes);
        graph.Initializer.AddRange(Graph.Initializers);
        GraphPruning.Prune(graph);
        var model = new ModelProto
        {
            // The format's versions came with those of the operators: 7 with 12 to 14, 8 with 15 to 18, 9 with 19 and 20, 10 from 21 on.
            IrVersion = _options.Opset switch { 14 => 7, <= 18 => 8, <= 20 => 9, _ => 10 },
            ProducerName = _options.ProducerName,
            ProducerVersion = _options.ProducerVersion ?? typeof(OnnxExporter).Assembly.GetName().Version?.ToString(3) ?? string.Empty,
            Graph = graph,
            OpsetImport = { new OperatorSetIdProto { Domain = string.Empty, Version = _options.Opset } },
        };
        if (_options.Description is { } text)
        {
            model.DocString = text;
        }

        model.MetadataProps.AddRange(_metadata.Select(pair => new StringStringEntryProto { Key = pair.Key, Value = pair.Value }));
        return model;
    }

    private static ValueInfoProto Info(string name, OnnxElementType type, ReadOnlySpan<Dimension> dimensions)
    {
        var shape = new TensorShapeProto();
        foreach (var dimension in dimensions)
        {
            shape.Dim.Add(dimension.Name is { } variable ? new TensorShapeProto.Types.Dimension { DimParam = variable } : new() { DimValue = dimension.Size });
        }

        return new() { Name = name, Type = new() { TensorType = new() { ElemType = (int)type, Shape = shape } } };
    }

    private string Renamed(string name)
    {
        var renamed = _options.Names?.GetValueOrDefault(name) ?? name;
        return renamed.Length > 0 ? renamed : throw new ArgumentException($"Names: expected a name for '{name}' but got an empty text.", nameof(name));
    }
}
