using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Layers.Engine;

/// <summary>
/// The buffers that a program's steps write and read. With all steps (a backward pass follows) each step has rows of its own, packed as the plan
/// has them; otherwise one step of each batch row is there, of the gates a few, and states alternate between two blocks of rows.
/// </summary>
/// <remarks>
/// The gate buffer [rows, gates·H] holds pre-activations, then gate values, then, in the backward pass, their gradients.
/// All other gradients are in buffers of their own, which last for one backward pass.
/// </remarks>
internal sealed unsafe partial class StepMemory<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly CellShape _shape;
    private readonly T*[] _starts;
    private readonly nint[] _lengths;
    private StepProgram _program;
    private Workspace<T> _workspace;
    private nint _stateRows;

    internal StepMemory(StepProgram program)
    {
        _program = program;
        _shape = program.Shape;
        var layout = _shape.Layout;
        _starts = new T*[(int)Buffer.PerState + layout.States.Count + layout.Products.Count];
        _lengths = new nint[_starts.Length];
        _gradientStarts = new T*[(int)Gradient.PerState + layout.States.Count];
        GateStride = PaddedStride(_shape.GateColumns);
    }

    // The buffers; behind them one of each state before zoneout, then one of each source of products after dropout.
    private enum Buffer
    {
        Gates,
        InputProducts,
        RecurrentProducts,
        Moments,
        Hidden,
        States,
        Saved,
        Intermediates,
        Unprojected,
        Zeros,
        PerState,
    }

    /// <summary>The program whose buffers these are.</summary>
    internal StepProgram Program => _program;

    /// <summary>Elements from one row of the gate buffer to the next.</summary>
    internal nint GateStride { get; }

    /// <summary>Elements from one row of the recurrent products before normalisation to the next.</summary>
    internal nint ProductStride { get; private set; }

    /// <summary>Whether every step has rows of its own.</summary>
    internal bool HoldsAllSteps { get; private set; }

    /// <summary>The bytes that are rented.</summary>
    internal long Bytes => _workspace.Bytes;

    /// <summary>Zeros, as many as the widest row of any buffer has elements.</summary>
    internal T* Zeros => _starts[(int)Buffer.Zeros];

    private int Hidden => _shape.HiddenSize;

    /// <summary>Rents the buffers of a run over a batch.</summary>
    internal void Rent(StepProgram program, BatchPlan plan, int gateSteps, bool allSteps)
    {
        HoldsAllSteps = allSteps;
        var rows = (nint)plan.Rows;
        Measure(program, allSteps ? plan.Total : rows, allSteps ? plan.Total : rows * gateSteps, allSteps ? rows + plan.Total : 2 * rows, hidden: false);
        _workspace = default;
        foreach (var length in _lengths)
        {
            _workspace.Reserve(length);
        }

        _workspace.Rent();
        Take();
    }

    /// <summary>Makes the buffers of a stepper, which keeps them: one step of some rows, all states in two blocks.</summary>
    internal void Allocate(int rows)
    {
        Measure(_program, rows, rows, 2 * (nint)rows, hidden: true);
        _workspace = default;
        foreach (var length in _lengths)
        {
            _workspace.Reserve(length);
        }

        _workspace.Allocate();
        Take();
    }

    /// <summary>Gives the buffers of a run back.</summary>
    internal void Release() => _workspace.Return();

    /// <summary>The gate buffer from a row on.</summary>
    internal Rows<T> Gates(nint row) => new(At(Buffer.Gates, row, GateStride), GateStride);

    /// <summary>The input products before normalisation, in the backward pass their gradients; the gate buffer where nothing is normalised.</summary>
    internal Rows<T> InputProducts(nint row) => _program.NormalizesProducts ? new(At(Buffer.InputProducts, row, GateStride), GateStride) : Gates(row);

    /// <summary>The input products of the step of a frame: where only one step is held, they lie in the gate buffer.</summary>
    internal Rows<T> InputProducts(in StepFrame<T> frame) => HoldsAllSteps ? InputProducts(frame.Row) : frame.Cell.Gates;

    /// <summary>The recurrent products before normalisation beside each other, in the backward pass their gradients.</summary>
    internal Rows<T> RecurrentProducts(nint row) => new(At(Buffer.RecurrentProducts, row, ProductStride), ProductStride);

    /// <summary>The values of the cell's intermediates.</summary>
    internal Rows<T> Intermediates(nint row) => RowsOf(Buffer.Intermediates, row, _shape.Layout.Intermediates * Hidden);

    /// <summary>The hidden state before projection.</summary>
    internal Rows<T> Unprojected(nint row) => RowsOf(Buffer.Unprojected, row, Hidden);

    /// <summary>A state before zoneout, as the cell has set it.</summary>
    internal Rows<T> BeforeZoneout(int state, nint row) => RowsOf(Buffer.PerState + state, row, _shape.StateSize(state));

    /// <summary>A source of products after dropout.</summary>
    internal Rows<T> Masked(int index, nint row) =>
        RowsOf(Buffer.PerState + _shape.Layout.States.Count + index, row, _shape.SourceSize(_program.MaskedSources[index]));

    /// <summary>A state; of a run over a batch any but the hidden one, which lies in the output.</summary>
    internal Rows<T> State(int state, nint row) => state == 0
        ? RowsOf(Buffer.Hidden, row, _shape.OutputSize)
        : RowsOf(Buffer.States, ((state - 1) * _stateRows) + row, Hidden);

    /// <summary>Some columns of a step with their moments and gains.</summary>
    internal Normalized<T> Normalized(in NormalizedColumns columns, Rows<T> rows, nint row, WeightLeases<T> weights) => new(
        rows.SkipColumns(columns.Column), At(Buffer.Moments, row, _program.MomentColumns) + columns.Moments, _program.MomentColumns,
        weights.Gains(columns.GainSlot) + columns.Gain);

    /// <summary>Sets what the cell reads and writes from the rows, gates, hidden state and row numbers that a frame has already.</summary>
    internal void SetBuffers(ref StepFrame<T> frame)
    {
        var layout = _shape.Layout;
        ref var cell = ref frame.Cell;
        cell.Units = Hidden;
        cell.Saved = RowsOf(Buffer.Saved, frame.Row, layout.SavedValues * Hidden);
        cell.Intermediates = Intermediates(frame.Row);
        for (var state = 1; state < layout.States.Count; state++)
        {
            cell.Previous[state] = State(state, frame.StateRow);
            cell.Next[state] = _program.HasZoneout(state) ? BeforeZoneout(state, frame.Row) : State(state, frame.NextStateRow);
        }

        cell.Next[0] = _shape.ProjectionSize > 0 ? Unprojected(frame.Row) : _program.HasZoneout(0) ? BeforeZoneout(0, frame.Row) : frame.Output;
    }

    // Rows at multiples of a page would all fall into the same few lines of the first-level cache.
    private static nint PaddedStride(int columns)
    {
        var line = 64 / sizeof(T);
        var stride = (columns + line - 1) / line * line;
        return stride * sizeof(T) % 2048 == 0 ? stride + line : stride;
    }

    private void Measure(StepProgram program, nint rows, nint gateRows, nint stateRows, bool hidden)
    {
        _program = program;
        _stateRows = stateRows;
        var layout = _shape.Layout;
        ProductStride = program.ProductColumns > 0 ? PaddedStride(program.ProductColumns) : 0;
        Set(Buffer.Gates, gateRows * GateStride);
        Set(Buffer.InputProducts, program.NormalizesProducts && HoldsAllSteps ? rows * GateStride : 0);
        Set(Buffer.RecurrentProducts, rows * ProductStride);
        Set(Buffer.Moments, rows * program.MomentColumns);
        Set(Buffer.Hidden, hidden ? stateRows * _shape.OutputSize : 0);
        Set(Buffer.States, (layout.States.Count - 1) * stateRows * Hidden);
        Set(Buffer.Saved, HoldsAllSteps ? rows * layout.SavedValues * Hidden : 0);
        Set(Buffer.Intermediates, rows * layout.Intermediates * Hidden);
        Set(Buffer.Unprojected, _shape.ProjectionSize > 0 ? rows * Hidden : 0);
        Set(Buffer.Zeros, Math.Max(Math.Max(_shape.GateColumns, Hidden), Math.Max(_shape.InputSize, _shape.OutputSize)));
        for (var state = 0; state < layout.States.Count; state++)
        {
            Set(Buffer.PerState + state, program.HasZoneout(state) ? rows * _shape.StateSize(state) : 0);
        }

        for (var i = 0; i < layout.Products.Count; i++)
        {
            var isUsed = i < program.MaskedSources.Count;
            Set(Buffer.PerState + layout.States.Count + i, isUsed ? rows * _shape.SourceSize(program.MaskedSources[i]) : 0);
        }

        void Set(Buffer buffer, nint length) => _lengths[(int)buffer] = length;
    }

    private void Take()
    {
        for (var i = 0; i < _starts.Length; i++)
        {
            _starts[i] = _workspace.Take(_lengths[i]);
        }

        new Span<T>(Zeros, (int)_lengths[(int)Buffer.Zeros]).Clear();
    }

    private T* At(Buffer buffer, nint row, nint stride) => _starts[(int)buffer] + (row * stride);

    private Rows<T> RowsOf(Buffer buffer, nint row, nint width) => new(At(buffer, row, width), width);
}
