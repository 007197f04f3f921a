using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Cells;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers.Engine;

/// <summary>
/// One direction of one layer running over one batch, forward and back: the sequence engine. Batch rows are independent in time, so each
/// part of the rows runs all its steps on one thread with no barrier in between.
/// </summary>
/// <remarks>
/// <para>Packed rows: step s of the plan owns rows Offset(s) … of the gate columns [Σ lengths, gates·H], which hold pre-activations, then
/// gate values, then their gradients. States other than the output lie in [N + Σ lengths, H]: the N initial rows, then the rows after each step.</para>
/// <para>Without a way back only a chunk of steps is kept, and the states alternate between two blocks of [N, H].</para>
/// </remarks>
internal sealed unsafe partial class DirectionPass<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly CellKernels<T> _cell;
    private readonly CellShape _shape;
    private readonly DirectionWeights<T> _weights;
    private readonly WeightLeases<T> _forwardWeights;
    private readonly WeightLeases<T> _backwardWeights;
    private readonly MatrixKernels<T> _kernels = MatrixKernels<T>.Current;
    private readonly bool _reverse;
    private readonly bool[] _startsFromZeros;
    private readonly bool[] _wantsInitial;

    private BatchPlan _plan = new();
    private Tensor<T>[] _values = [];
    private readonly PanelTeam<T> _team = new();
    private bool _keep;
    private bool _alone;
    private int _parts;
    private int _chunkSteps;
    private nint[] _inputOffsets = [];
    private nint[] _outputOffsets = [];
    private nint[] _stateOffsets = [];

    private SequenceView<T> _input;
    private T* _inputStart;
    private T* _cleanInput;
    private Workspace<T> _cleanSpace;
    private readonly Lock _cleaning = new();
    private bool _looksForTiny;
    private SequenceView<T> _output;
    private Rows<T> _initialHidden;
    private T* _bias;
    private T* _vectors;

    private Workspace<T> _workspace;
    private nint _columnStride;
    private T* _columns;
    private T* _cells;
    private T* _kept;
    private T* _made;
    private T* _unprojected;
    private T* _zeros;

    internal DirectionPass(
        CellKernels<T> cell, CellShape shape, DirectionWeights<T> weights, StepOptions options, NormalizationPlan? normalization, int direction, bool reverse)
    {
        _stepOptions = options;
        _normalization = normalization is null ? null : new(shape, normalization);
        _direction = direction;
        _fresh = new T*[shape.Layout.States.Count];
        _carried = new T*[shape.Layout.States.Count];
        _maskedSources = new T*[shape.Layout.Products.Count];
        _maskIndex = new int[shape.Layout.Products.Count];
        _maskFirst = new bool[shape.Layout.Products.Count];
        _startsFromZeros = new bool[shape.Layout.States.Count];
        _wantsInitial = new bool[shape.Layout.States.Count];
        _cell = cell;
        _shape = shape;
        _weights = weights;
        _forwardWeights = new(weights, backward: false);
        _backwardWeights = new(weights, backward: true);
        _reverse = reverse;
        _indirectStates = IndirectStates(shape.Layout);
        FindMaskedProducts();
    }

    private CellLayout Layout => _shape.Layout;

    private int Hidden => _shape.HiddenSize;

    /// <summary>Floating-point operations of the products over the batch, for choosing the number of threads.</summary>
    internal static double Work(CellShape shape, BatchPlan plan)
    {
        var perRow = ((double)shape.InputColumns * shape.InputSize) + StepWeights(shape);
        return 2 * plan.Total * (perRow + shape.Columns);
    }

    /// <summary>Weights that every step multiplies.</summary>
    internal static long StepWeights(CellShape shape)
    {
        var weights = 0L;
        foreach (var product in shape.Layout.Products)
        {
            weights += (long)product.GateCount * shape.HiddenSize * shape.SourceSize(product.Source);
        }

        return weights;
    }

    /// <summary>
    /// Prepares a run: where the rows lie, packed weights, memory. All pointers must stay pinned until <see cref="ForwardPart"/> has run.
    /// </summary>
    /// <param name="plan">The rows and lengths.</param>
    /// <param name="values">The weights in the order of the shape's slots.</param>
    /// <param name="keep">Whether a way back will follow.</param>
    /// <param name="parts">How many parts the rows are cut into.</param>
    /// <param name="alone">Whether no other thread has a part, so that threads may share single products.</param>
    /// <param name="carried">Whether any step reads a state that is not zero: there are several, or one was given.</param>
    /// <param name="looksForTiny">Whether the input may hold numbers too small to matter.</param>
    /// <param name="noise">The randomness of zoneout and dropout.</param>
    internal void Prepare(BatchPlan plan, Tensor<T>[] values, bool keep, int parts, bool alone, bool carried, bool looksForTiny, in StepNoise noise)
    {
        _looksForTiny = looksForTiny;
        _plan = plan;
        _values = values;
        _keep = keep;
        _parts = parts;
        _alone = alone;
        _forwardWeights.Renew(_kernels, values, carried: carried);
        _columnStride = ColumnStride(_shape.Columns);
        _chunkSteps = ChunkSteps();
        RentWorkspace();
        PrepareOptions(noise);
    }

    /// <summary>Says where input, output and initial hidden state lie.</summary>
    /// <param name="input">The input [N, T, I].</param>
    /// <param name="output">The first column of this direction in the output [N, T, outputWidth].</param>
    /// <param name="outputWidth">The width of a row of the output, all directions together.</param>
    /// <param name="initialHidden">The initial hidden state [N, output size], or null for zeros.</param>
    internal void Bind(T* input, T* output, int outputWidth, T* initialHidden)
    {
        _inputStart = input;
        _input = View(_cleanInput == null ? input : _cleanInput, _shape.InputSize, ref _inputOffsets);
        _output = View(output, outputWidth, ref _outputOffsets);
        _startsFromZeros[0] = initialHidden == null;
        _initialHidden = initialHidden == null ? new(_zeros, 0) : StateRows(initialHidden, _shape.OutputSize);
        _bias = _forwardWeights.Bias;
        _inputBias = NormalizesProducts ? null : _bias;
        _vectors = _forwardWeights.Vectors == null ? _backwardWeights.Vectors : _forwardWeights.Vectors;
    }

    /// <summary>Copies an initial state other than the hidden one into its place, null for zeros.</summary>
    internal void SetInitialState(int state, T* values)
    {
        _startsFromZeros[state] = values == null;
        var cells = CellRows(state, 0, after: false);
        for (var row = 0; row < _plan.Rows; row++)
        {
            var to = new Span<T>(cells[row], Hidden);
            if (values == null)
            {
                to.Clear();
            }
            else
            {
                new ReadOnlySpan<T>(values + ((nint)_plan.Order(row) * Hidden), Hidden).CopyTo(to);
            }
        }
    }

    /// <summary>Copies a state of each row after its last step to [N, size].</summary>
    internal void CopyFinalState(int state, T* destination)
    {
        var size = _shape.StateSize(state);
        for (var row = 0; row < _plan.Rows; row++)
        {
            var length = _plan.Length(row);
            var from = state > 0 ? FinalCell(state, row, length) : length == 0 ? _initialHidden[row] : _output.At(length - 1, row);
            new ReadOnlySpan<T>(from, size).CopyTo(new Span<T>(destination + ((nint)_plan.Order(row) * size), size));
        }
    }

    /// <summary>Copies a state other than the hidden one after every step into a batch-first tensor [N, T, width], zeros past the ends.</summary>
    internal void CopyStateSequence(int state, T* destination, int width)
    {
        var offsets = Array.Empty<nint>();
        var view = View(destination, width, ref offsets);
        for (var step = 0; step < _plan.RunSteps; step++)
        {
            var rows = CellRows(state, step, after: true);
            for (var row = 0; row < _plan.Active(step); row++)
            {
                new ReadOnlySpan<T>(rows[row], Hidden).CopyTo(new Span<T>(view.At(step, row), Hidden));
            }
        }
    }

    /// <summary>Whether numbers too small to matter were found in the input.</summary>
    internal bool HasCleanedInput => _cleanInput != null;

    /// <summary>Gives the packed weights back, which the forward pass alone reads.</summary>
    internal void ReleaseForward() => _forwardWeights.Release();

    /// <summary>The bytes that are rented for a way back to come.</summary>
    internal long KeptBytes => _workspace.Bytes + _optionSpace.Bytes;

    /// <summary>The length of all tables of offsets, which grow with the batch and stay.</summary>
    internal long TableLength
    {
        get
        {
            var length = (long)_inputOffsets.Length + _outputOffsets.Length + _stateOffsets.Length + _gradientOffsets.Length + _inputTable.Length
                + _hiddenTable.Length + _nextTable.Length + _cellTable.Length;
            foreach (var offsets in _sequenceOffsets)
            {
                length += offsets.Length;
            }

            return length;
        }
    }

    /// <summary>Gives the memory back.</summary>
    internal void Release()
    {
        _workspace.Return();
        _optionSpace.Return();
        _cleanSpace.Return();
        _cleanInput = null;
    }

    // Rows at multiples of a page would all fall into the same few lines of the first-level cache.
    private static nint ColumnStride(int columns)
    {
        var line = 64 / sizeof(T);
        var stride = (columns + line - 1) / line * line;
        return stride * sizeof(T) % 2048 == 0 ? stride + line : stride;
    }

    private SequenceView<T> View(T* start, int width, ref nint[] offsets)
    {
        var row = (nint)_plan.Steps * width;
        var delta = _reverse ? -(nint)width : width;
        if (_plan.IsFull)
        {
            return new(start + (_reverse ? row - width : 0), row, null, delta);
        }

        if (_plan.InOrder && !_reverse)
        {
            return new(start, row, null, delta);
        }

        var table = Table(ref offsets, _plan.Rows);
        for (var r = 0; r < _plan.Rows; r++)
        {
            table[r] = (_plan.Order(r) * row) + (_reverse ? (nint)(_plan.Length(r) - 1) * width : 0);
        }

        return new(start, 0, table, delta);
    }

    // The rows of a state [N, size] in the engine's order.
    private Rows<T> StateRows(T* start, int size)
    {
        if (_plan.InOrder)
        {
            return new(start, size);
        }

        var table = Table(ref _stateOffsets, _plan.Rows);
        for (var r = 0; r < _plan.Rows; r++)
        {
            table[r] = (nint)_plan.Order(r) * size;
        }

        return new(start, 0, table);
    }

    private static nint* Table(ref nint[] array, int length)
    {
        if (array.Length < length)
        {
            array = GC.AllocateUninitializedArray<nint>(Math.Max(length, 2 * array.Length), pinned: true);
        }

        return (nint*)Unsafe.AsPointer(ref System.Runtime.InteropServices.MemoryMarshal.GetArrayDataReference(array));
    }

    // Steps whose gate columns are computed ahead in one input product: enough rows to read the weights for, few enough to stay in a near cache.
    private int ChunkSteps()
    {
        const int CacheBytes = 1 << 21;
        const int EnoughRows = 96;
        var rows = Math.Max(1, (_plan.Rows + _parts - 1) / _parts);
        var byCache = CacheBytes / ((long)rows * _columnStride * sizeof(T));
        var byRows = (EnoughRows + rows - 1) / rows;
        return (int)Math.Clamp(Math.Max(byCache, byRows), 1, Math.Max(1, _plan.RunSteps));
    }

    private void RentWorkspace()
    {
        var layout = Layout;
        var rows = _plan.Rows;
        var packed = _keep ? (nint)_plan.Total : rows * (nint)_chunkSteps;
        var steps = _keep ? (nint)_plan.Total : rows;
        var cells = (layout.States.Count - 1) * Hidden * (_keep ? (nint)rows + _plan.Total : 2 * (nint)rows);
        var kept = _keep ? layout.KeptValues * Hidden * steps : 0;
        var made = layout.MadeValues * Hidden * steps;
        var unprojected = _shape.ProjectionSize > 0 ? Hidden * steps : 0;
        var zeros = (nint)Math.Max(Hidden, Math.Max(_shape.InputSize, _shape.OutputSize));
        _workspace = default;
        _workspace.Reserve(packed * _columnStride);
        _workspace.Reserve(cells);
        _workspace.Reserve(kept);
        _workspace.Reserve(made);
        _workspace.Reserve(unprojected);
        _workspace.Reserve(zeros);
        _workspace.Rent();
        _columns = _workspace.Take(packed * _columnStride);
        _cells = _workspace.Take(cells);
        _kept = _workspace.Take(kept);
        _made = _workspace.Take(made);
        _unprojected = _workspace.Take(unprojected);
        _zeros = _workspace.Take(zeros);
        new Span<T>(_zeros, (int)zeros).Clear();
    }

    // The rows of a state other than the hidden one, before or after a step.
    private Rows<T> CellRows(int state, int step, bool after)
    {
        var rows = _keep ? (nint)_plan.Rows + _plan.Total : 2 * (nint)_plan.Rows;
        var start = _cells + ((state - 1) * rows * Hidden);
        if (!_keep)
        {
            return new(start + (((step + (after ? 1 : 0)) & 1) * (nint)_plan.Rows * Hidden), Hidden);
        }

        var first = after ? _plan.Rows + _plan.Offset(step) : step == 0 ? 0 : _plan.Rows + _plan.Offset(step - 1);
        return new(start + ((nint)first * Hidden), Hidden);
    }

    private T* FinalCell(int state, int row, int length) =>
        length == 0 ? CellRows(state, 0, after: false)[row] : CellRows(state, length - 1, after: true)[row];

    // Values that exist once a packed row with a way back, and once a batch row without.
    private Rows<T> StepRows(T* start, int step, int firstRow, int width) =>
        new(start + (((_keep ? _plan.Offset(step) : 0) + (nint)firstRow) * width), width);
}
