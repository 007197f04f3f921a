using System.Numerics;
using Rnn.Cells;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers.Engine;

/// <summary>One layer of a stream: a row of gate columns and of each state, in memory of its own, and the layer's packed weights.</summary>
internal sealed unsafe partial class StreamLayer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly CellKernels<T> _cell;
    private readonly CellShape _shape;
    private readonly WeightLeases<T> _weights;
    private readonly MatrixKernels<T> _kernels = MatrixKernels<T>.Current;
    private readonly PanelTeam<T> _team = new();
    private readonly Tensor<T>[] _values;
    private readonly Tensor<T>?[] _initial;
    private readonly T[] _memory;
    private readonly int _stateOffset;
    private readonly int _madeOffset;
    private readonly int _unprojectedOffset;
    private readonly int _inputOffset;
    private readonly int _scratchOffset;
    private int _parity;

    internal StreamLayer(
        CellKernels<T> cell, CellShape shape, DirectionWeights<T> weights, Tensor<T>[] values, Tensor<T>?[] initial, StepOptions options, bool addsInput)
    {
        var plan = NormalizationPlan.Of(shape);
        _options = options;
        _addsInput = addsInput;
        _normalization = plan is null ? null : new(shape, plan);
        _gainSlots = GainSlots(shape);
        _gainVersions = new int[_gainSlots.Length];
        _gainMemories = new object?[_gainSlots.Length];
        _cell = cell;
        _shape = shape;
        _weights = new(weights, backward: false);
        _values = values;
        _initial = initial;
        var line = 64 / sizeof(T);
        _stateOffset = Round(shape.Columns);
        _madeOffset = _stateOffset + (2 * States * StateStride);
        _unprojectedOffset = _madeOffset + Round(shape.Layout.MadeValues * shape.HiddenSize);
        _optionOffset = _unprojectedOffset + Round(shape.HiddenSize);
        _inputOffset = _optionOffset + OptionMemory(shape, plan);
        _scratchOffset = _inputOffset + Round(shape.InputSize);
        var scratch = _kernels.MultiplyScratch(1, Math.Max(shape.InputSize, shape.HiddenSize));
        _memory = GC.AllocateArray<T>(_scratchOffset + (int)scratch + line, pinned: true);
        Reset();
    }

    private int States => _shape.Layout.States.Count;

    private int StateStride => Round(Math.Max(_shape.HiddenSize, _shape.OutputSize));

    // The memory begins at a cache line: a vector that straddles two costs twice.
    private T* Base
    {
        get
        {
            var start = (nuint)System.Runtime.CompilerServices.Unsafe.AsPointer(
                ref System.Runtime.InteropServices.MemoryMarshal.GetArrayDataReference(_memory));
            return (T*)((start + 63) & ~(nuint)63);
        }
    }

    internal ReadOnlySpan<T> Step(ReadOnlySpan<T> input, bool share)
    {
        _weights.Renew(_kernels, _values);
        var columns = Base;
        var scratch = columns + _scratchOffset;
        var x = columns + _inputOffset;
        fixed (T* from = input)
        {
            Tiny<T>.CopyFlushed(from, x, input.Length);
        }

        var b = _weights.Bias;
        var block = Block(columns, _weights.Vectors);
        var normalized = Normalized(block.Columns);
        var bias = b == null ? NoBias : b;
        UpdateGains();
        var both = share && SharesBoth(x, b, block);
        if (!both)
        {
            Product(
                share, new(x, 0), _weights.Input, _shape.InputSize, _shape.InputColumns, block.Columns, accumulate: false,
                NormalizesProducts ? null : b, scratch);
        }

        if (NormalizesProducts)
        {
            _normalization!.Input(normalized, block, bias);
        }

        var fed = _shape.Layout.InputGates;
        for (var phase = 0; phase < _shape.Layout.Phases; phase++)
        {
            for (var i = 0; i < _shape.Layout.Products.Count; i++)
            {
                var product = _shape.Layout.Products[i];
                if (product.Phase != phase || (both && i == 0))
                {
                    continue;
                }

                var accumulate = product.FirstGate < fed;
                fed = Math.Max(fed, product.FirstGate + product.GateCount);
                var outputs = product.GateCount * _shape.HiddenSize;
                var first = product.FirstGate * _shape.HiddenSize;
                var to = NormalizesProducts
                    ? normalized.Recurrent.SkipColumns(_normalization!.Plan.ProductColumns[i])
                    : block.Columns.SkipColumns(first);
                Product(
                    share, DirectionPass<T>.SourceRows(product.Source, block), _weights.Product(i),
                    _shape.SourceSize(product.Source), outputs, to, accumulate && !NormalizesProducts,
                    accumulate || NormalizesProducts ? null : bias + first, scratch);
                if (NormalizesProducts)
                {
                    _normalization!.Product(i, normalized, block, accumulate, bias);
                }
            }

            _cell.Forward(phase, block, keep: false);
            _normalization?.States(phase, normalized, block);
        }

        if (_shape.ProjectionSize > 0)
        {
            _kernels.Multiply(
                block.Next[0], 1, _weights.Projection, _shape.HiddenSize, _shape.ProjectionSize,
                new(State(0, 1 - _parity), 0), accumulate: false, null, 0, _kernels.PanelCount(_shape.ProjectionSize), scratch);
            Tiny<T>.CopyFlushed(State(0, 1 - _parity), State(0, 1 - _parity), _shape.ProjectionSize);
        }

        Zone();
        _parity = 1 - _parity;
        return AddInput(new(State(0, _parity), _shape.OutputSize), input);
    }

    /// <summary>Whether the layer's weights are large enough for threads to share the reading of them.</summary>
    internal bool IsLarge => PanelTeam<T>.IsWorthwhile((long)_shape.InputColumns * (_shape.InputSize + _shape.HiddenSize));

    internal void Reset()
    {
        _parity = 0;
        for (var state = 0; state < States; state++)
        {
            var to = new Span<T>(State(state, 0), _shape.StateSize(state));
            to.Clear();
            Set(state, _initial[state]);
        }
    }

    internal void SetState(ReadOnlySpan<Tensor<T>> source, int layer)
    {
        for (var state = 0; state < States; state++)
        {
            var from = source[state];
            if (from.Length != _shape.StateSize(state))
            {
                throw new ArgumentException(
                    $"state: expected [1, {_shape.StateSize(state)}] for state {state} of layer {layer} but got {from.Shape}.", nameof(source));
            }

            Set(state, from);
        }
    }

    private void Set(int state, Tensor<T>? values)
    {
        if (values is not null)
        {
            fixed (T* from = values.AsReadOnlySpan())
            {
                Tiny<T>.CopyFlushed(from, State(state, _parity), values.Length);
            }
        }
    }

    internal IEnumerable<Tensor<T>> GetState() => Enumerable.Range(0, States).Select(Copy);

    // Input and first recurrent product in one go, where they feed the same gates, as in an LSTM.
    private bool SharesBoth(T* input, T* bias, in CellBlock<T> block)
    {
        var products = _shape.Layout.Products;
        if (NormalizesProducts || products.Count == 0 || products[0] is not { FirstGate: 0, Phase: 0 } product
            || product.GateCount != _shape.Layout.InputGates || !IsLarge)
        {
            return false;
        }

        _team.MultiplyTwo(
            new(input, 0), _weights.Input, _shape.InputSize, DirectionPass<T>.SourceRows(product.Source, block),
            _weights.Product(0), _shape.SourceSize(product.Source), 1, _shape.InputColumns, block.Columns, bias);
        return true;
    }

    private void Product(bool share, Rows<T> a, T* packed, int inner, int outputs, Rows<T> c, bool accumulate, T* bias, T* scratch)
    {
        if (share && PanelTeam<T>.IsWorthwhile((long)inner * outputs))
        {
            _team.Multiply(a, 1, packed, inner, outputs, c, accumulate, bias);
        }
        else
        {
            _kernels.Multiply(a, 1, packed, inner, outputs, c, accumulate, bias, 0, _kernels.PanelCount(outputs), scratch);
        }
    }

    private static int Round(int length)
    {
        var line = 64 / sizeof(T);
        return (length + line - 1) / line * line;
    }

    private Tensor<T> Copy(int state) => Tensor<T>.From(new ReadOnlySpan<T>(State(state, _parity), _shape.StateSize(state)), 1, _shape.StateSize(state));

    private T* State(int state, int parity) => Base + _stateOffset + (((2 * state) + parity) * StateStride);

    private CellBlock<T> Block(T* columns, T* vectors)
    {
        var block = new CellBlock<T>
        {
            Rows = 1,
            Units = _shape.HiddenSize,
            Columns = new(columns, 0),
            Made = new(columns + _madeOffset, 0),
            Vectors = vectors,
        };
        for (var state = 0; state < States; state++)
        {
            block.Previous[state] = new(State(state, _parity), 0);
            block.Next[state] = new(State(state, 1 - _parity), 0);
        }

        if (_shape.ProjectionSize > 0)
        {
            block.Next[0] = new(columns + _unprojectedOffset, 0);
        }

        return block;
    }
}
