using System.Globalization;
using System.Numerics;
using Rnn.Layers;
using Rnn.Onnx.Export;
using Rnn.Onnx.Schema;
using Rnn.Tensors;

namespace Rnn.Onnx;

/// <summary>An ONNX graph that is being written: nodes are added to it one after another, each reading values that are there.</summary>
public sealed class OnnxGraph
{
    private readonly GraphContents _contents;

    internal OnnxGraph(OnnxExportOptions options, OnnxElementType elementType)
    {
        (Options, ElementType) = (options, elementType);
        _contents = new();
    }

    private OnnxGraph(OnnxGraph outer)
    {
        (Options, ElementType, Path) = (outer.Options, outer.ElementType, outer.Path);
        _contents = outer._contents;
    }

    /// <summary>The version of the operator set that nodes are written for.</summary>
    public int Opset => Options.Opset;

    /// <summary>The type of the model's numbers: <see cref="OnnxElementType.Float"/> or <see cref="OnnxElementType.Double"/>.</summary>
    public OnnxElementType ElementType { get; }

    internal OnnxExportOptions Options { get; }

    /// <summary>The nodes of this graph, in the order in which they run.</summary>
    internal List<NodeProto> Nodes { get; } = [];

    /// <summary>The weights and constants of this graph and all around it.</summary>
    internal List<TensorProto> Initializers => _contents.Initializers;

    /// <summary>What stands before the names of values: the module that they belong to.</summary>
    internal string Path { get; private set; } = string.Empty;

    /// <summary>Adds a node that gives one value.</summary>
    /// <param name="operation">The operator, such as <c>MatMul</c>.</param>
    /// <param name="inputs">What it reads; null for an input that is left out.</param>
    /// <param name="attributes">Its attributes: <see cref="int"/>, <see cref="long"/>, <see cref="float"/>, <see cref="double"/>, <see cref="string"/> or arrays of these. Null for none.</param>
    /// <param name="elementType">The type of what it gives; null for that of the first input.</param>
    /// <exception cref="ArgumentException">An attribute is of another type, or neither an input nor a type is given.</exception>
    public OnnxGraphValue Node(string operation, IReadOnlyList<OnnxGraphValue?> inputs, IReadOnlyDictionary<string, object>? attributes = null, OnnxElementType? elementType = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(operation);
        ArgumentNullException.ThrowIfNull(inputs);
        var type = elementType ?? inputs.FirstOrDefault(input => input is not null)?.ElementType
            ?? throw new ArgumentException("elementType: expected one for a node without inputs.", nameof(elementType));
        return Emit(operation, [.. inputs], [type], [.. (attributes ?? new Dictionary<string, object>()).Select(pair => Attributes.Of(pair.Key, pair.Value))])[0];
    }

