using System.Numerics.Tensors;
using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.Layers.Engine;

/// <content>The way back through time, and the gradients of input and weights.</content>
internal sealed unsafe partial class DirectionPass<T>
{
    private Workspace<T> _backspace;
    private Workspace<T> _copies;
    private SequenceView<T> _outputGradient;
    private SequenceView<T>?[] _sequenceGradients = [];
    private nint[][] _sequenceOffsets = [];
    private T* _savedColumns;
    private T* _savedFed;
    private T* _savedRecurrent;
    private T* _stateGradients;
    private T* _madeGradients;
    private T* _projectedGradients;
    private T* _unprojectedGradients;
    private SequenceView<T> _inputGradient;
    private nint[] _gradientOffsets = [];
    private readonly ulong _indirectStates;
    private bool _addsInputGradient;
    private bool _ownsInputGradient;

    /// <summary>Prepares the way back: packed weights and memory.</summary>
    /// <param name="input">Whether the gradient of the input is wanted.</param>
    /// <param name="parts">How many parts the rows are cut into.</param>
    /// <param name="alone">Whether no other thread has a part, so that threads may share single products.</param>
    /// <param name="carried">Whether anything asks for the gradient of a state before a step: there are several, or that of an initial one is wanted.</param>
    /// <param name="again">Whether another backward pass will follow.</param>
    internal void PrepareBackward(bool input, int parts, bool alone, bool carried, bool again)
    {
        if (again)
        {
            SaveValues();
        }

        _parts = parts;
        _alone = alone;
        _backwardWeights.Renew(_kernels, _values, input, carried);
        var rows = (nint)_plan.Rows;
        var states = rows * (_shape.OutputSize + ((Layout.States.Count - 1) * Hidden));
        var made = rows * Layout.MadeValues * Hidden;
        var projected = _shape.ProjectionSize > 0 ? _plan.Total * (nint)_shape.ProjectionSize : 0;
        var unprojected = _shape.ProjectionSize > 0 ? rows * Hidden : 0;
        _backspace = default;
        _backspace.Reserve(states);
        _backspace.Reserve(made);
        _backspace.Reserve(projected);
        _backspace.Reserve(unprojected);
        _backspace.Rent();
        _stateGradients = _backspace.Take(states);
        _madeGradients = _backspace.Take(made);
        _projectedGradients = _backspace.Take(projected);
        _unprojectedGradients = _backspace.Take(unprojected);
        PrepareOptionsBackward();
    }

    /// <summary>Says where the output's gradient lies: as the output, or null for zeros.</summary>
    internal void BindGradient(T* outputGradient, int outputWidth, ref nint[] offsets) =>
        _outputGradient = outputGradient == null ? new(_zeros, 0, null, 0) : View(outputGradient, outputWidth, ref offsets);

    /// <summary>Says where the gradient of a state after every step lies, [N, T, width] from this direction's first column, or null.</summary>
    internal void BindSequenceGradient(int state, T* gradient, int width)
    {
        if (gradient != null && _sequenceGradients.Length == 0)
        {
            _sequenceGradients = new SequenceView<T>?[Layout.States.Count];
            _sequenceOffsets = new nint[Layout.States.Count][];
            Array.Fill(_sequenceOffsets, []);
        }

        if (_sequenceGradients.Length > 0)
        {
            _sequenceGradients[state] = gradient == null ? null : View(gradient, width, ref _sequenceOffsets[state]);
        }
    }

    /// <summary>Says where the gradient of the input [N, T, I] goes.</summary>
    /// <param name="gradient">Its start, null where it is not wanted.</param>
    /// <param name="overwrite">Whether it starts from nothing, else it is added to.</param>
    /// <param name="owned">Whether no other direction adds to it, so that it may be computed on the way back.</param>
    internal void BindInputGradient(T* gradient, bool overwrite, bool owned)
    {
        _addsInputGradient = !overwrite;
        _ownsInputGradient = gradient != null && owned;
        if (gradient != null)
        {
            _inputGradient = View(gradient, _shape.InputSize, ref _gradientOffsets);
        }
    }

    /// <summary>Says whether the gradient of an initial state is wanted.</summary>
    internal void WantInitialGradient(int state, bool wanted) => _wantsInitial[state] = wanted;

    /// <summary>Sets the gradient of a final state [N, size], null for zeros.</summary>
    internal void SetFinalGradient(int state, T* values)
    {
        var size = _shape.StateSize(state);
        var rows = StateGradient(state);
        for (var row = 0; row < _plan.Rows; row++)
        {
            var to = new Span<T>(rows[row], size);
            if (values == null)
            {
                to.Clear();
            }
            else
            {
                new ReadOnlySpan<T>(values + ((nint)_plan.Order(row) * size), size).CopyTo(to);
            }
        }
    }

