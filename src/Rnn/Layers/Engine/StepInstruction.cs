using Rnn.Cells;

namespace Rnn.Layers.Engine;

/// <summary>What an instruction of a step does; in the backward pass it does the reverse.</summary>
internal enum StepOperation
{
    /// <summary>Multiplies a source of products by the dropout mask of its row.</summary>
    Mask,

    /// <summary>A recurrent product: gates (+)= source Uᵀ (+ bias). Backward: ∂source (+)= ∂gates U.</summary>
    Multiply,

    /// <summary>Layer normalisation of an input product that no recurrent product is normalised with.</summary>
    NormalizeInput,

    /// <summary>Layer normalisation of a recurrent product, alone or together with the input product of the same gates.</summary>
    NormalizeProduct,

    /// <summary>Layer normalisation of a state between two phases.</summary>
    NormalizeState,

    /// <summary>The element-wise part of one phase of the cell.</summary>
    Cell,

    /// <summary>The projection of the hidden state: h W_hrᵀ.</summary>
    Project,

    /// <summary>Zoneout of one state: next ← m⊙previous + (1−m)⊙next.</summary>
    Zoneout,

    /// <summary>Backward only: clears the gradient of a state that nothing of the step has written.</summary>
    ZeroGradient,

    /// <summary>Backward only: adds the part of a state's gradient that zoneout leads past the cell.</summary>
    AddZoneoutGradient,
}

/// <summary>Columns of a buffer that are normalised over their row, and where what belongs to them lies.</summary>
internal readonly struct NormalizedColumns(int column, int moments, int gainSlot, int gain, int sums)
{
    /// <summary>The first column in its buffer.</summary>
    internal readonly int Column = column;

    /// <summary>The place of μ and 1/σ among the moments of a row.</summary>
    internal readonly int Moments = moments;

    /// <summary>The slot of the gains γ.</summary>
    internal readonly int GainSlot = gainSlot;

    /// <summary>The first gain in that slot.</summary>
    internal readonly int Gain = gain;

    /// <summary>The first column among the sums that become the gradients of the gains.</summary>
    internal readonly int Sums = sums;
}

/// <summary>One instruction of a <see cref="StepProgram"/>: an operation and what it works on, all decided when the layer is made.</summary>
internal struct StepInstruction(StepOperation operation)
{
    /// <summary>What it does.</summary>
    internal StepOperation Operation = operation;

    /// <summary>The phase, block of a product, state or masked source that it works on.</summary>
    internal int Index;

    /// <summary>What a product multiplies.</summary>
    internal Operand Source;

    /// <summary>Which masked source a product reads in place of <see cref="Source"/>, or −1.</summary>
    internal int MaskIndex = -1;

    /// <summary>The first column of the source.</summary>
    internal int SourceColumn;

    /// <summary>The number of columns of the source.</summary>
    internal int SourceSize;

    /// <summary>The number of columns it writes: gates · H, or H/K of one head.</summary>
    internal int Columns;

    /// <summary>The first column in the gate buffer; −1 where a product is normalised before it is added to gates.</summary>
    internal int GateColumn = -1;

    /// <summary>The first column among the recurrent products before normalisation; −1 where they are not normalised.</summary>
    internal int ProductColumn = -1;

    /// <summary>Whether it adds to what its target holds, else overwrites it.</summary>
    internal bool Accumulate;

    /// <summary>The bit of the state before the step that a product multiplies, else 0: such a product is nothing where that state is zero.</summary>
    internal ulong PreviousState;

    /// <summary>Backward: the bit of the state whose gradient only the step before would read, else 0.</summary>
    internal ulong EndsAtState;

    /// <summary>The columns that are normalised: of the recurrent product, the input product that stands alone, or the state.</summary>
    internal NormalizedColumns Normalized;

    /// <summary>The columns of the input product that are normalised together with a recurrent product, or null.</summary>
    internal NormalizedColumns? WithInput;
}
