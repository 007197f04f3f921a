using Rnn.Cells;

namespace Rnn.Onnx.Export;

/// <summary>What a cell's step reads and writes, as values of the graph of one step.</summary>
internal sealed class StepValues(OnnxGraph graph, CellLayout layout)
{
    internal OnnxGraph Graph => graph;

    internal CellLayout Layout => layout;

    /// <summary>The pre-activations [N, H].</summary>
    internal OnnxGraphValue?[] Gates { get; } = new OnnxGraphValue?[layout.Gates.Count];

    /// <summary>The states before the step.</summary>
    internal OnnxGraphValue[] Previous { get; } = new OnnxGraphValue[layout.States.Count];

    /// <summary>The states after it.</summary>
    internal OnnxGraphValue[] Next { get; } = new OnnxGraphValue[layout.States.Count];

    internal OnnxGraphValue[] Intermediates { get; } = new OnnxGraphValue[layout.Intermediates];

    /// <summary>The per-unit weights [1, H].</summary>
    internal OnnxGraphValue[] UnitWeights { get; } = new OnnxGraphValue[layout.UnitWeights.Count];

    internal OnnxGraphValue Source(Operand operand) => operand.Kind switch
    {
        OperandKind.Previous => Previous[operand.Index],
        OperandKind.Next => Next[operand.Index],
        _ => Intermediates[operand.Index],
    };
}
