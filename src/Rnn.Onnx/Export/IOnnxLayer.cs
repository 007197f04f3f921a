namespace Rnn.Onnx;

/// <summary>
/// A layer of one's own that can say itself in ONNX. Implement it beside <c>Layer&lt;T&gt;</c>; for a layer that cannot implement it, such as a <c>Lambda</c>, give a function to <see cref="OnnxExportOptions.Writers"/>.
/// </summary>
/// <example>
/// <code>
/// public sealed class Scale&lt;T&gt; : Layer&lt;T&gt;, IOnnxLayer where T : unmanaged, IFloatingPointIeee754&lt;T&gt;
/// {
///     private readonly Parameter&lt;T&gt; _factor;
///     …
///     public OnnxGraphValue WriteOnnx(OnnxGraph graph, OnnxGraphValue input) =&gt; graph.Node("Mul", [input, graph.Weight(_factor)]);
/// }
/// </code>
/// </example>
public interface IOnnxLayer
{
    /// <summary>Writes the nodes that compute what the layer's forward pass gives in evaluation.</summary>
    /// <param name="graph">The graph to add nodes to.</param>
    /// <param name="input">What the layer reads.</param>
    /// <returns>What it gives.</returns>
    OnnxGraphValue WriteOnnx(OnnxGraph graph, OnnxGraphValue input);
}

/// <summary>A sequence layer of one's own that can say itself in ONNX. Implement it beside <c>SequenceLayer&lt;T&gt;</c>.</summary>
public interface IOnnxSequenceLayer
{
    /// <summary>Writes the nodes that compute what the layer's forward pass gives in evaluation.</summary>
    /// <param name="graph">The graph to add nodes to.</param>
    /// <param name="input">The batch that the layer reads.</param>
    /// <returns>The outputs and the states after them; of a layer with states all of these are needed.</returns>
    OnnxSequence WriteOnnx(OnnxGraph graph, OnnxSequence input);
}
