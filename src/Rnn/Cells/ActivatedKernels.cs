using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>A cell whose activations are given when it is made; the cell says when each is applied and computes everything between.</summary>
internal interface IActivatedCell : ICell
{
    /// <summary>What each phase does in the forward pass, in order, by the number of the phase that the engine gives; the backward pass is the cell's own, phase by phase.</summary>
    static abstract IReadOnlyList<ActivationStep[]> Forwards { get; }
}

/// <summary>The activations of a cell: one of each kind.</summary>
/// <param name="Gates">Of the gates.</param>
/// <param name="Candidate">Of the candidate, or of the hidden state of a plain recurrent network.</param>
/// <param name="Output">Of the cell state where the output reads it.</param>
internal sealed record ActivationRows<T>(ActivationRow<T> Gates, ActivationRow<T> Candidate, ActivationRow<T> Output)
    where T : unmanaged, IFloatingPointIeee754<T>;

/// <summary>Which of a cell's activations.</summary>
internal enum ActivationRole
{
    /// <summary>That of gates.</summary>
    Gate,

    /// <summary>That of the candidate.</summary>
    Candidate,

    /// <summary>That of the cell state where the output reads it.</summary>
    Output,
}

/// <summary>A part of a phase in the forward pass: an activation of one row of units, or a phase of the cell's own arithmetic.</summary>
internal readonly record struct ActivationStep
{
    /// <summary>The phase of the cell's <c>Forward</c> to run; −1 for an activation.</summary>
    internal int CellPhase { get; private init; }

    /// <summary>The gate that is activated in its place; −1 for the value that the output reads, which becomes intermediate 0.</summary>
    internal int Gate { get; private init; }

    /// <summary>Which activation.</summary>
    internal ActivationRole Role { get; private init; }

    /// <summary>The saved value that receives the derivative.</summary>
    internal int Derivative { get; private init; }

    /// <summary>The per-unit weight whose product with the cell state is added to the gate first; −1 for none.</summary>
    internal int Peephole { get; private init; }

    /// <summary>Whether the peephole sees the cell state after the step.</summary>
    internal bool SeesNext { get; private init; }

    /// <summary>Whether the output reads the normalised cell state, intermediate 1, in place of the cell state.</summary>
    internal bool IsNormalized { get; private init; }

    /// <summary>A gate, with its derivative as the saved value of the gate's number.</summary>
    internal static ActivationStep OfGate(int gate, ActivationRole role, int peephole = -1, bool seesNext = false) =>
        new() { CellPhase = -1, Gate = gate, Role = role, Derivative = gate, Peephole = peephole, SeesNext = seesNext };

    /// <summary>The cell state, to intermediate 0.</summary>
    internal static ActivationStep OfCellState(int derivative, bool isNormalized) =>
        new() { CellPhase = -1, Gate = -1, Role = ActivationRole.Output, Derivative = derivative, Peephole = -1, IsNormalized = isNormalized };

    /// <summary>A phase of the cell's own arithmetic.</summary>
    internal static ActivationStep OfCell(int phase) => new() { CellPhase = phase };
}

/// <summary>The kernels of a cell whose activations are given when it is made: rows of activations, and in between the cell's own kernels.</summary>
internal sealed unsafe class ActivatedKernels<T> : CellKernels<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly CellKernels<T> _cell;
    private readonly ActivationStep[][] _forwards;
    private readonly ActivationRows<T> _rows;

    private ActivatedKernels(CellKernels<T> cell, ActivationStep[][] forwards, ActivationRows<T> rows) => (_cell, _forwards, _rows) = (cell, forwards, rows);

    internal override CellLayout Layout => _cell.Layout;

    internal override int VectorLength => _cell.VectorLength;

    /// <summary>The kernels of <typeparamref name="TCell"/> with these activations.</summary>
    internal static ActivatedKernels<T> Create<TCell>(ActivationRows<T> rows)
        where TCell : struct, IActivatedCell => new(CellKernels<T>.Create<TCell>(), [.. TCell.Forwards], rows);

    internal override void Forward(int phase, in CellBlock<T> block, bool saves)
    {
        foreach (ref readonly var step in _forwards[phase].AsSpan())
        {
            if (step.CellPhase >= 0)
            {
                _cell.Forward(step.CellPhase, block, saves);
                continue;
            }

            for (var row = 0; row < block.Rows; row++)
            {
                var state = step.Peephole < 0 && step.Gate >= 0 ? null : step.SeesNext || step.Gate < 0 ? block.Next[1][row] : block.Previous[1][row];
                Activate(
                    step, block.Gates[row], state, block.Intermediates[row], block.UnitWeights,
                    saves ? block.Saved[row] + ((nint)step.Derivative * block.Units) : null, block.Units);
            }
        }
    }

    internal override void ForwardRow(int phase, in CellBlock<T> block, PreparedRow<T>* row)
    {
        foreach (ref readonly var step in _forwards[phase].AsSpan())
        {
            if (step.CellPhase >= 0)
            {
                _cell.ForwardRow(step.CellPhase, block, row);
                continue;
            }

            // The addresses of the whole vectors begin at the first unit, whether there are such vectors or not.
            ref readonly var at = ref row->Whole;
            Activate(step, at.Gates, step.SeesNext || step.Gate < 0 ? at.Next1 : at.Previous1, at.Intermediates, at.UnitWeights, null, block.Units);
        }
    }

    internal override void Backward(int phase, in CellBlock<T> block) => _cell.Backward(phase, block);

    internal override TResult Accept<TResult>(ICellVisitor<TResult> visitor) => throw new InvalidOperationException(
        $"VisitCell: the step of '{Layout.Name}' is more than its cell's Forward, since its activations were chosen when the layer was made; see Activations of the layer.");

    private void Activate(in ActivationStep step, T* gates, T* state, T* intermediates, T* unitWeights, T* derivative, nint units)
    {
        var to = step.Gate >= 0 ? gates + (step.Gate * units) : intermediates;
        var from = step.Gate >= 0 ? to : step.IsNormalized ? intermediates + units : state;
        if (step.Peephole >= 0)
        {
            ActivationRow<T>.AddWeighted(unitWeights + (step.Peephole * units), state, to, units);
        }

        var function = step.Role switch
        {
            ActivationRole.Gate => _rows.Gates,
            ActivationRole.Candidate => _rows.Candidate,
            _ => _rows.Output,
        };
        if (derivative == null)
        {
            function.Apply(from, to, units);
        }
        else
        {
            function.Apply(from, to, derivative, units);
        }
    }
}
