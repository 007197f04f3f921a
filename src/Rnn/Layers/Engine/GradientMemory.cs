using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Layers.Engine;

/// <summary>The buffers of one backward pass of one direction: gradients of states, of intermediates and of gains, and copies for another pass.</summary>
internal sealed unsafe class GradientMemory<T>(CellShape shape)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly T*[] _passedBy = new T*[shape.Layout.States.Count];
    private Workspace<T> _workspace;
    private Workspace<T> _copies;
    private int _rows;
    private int _sumColumns;
    private T* _states;
    private T* _intermediates;
    private T* _projected;
    private T* _unprojected;
    private T* _unmasked;
    private T* _gainSums;
    private T* _savedGates;
    private T* _savedInputProducts;
    private T* _savedProducts;

    /// <summary>A few neighbouring rows, never of two parts, add up their gradients of gains in one place, which so stays in the first-level cache: 2 to this power.</summary>
    internal int SumShift { get; private set; }

    /// <summary>The rows that gradients of gains are added up in.</summary>
    internal int SumRows => (_rows + (1 << SumShift) - 1) >> SumShift;

    /// <summary>Rents the buffers of a backward pass.</summary>
    internal void Rent(StepProgram program, BatchPlan plan)
    {
        _rows = plan.Rows;
        _sumColumns = program.GainColumns;
        SumShift = !program.Normalizes ? 0 : _rows >= 16 ? 2 : _rows >= 8 ? 1 : 0;
        _workspace = default;
        Lay(program, plan, reserves: true);
        _workspace.Rent();
        Lay(program, plan, reserves: false);
        new Span<T>(_gainSums, checked(SumRows * _sumColumns)).Clear();
    }

    /// <summary>Gives the buffers back.</summary>
    internal void Release() => _workspace.Return();

    /// <summary>The gradient of a state: of that after the step before a backward step, of that before it afterwards.</summary>
    internal Rows<T> State(int state) => state == 0
        ? new(_states, shape.OutputSize)
        : new(_states + ((nint)_rows * (shape.OutputSize + ((state - 1) * shape.HiddenSize))), shape.HiddenSize);

    /// <summary>The gradients of the cell's intermediates.</summary>
    internal Rows<T> Intermediates(int firstRow)
    {
        var width = (nint)shape.Layout.Intermediates * shape.HiddenSize;
        return new(_intermediates + (firstRow * width), width);
    }

    /// <summary>The gradients of the projected hidden state, packed, of all steps.</summary>
    internal Rows<T> Projected(nint row) => new(_projected + (row * shape.ProjectionSize), shape.ProjectionSize);

    /// <summary>The gradient of the hidden state before projection.</summary>
    internal Rows<T> Unprojected(int firstRow) => new(_unprojected + ((nint)firstRow * shape.HiddenSize), shape.HiddenSize);

    /// <summary>The gradient of a source after dropout.</summary>
    internal Rows<T> Unmasked(int firstRow, int size) => new(_unmasked + ((nint)firstRow * size), size);

    /// <summary>The part of a state's gradient that zoneout leads past the cell.</summary>
    internal Rows<T> PassedBy(int state, int firstRow)
    {
        var size = shape.StateSize(state);
        return new(_passedBy[state] + ((nint)firstRow * size), size);
    }

    /// <summary>The sums that become the gradients of gains, where the rows from <paramref name="firstRow"/> on add theirs.</summary>
    internal Rows<T> GainSums(int firstRow) => new(_gainSums + ((nint)(firstRow >> SumShift) * _sumColumns), _sumColumns);

    /// <summary>Copies what a backward pass overwrites, so that another one may follow: gate values and, before normalisation, products.</summary>
    internal void Save(StepMemory<T> memory, BatchPlan plan)
    {
        var gates = plan.Total * memory.GateStride;
        var inputs = memory.Program.NormalizesProducts ? gates : 0;
        var products = plan.Total * memory.ProductStride;
        _copies = default;
        _copies.Reserve(gates);
        _copies.Reserve(inputs);
        _copies.Reserve(products);
        _copies.Rent();
        Copy(memory.Gates(0).Start, _savedGates = _copies.Take(gates), gates);
        Copy(memory.InputProducts(0).Start, _savedInputProducts = _copies.Take(inputs), inputs);
        Copy(memory.RecurrentProducts(0).Start, _savedProducts = _copies.Take(products), products);
    }

    /// <summary>Puts back what <see cref="Save"/> copied, if it did.</summary>
    internal void Restore(StepMemory<T> memory, BatchPlan plan)
    {
        if (_savedGates == null)
        {
            return;
        }

        var gates = plan.Total * memory.GateStride;
        Copy(_savedGates, memory.Gates(0).Start, gates);
        Copy(_savedInputProducts, memory.InputProducts(0).Start, memory.Program.NormalizesProducts ? gates : 0);
        Copy(_savedProducts, memory.RecurrentProducts(0).Start, plan.Total * memory.ProductStride);
        _savedGates = _savedInputProducts = _savedProducts = null;
        _copies.Return();
    }

    private static void Copy(T* from, T* to, nint length) => Buffer.MemoryCopy(from, to, length * sizeof(T), length * sizeof(T));

    private void Lay(StepProgram program, BatchPlan plan, bool reserves)
    {
        var rows = (nint)_rows;
        _states = Piece(rows * (shape.OutputSize + ((shape.Layout.States.Count - 1) * shape.HiddenSize)));
        _intermediates = Piece(rows * shape.Layout.Intermediates * shape.HiddenSize);
        _projected = Piece(plan.Total * (nint)shape.ProjectionSize);
        _unprojected = Piece(shape.ProjectionSize > 0 ? rows * shape.HiddenSize : 0);
        _unmasked = Piece(program.MaskedSources.Count > 0 ? rows * Math.Max(shape.HiddenSize, shape.OutputSize) : 0);
        _gainSums = Piece(SumRows * (nint)_sumColumns);
        for (var state = 0; state < _passedBy.Length; state++)
        {
            _passedBy[state] = Piece(program.HasZoneout(state) ? rows * shape.StateSize(state) : 0);
        }

        T* Piece(nint length)
        {
            if (reserves)
            {
                _workspace.Reserve(length);
                return null;
            }

            return _workspace.Take(length);
        }
    }
}