    /// <summary>A parameter's values, of the parameter's shape.</summary>
    /// <typeparam name="T">The element type of the model.</typeparam>
    /// <param name="parameter">The parameter; one that is used twice is in the file once.</param>
    public OnnxGraphValue Weight<T>(Parameter<T> parameter)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(parameter);
        return Constant(parameter.Value, parameter.Name);
    }

    /// <summary>A tensor's values.</summary>
    /// <typeparam name="T">The element type of the model.</typeparam>
    /// <param name="tensor">The tensor; one that is used twice is in the file once.</param>
    /// <param name="name">What its name in the file ends with.</param>
    public OnnxGraphValue Constant<T>(Tensor<T> tensor, string name = "constant")
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (_contents.Tensors.TryGetValue(tensor, out var value))
        {
            return value;
        }

        return _contents.Tensors[tensor] = Values(tensor.AsReadOnlySpan(), [.. tensor.Shape.Dimensions.ToArray().Select(size => (long)size)], name);
    }

    /// <summary>Whole numbers as a vector: axes, shapes, indices.</summary>
    /// <param name="values">The numbers.</param>
    /// <returns><see cref="OnnxElementType.Int64"/> [count].</returns>
    public OnnxGraphValue Integers(params ReadOnlySpan<long> values)
    {
        return WholeNumbers($"[{string.Join(',', values.ToArray())}]", "integers", [values.Length], values);
    }

    /// <summary>A number of the model's element type, as a scalar.</summary>
    /// <param name="value">The number.</param>
    public OnnxGraphValue Scalar(double value)
    {
        var key = string.Create(CultureInfo.InvariantCulture, $"{value:R}");
        if (!_contents.Constants.TryGetValue(key, out var found))
        {
            found = Values<double>([value], [], "number");
            _contents.Constants[key] = found;
        }

        return found;
    }

    /// <summary>Writes another layer.</summary>
    /// <typeparam name="T">The element type of the model.</typeparam>
    /// <param name="layer">The layer, built in or of one's own.</param>
    /// <param name="input">What it reads.</param>
    /// <returns>What it gives.</returns>
    /// <exception cref="NotSupportedException">The layer cannot be written; the message says why and what to do.</exception>
    public OnnxGraphValue Layer<T>(Layer<T> layer, OnnxGraphValue input)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(input);
        return LayerWriter.Write(this, layer, input);
    }

    /// <summary>Writes another sequence layer.</summary>
    /// <typeparam name="T">The element type of the model.</typeparam>
    /// <param name="layer">The layer, built in or of one's own.</param>
    /// <param name="input">The batch that it reads.</param>
    /// <returns>Its outputs and its states after them.</returns>
    /// <exception cref="NotSupportedException">The layer cannot be written; the message says why and what to do.</exception>
    public OnnxSequence Sequence<T>(SequenceLayer<T> layer, OnnxSequence input)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(input);
        return LayerWriter.Write(this, layer, input);
    }

    /// <summary>Numbers that were computed for the file, such as weights in another order.</summary>
    internal OnnxGraphValue Values<T>(ReadOnlySpan<T> values, long[] dimensions, string name)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var value = new OnnxGraphValue(NewName(name), ElementType);
        Initializers.Add(TensorWriter.OfNumbers(value.Name, ElementType, dimensions, values));
        return value;
    }

    /// <summary>Whether a tensor is in the file as it is.</summary>
    internal bool Has(object tensor) => _contents.Tensors.ContainsKey(tensor);

    /// <summary>A whole number as a scalar.</summary>
    internal OnnxGraphValue Integer(long value) => WholeNumbers(string.Create(CultureInfo.InvariantCulture, $"i{value}"), "integer", [], [value]);

    /// <summary>Adds a node.</summary>
    internal OnnxGraphValue[] Emit(string operation, ReadOnlySpan<OnnxGraphValue?> inputs, ReadOnlySpan<OnnxElementType> types, params ReadOnlySpan<AttributeProto> attributes)
    {
        var node = new NodeProto { OpType = operation, Name = NewName(operation) };
        foreach (var input in inputs)
        {
            node.Input.Add(input?.Name ?? string.Empty);
        }

        var outputs = new OnnxGraphValue[types.Length];
        for (var i = 0; i < outputs.Length; i++)
        {
            outputs[i] = new(types.Length == 1 ? $"{node.Name}_out" : string.Create(CultureInfo.InvariantCulture, $"{node.Name}_out{i}"), types[i]);
            node.Output.Add(outputs[i].Name);
        }

        foreach (var attribute in attributes)
        {
            node.Attribute.Add(attribute);
        }

        Nodes.Add(node);
        return outputs;
    }

    /// <summary>A graph inside of this one, which sees its values: the body of a loop.</summary>
    internal OnnxGraph Inner() => new(this);

    /// <summary>Puts the name of a module before the names of what is written until the result is disposed of.</summary>
    internal PathScope Enter(string name)
    {
        var outer = Path;
        Path = $"{outer}{name}/";
        return new(() => Path = outer);
    }

    /// <summary>Takes a name as it is, for an input or output of the file; false where a value has it already.</summary>
    internal bool TryTakeName(string name) => _contents.Names.TryAdd(name, 1);

    /// <summary>A name that no value has.</summary>
    internal string NewName(string name)
    {
        var whole = Path + name;
        var count = _contents.Names.GetValueOrDefault(whole);
        _contents.Names[whole] = count + 1;
        return count == 0 ? whole : NewName(string.Create(CultureInfo.InvariantCulture, $"{name}_{count}"));
    }

    private OnnxGraphValue WholeNumbers(string key, string name, long[] dimensions, ReadOnlySpan<long> values)
    {
        if (!_contents.Constants.TryGetValue(key, out var found))
        {
            found = new(NewName(name), OnnxElementType.Int64);
            Initializers.Add(TensorWriter.OfIntegers(found.Name, dimensions, values));
            _contents.Constants[key] = found;
        }

        return found;
    }

    internal readonly struct PathScope(Action leave) : IDisposable
    {
        public void Dispose() => leave();
    }

    // What all graphs of a file share.
    private sealed class GraphContents
    {
        internal List<TensorProto> Initializers { get; } = [];

        internal Dictionary<string, int> Names { get; } = new(StringComparer.Ordinal);

        internal Dictionary<object, OnnxGraphValue> Tensors { get; } = new(ReferenceEqualityComparer.Instance);

        internal Dictionary<string, OnnxGraphValue> Constants { get; } = new(StringComparer.Ordinal);
    }
}
