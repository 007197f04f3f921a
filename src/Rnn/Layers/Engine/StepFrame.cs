using System.Numerics;
using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.Layers.Engine;

/// <summary>Where one step of some rows lies in memory: what the instructions of a <see cref="StepProgram"/> work on.</summary>
internal unsafe struct StepFrame<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>What the cell reads and writes; also the number of rows.</summary>
    internal CellBlock<T> Cell;

    /// <summary>The hidden state after the step as the next step and the layer's user see it: after projection and zoneout.</summary>
    internal Rows<T> Output;

    /// <summary>The first row in buffers of all steps; where one step is held, the first of the batch's rows.</summary>
    internal nint Row;

    /// <summary>The first row of the states before the step in their buffers.</summary>
    internal nint StateRow;

    /// <summary>The first row of the states after the step in their buffers.</summary>
    internal nint NextStateRow;

    /// <summary>The step.</summary>
    internal int Step;

    /// <summary>The first of the batch's rows, in the engine's order.</summary>
    internal int FirstRow;

    /// <summary>A bit for each state that is zero before the step, whose products are skipped; in the backward pass for each whose gradient before the step is not wanted.</summary>
    internal ulong IgnoredStates;

    /// <summary>Scratch memory of the thread.</summary>
    internal T* Scratch;

    /// <summary>The rows of a product's source.</summary>
    internal readonly Rows<T> Source(Operand source) => source.Kind switch
    {
        OperandKind.Previous => Cell.Previous[source.Index],
        OperandKind.Next => Cell.Next[source.Index],
        _ => Cell.Intermediates.SkipColumns((nint)source.Index * Cell.Units),
    };
}