    /// <summary>Adds the gradient of an initial state to [N, size].</summary>
    internal void AddInitialGradient(int state, T* destination)
    {
        var size = _shape.StateSize(state);
        var rows = StateGradient(state);
        for (var row = 0; row < _plan.Rows; row++)
        {
            var from = new ReadOnlySpan<T>(rows[row], size);
            var to = new Span<T>(destination + ((nint)_plan.Order(row) * size), size);
            TensorPrimitives.Add(to, from, to);
        }
    }

    /// <summary>Runs all steps of one part of the rows back in time.</summary>
    internal void BackwardPart(int part)
    {
        var firstRow = _plan.PartStart(part, _parts, 1 << _sumShift);
        var endRow = _plan.PartStart(part + 1, _parts, 1 << _sumShift);
        if (firstRow >= endRow)
        {
            return;
        }

        var scratch = Scratch<T>.Get(BackwardScratch());
        var end = _plan.Length(firstRow);
        var waiting = 0;
        for (var step = end - 1; step >= 0; step--)
        {
            var rows = ActiveRows(step, firstRow, endRow);
            BackwardStep(step, firstRow, rows, part, scratch);
            waiting += rows;
            if (_ownsInputGradient && (step == 0 || waiting >= GradientRows))
            {
                // While the gradients of these gates are in a near cache.
                InputGradient(step, end, firstRow, endRow, scratch);
                end = step;
                waiting = 0;
            }
        }
    }

    // Rows whose gate gradients stay in the second-level cache until the gradient of the input is made of them; enough to fill the tiles.
    private int GradientRows => Math.Max(48, (int)((1 << 19) / (_columnStride * sizeof(T))));

    private nint BackwardScratch() =>
        _kernels.MultiplyScratch(_plan.Rows + GradientRows, Math.Max(_shape.Columns, Math.Max(_shape.OutputSize, Hidden)));

    // dX = dA W for some steps.
    private void InputGradient(int step, int end, int firstRow, int endRow, T* scratch) => StepsProduct(
        new(_fed, _columnStride, _plan), new(_inputGradient), step, end, firstRow, endRow, _backwardWeights.Input, _shape.InputColumns,
        _shape.InputSize, _addsInputGradient, null, scratch);

    // A gradient of an initial state that nobody asked for: nothing runs after the products of the first phase of the first step.
    private bool IsUnread(Product product, int step) =>
        step == 0 && product.EndsStepBack && !_wantsInitial[product.Source.Index];

    /// <summary>Gives the memory and the packed weights of the backward pass back.</summary>
    internal void ReleaseBackward()
    {
        _backwardWeights.Release();
        RestoreValues();
        _backspace.Return();
        _optionBackspace.Return();
    }

    // The backward pass writes gradients where the gate values are, and before normalisation the products: a copy makes room for another one.
    private void SaveValues()
    {
        var columns = (nint)_plan.Total * _columnStride;
        var recurrent = NormalizesProducts ? (nint)_plan.Total * _recurrentStride : 0;
        var fed = NormalizesProducts ? columns : 0;
        _copies = default;
        _copies.Reserve(columns);
        _copies.Reserve(fed);
        _copies.Reserve(recurrent);
        _copies.Rent();
        _savedColumns = Copy(_columns, columns);
        _savedFed = Copy(_fed, fed);
        _savedRecurrent = Copy(_recurrent, recurrent);

        T* Copy(T* from, nint length)
        {
            var to = _copies.Take(length);
            Move(from, to, length);
            return to;
        }
    }

    private void RestoreValues()
    {
        if (_savedColumns == null)
        {
            return;
        }

        var columns = (nint)_plan.Total * _columnStride;
        Move(_savedColumns, _columns, columns);
        if (NormalizesProducts)
        {
            Move(_savedFed, _fed, columns);
            Move(_savedRecurrent, _recurrent, (nint)_plan.Total * _recurrentStride);
        }

        _savedColumns = _savedFed = _savedRecurrent = null;
        _copies.Return();
    }

    private static void Move(T* from, T* to, nint length) => Buffer.MemoryCopy(from, to, length * sizeof(T), length * sizeof(T));

    private CellBlock<T> BackwardBlock(int step, int firstRow, int rows)
    {
        var block = Block(step, firstRow, rows, ColumnsAt(step, firstRow));
        block.MadeGradient = new Rows<T>(_madeGradients, Layout.MadeValues * Hidden).Skip(firstRow);
        block.OutputGradient = _outputGradient.Step(step, firstRow);
        for (var state = 0; state < Layout.States.Count; state++)
        {
            block.Gradient[state] = StateGradient(state).Skip(firstRow);
        }

        return block;
    }

