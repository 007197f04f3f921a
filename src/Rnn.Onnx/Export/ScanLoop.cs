namespace Rnn.Onnx.Export;

/// <summary>A loop over the first dimension of some values that carries states from step to step: the operator Scan.</summary>
internal static class ScanLoop
{
    /// <summary>Writes a loop.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="start">The states before the first step.</param>
    /// <param name="sequences">What is read step by step, [T, …].</param>
    /// <param name="backward">Whether the loop runs from the last step to the first.</param>
    /// <param name="final">Receives the states after the last step.</param>
    /// <param name="step">Writes the body: gets its graph, the states before the step and the step's values; gives the states after it and the step's output.</param>
    /// <returns>The outputs of the steps, [T, …], in the order of time.</returns>
    internal static OnnxGraphValue Write(
        OnnxGraph graph, OnnxGraphValue[] start, OnnxGraphValue[] sequences, bool backward, Span<OnnxGraphValue> final,
        Func<OnnxGraph, OnnxGraphValue[], OnnxGraphValue[], (OnnxGraphValue[] Next, OnnxGraphValue Output)> step)
    {
        var body = graph.Inner();
        OnnxGraphValue[] before, at;
        OnnxGraphValue[] results;
        using (body.Enter("step"))
        {
            before = Array.ConvertAll(start, state => new OnnxGraphValue(body.NewName("state"), state.ElementType));
            at = Array.ConvertAll(sequences, values => new OnnxGraphValue(body.NewName("input"), values.ElementType));
            var (next, output) = step(body, before, at);

            // Each output of the body is a value of its own, even where a state stays as it is or is the output too.
            results = Array.ConvertAll<OnnxGraphValue, OnnxGraphValue>([.. next, output], value => body.Unary("Identity", value));
        }

        var outputs = graph.Emit(
            "Scan", [.. start, .. sequences], Array.ConvertAll(results, result => result.ElementType),
            Attributes.Graph("body", body.Body(body.NewName("body"), [.. before, .. at], results)),
            Attributes.Integer("num_scan_inputs", sequences.Length),
            Attributes.Integers("scan_input_directions", [.. sequences.Select(_ => backward ? 1L : 0L)]),
            Attributes.Integers("scan_output_directions", backward ? 1 : 0));
        outputs.AsSpan(0, start.Length).CopyTo(final);
        return outputs[^1];
    }
}
