namespace Rnn.Onnx;

/// <summary>A tensor in an ONNX graph: an input, a weight or what a node gives. <see cref="OnnxGraph"/> makes them.</summary>
public sealed class OnnxGraphValue
{
    internal OnnxGraphValue(string name, OnnxElementType elementType) => (Name, ElementType) = (name, elementType);

    /// <summary>The name in the file.</summary>
    public string Name { get; }

    /// <summary>The type of its elements.</summary>
    public OnnxElementType ElementType { get; }

    /// <summary>The name.</summary>
    public override string ToString() => Name;
}

/// <summary>A batch of sequences in an ONNX graph: what a sequence layer reads, and what it gives.</summary>
public sealed record OnnxSequence
{
    /// <summary>The steps, [batch, steps, size]; what a layer gives is zero past the end of each row.</summary>
    public required OnnxGraphValue Values { get; init; }

    /// <summary>The number of valid steps of each row, <see cref="OnnxElementType.Int32"/> [batch]; null where all rows have full length.</summary>
    public OnnxGraphValue? Lengths { get; init; }

    /// <summary>
    /// The states [batch, …] in the order of the layer's <c>ZeroState</c>. Of an input those to start from, null for the layer's own initial states; of an output those after each row's last valid step, null for a layer
    /// without states.
    /// </summary>
    public IReadOnlyList<OnnxGraphValue>? States { get; init; }

    /// <summary>Of an output: what has seen all of each row, [batch, size], as <c>SequenceLayerOutput.Last</c>; null for the values at each row's last valid step.</summary>
    public OnnxGraphValue? Last { get; init; }
}