    private void BackwardStep(int step, int firstRow, int rows, int part, T* scratch)
    {
        var block = BackwardBlock(step, firstRow, rows);
        NormalizedRows<T> normalized = default;
        if (_hasOptions)
        {
            UseFresh(ref block, step, firstRow);
            normalized = Normalized(step, firstRow, rows, block);
        }

        AddSequenceGradients(step, firstRow, rows);
        if (_zoned)
        {
            ZoneBack(step, firstRow, rows, part, ref block);
        }

        if (_shape.ProjectionSize > 0)
        {
            ProjectBack(step, firstRow, rows, ref block, scratch);
        }

        // A bit for each state whose place the first product of the state before the step overwrites, and for each made value that has a gradient.
        var (overwrite, made) = (_indirectStates, 0UL);
        for (var phase = Layout.Phases - 1; phase >= 0; phase--)
        {
            _normalization?.StatesBack(phase, normalized, block);
            _cell.Backward(phase, block);
            for (var i = Layout.Products.Count - 1; i >= 0; i--)
            {
                var product = Layout.Products[i];
                if (product.Phase != phase)
                {
                    continue;
                }

                var from = block.Columns.SkipColumns((nint)product.FirstGate * Hidden);
                if (NormalizesProducts)
                {
                    _normalization!.ProductBack(i, normalized, block);
                    from = normalized.Recurrent.SkipColumns(_normalization.Plan.ProductColumns[i]);
                }

                var source = product.Source;
                var size = _shape.SourceSize(source);
                var bit = 1UL << source.Index;
                var isMade = source.Kind == OperandKind.Made;
                var startsState = source.Kind == OperandKind.Previous || (!isMade && source.Index == 0);
                var accumulate = isMade ? (made & bit) != 0 : !startsState || (overwrite & bit) == 0;
                made |= isMade ? bit : 0;
                overwrite &= startsState ? ~bit : ulong.MaxValue;
                if (IsUnread(product, step))
                {
                    continue;
                }

                var destination = source.Kind == OperandKind.Made
                    ? block.MadeGradient.SkipColumns((nint)source.Index * Hidden)
                    : StateGradient(source.Index).Skip(firstRow);
                var gates = product.GateCount * Hidden;
                if (IsMasked(i))
                {
                    var unmasked = new Rows<T>(_unmasked, size).Skip(firstRow);
                    Product(from, rows, _backwardWeights.Product(i), gates, size, unmasked, accumulate: false, null, scratch);
                    MaskGradient(unmasked, destination, firstRow, rows, size, accumulate);
                }
                else
                {
                    Product(from, rows, _backwardWeights.Product(i), gates, size, destination, accumulate, null, scratch);
                }
            }
        }

        if (NormalizesProducts)
        {
            _normalization!.InputBack(normalized, block);
        }

        for (var state = 0; overwrite != 0; state++, overwrite >>= 1)
        {
            if ((overwrite & 1) != 0)
            {
                ClearRows(StateGradient(state).Skip(firstRow), rows, _shape.StateSize(state));
            }
        }

        if (_zoned)
        {
            AddCarried(firstRow, rows);
        }
    }

    // What flows into a state from its sequence, where the sequence was an output.
    private void AddSequenceGradients(int step, int firstRow, int rows)
    {
        for (var state = 1; state < Layout.States.Count && _sequenceGradients.Length > 0; state++)
        {
            if (_sequenceGradients[state] is not { } view)
            {
                continue;
            }

            var to = StateGradient(state).Skip(firstRow);
            for (var row = 0; row < rows; row++)
            {
                var sum = new Span<T>(to[row], Hidden);
                TensorPrimitives.Add(sum, new ReadOnlySpan<T>(view.At(step, firstRow + row), Hidden), sum);
            }
        }
    }

    // The cell's output is the row before the projection: its gradient is dh W_hr, with dh of the output and of the next step together.
    private void ProjectBack(int step, int firstRow, int rows, ref CellBlock<T> block, T* scratch)
    {
        var width = _shape.ProjectionSize;
        var projected = new Rows<T>(_projectedGradients + (((nint)_plan.Offset(step) + firstRow) * width), width);
        for (var row = 0; row < rows; row++)
        {
            var ofOutput = new ReadOnlySpan<T>(block.OutputGradient[row], width);
            var ofState = new ReadOnlySpan<T>(block.Gradient[0][row], width);
            TensorPrimitives.Add(ofOutput, ofState, new Span<T>(projected[row], width));
        }

        var unprojected = new Rows<T>(_unprojectedGradients, Hidden).Skip(firstRow);
        _kernels.Multiply(
            projected, rows, _backwardWeights.Projection, width, Hidden, unprojected, accumulate: false, null, 0,
            _kernels.PanelCount(Hidden), scratch);
        block.OutputGradient = unprojected;
        block.Gradient[0] = new(_zeros, 0);
    }

    // The states whose gradients flow through products alone: what is there before a step's way back must not reach the step before.
    private static ulong IndirectStates(CellLayout layout)
    {
        var states = 0UL;
        for (var state = 0; state < layout.States.Count; state++)
        {
            states |= layout.States[state].FlowsDirectly ? 0 : 1UL << state;
        }

        return states;
    }

    private Rows<T> StateGradient(int state) => state == 0
        ? new(_stateGradients, _shape.OutputSize)
        : new(_stateGradients + ((nint)_plan.Rows * (_shape.OutputSize + ((state - 1) * Hidden))), Hidden);
}
