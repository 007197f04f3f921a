using System.Numerics;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers.Engine;

/// <summary>
/// One layer that runs N rows one step at a time, in evaluation: the layer's program on memory of its own. Frames for both blocks of states are
/// made once, so that a step allocates nothing and takes no lock.
/// </summary>
internal sealed unsafe class LayerStepper<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly CellShape _shape;
    private readonly StepMemory<T> _memory;
    private readonly StepForward<T> _step;
    private readonly WeightLeases<T> _weights;
    private readonly Tensor<T>[] _values;
    private readonly (Storage<T>? Memory, int Version)[] _seen;
    private readonly Tensor<T>?[] _initial;
    private readonly bool _addsInput;
    private readonly bool _startsWithInputProduct;
    private readonly StepFrame<T>[] _frames = new StepFrame<T>[2];
    private readonly PreparedStep<T>?[] _prepared = new PreparedStep<T>?[2 * MatrixKernels<T>.Current.MostPreparedRows];
    private readonly long _weightCount;
    private int _preparedVersion;
    private Workspace<T> _workspace;
    private T* _input;
    private T* _sum;
    private int _capacity;
    private int _current;

    /// <summary>Makes a stepper of a layer.</summary>
    /// <param name="engine">The layer; it runs forward in time only.</param>
    /// <param name="values">Its weights in the order of the shape's slots.</param>
    /// <param name="initial">What each state starts from [size], null for zeros.</param>
    /// <param name="addsInput">Whether the layer's input is added to its output.</param>
    /// <param name="rows">The number of rows N.</param>
    internal LayerStepper(LayerEngine<T> engine, Tensor<T>[] values, Tensor<T>?[] initial, bool addsInput, int rows)
    {
        var program = engine.Program;
        _shape = program.Shape;
        _memory = new(program);
        _weights = engine.Weights(direction: 0, backward: false);
        _step = new(engine.Cell, _weights, _memory, new(program.Options, new(), direction: 0));
        _values = values;
        _seen = new (Storage<T>?, int)[values.Length];
        _initial = initial;
        _addsInput = addsInput;
        _startsWithInputProduct = program.StartsWithInputProduct;
        _weightCount = (long)_shape.InputColumns * (_shape.InputSize + _shape.HiddenSize);
        Allocate(rows);
        Reset();
    }

    /// <summary>The number of rows N.</summary>
    internal int Rows { get; private set; }

    /// <summary>The cell and its sizes.</summary>
    internal CellShape Shape => _shape;

    /// <summary>Whether the layer's weights are large enough for threads to share the reading of them.</summary>
    internal bool IsLarge => SharedGemm<T>.ShouldShare(_weightCount);

    private int States => _shape.Layout.States.Count;

    /// <summary>Runs one step.</summary>
    /// <param name="input">The input [N, I].</param>
    /// <param name="shares">Whether other threads may help.</param>
    /// <returns>The output [N, size], good until the next call.</returns>
    internal ReadOnlySpan<T> Step(ReadOnlySpan<T> input, bool shares)
    {
        if (!AreCurrent())
        {
            Renew();
        }

        fixed (T* from = input)
        {
            Tiny<T>.CopyFlushed(from, _input, input.Length);
        }

        ref var frame = ref _frames[_current];
        if (Rows <= _prepared.Length / 2 && !(shares && IsLarge))
        {
            _step.SharesProducts = false;
            Prepared().Run(ref frame);
        }
        else
        {
            _step.SharesProducts = shares;
            Run(ref frame, shares && IsLarge && _startsWithInputProduct);
        }

        _current = 1 - _current;
        var output = new ReadOnlySpan<T>(State(0), Rows * _shape.OutputSize);
        if (!_addsInput)
        {
            return output;
        }

        var sum = new Span<T>(_sum, output.Length);
        output.CopyTo(sum);
        SpanKernels<T>.Add(input, sum);
        return sum;
    }

    /// <summary>Puts all rows back to their initial states.</summary>
    internal void Reset()
    {
        for (var row = 0; row < Rows; row++)
        {
            ResetRow(row);
        }
    }

    /// <summary>Puts a row back to its initial states.</summary>
    internal void ResetRow(int row)
    {
        for (var state = 0; state < States; state++)
        {
            var size = _shape.StateSize(state);
            var to = State(state) + ((nint)row * size);
            if (_initial[state] is { } values)
            {
                CopyFlushed(values.AsReadOnlySpan(), to);
            }
            else
            {
                new Span<T>(to, size).Clear();
            }
        }
    }

    /// <summary>Goes on with other rows: row i with the states that row <paramref name="rows"/>[i] has now. Rows may be left out and come more than once.</summary>
    internal void SelectRows(ReadOnlySpan<int> rows)
    {
        if (rows.Length > _capacity)
        {
            Grow(rows);
            return;
        }

        var from = _current;
        _current = 1 - _current;
        for (var state = 0; state < States; state++)
        {
            Select(rows, new(State(state, from), Rows * _shape.StateSize(state)), State(state), _shape.StateSize(state));
        }

        SetRows(rows.Length);
    }

    /// <summary>Copies a state of all rows to [N, size].</summary>
    internal void CopyStateTo(int state, Span<T> destination) => new ReadOnlySpan<T>(State(state), Rows * _shape.StateSize(state)).CopyTo(destination);

    /// <summary>Sets a state of all rows from [N, size].</summary>
    internal void CopyStateFrom(int state, ReadOnlySpan<T> source) => CopyFlushed(source, State(state));

    private Rows<T> Input => new(_input, _shape.InputSize);

    private void Run(ref StepFrame<T> frame, bool bothAtOnce)
    {
        if (bothAtOnce)
        {
            _step.MultiplyWithInput(Input, frame);
        }
        else
        {
            _step.Multiply(_step.InputProduct(Input, frame), frame);
        }

        _step.Run(ref frame, bothAtOnce ? 1 : 0);
    }

    // Whether no weight has been written to since the leases were taken: asked at every step, and quicker than each lease is.
    private bool AreCurrent()
    {
        var values = _values;
        var seen = _seen;
        for (var i = 0; i < values.Length && i < seen.Length; i++)
        {
            var memory = values[i].Memory;
            if (memory != seen[i].Memory || memory.Version != seen[i].Version)
            {
                return false;
            }
        }

        return true;
    }

    private void Renew()
    {
        // Versions from before: a write from another thread meanwhile counts as a change.
        for (var i = 0; i < _values.Length; i++)
        {
            _seen[i] = (_values[i].Memory, _values[i].Version);
        }

        _weights.Renew(_values);
    }

    // For each number of rows and each block of states; all anew where weights have changed.
    private PreparedStep<T> Prepared()
    {
        if (_preparedVersion != _weights.Version)
        {
            Array.Clear(_prepared);
            _preparedVersion = _weights.Version;
        }

        return _prepared[(2 * (Rows - 1)) + _current] ?? Prepare();
    }

    // Steps use both blocks in turn, and read weights to and fro.
    private PreparedStep<T> Prepare()
    {
        for (var block = 0; block < 2; block++)
        {
            _prepared[(2 * (Rows - 1)) + block] = _step.Prepare(Input, ref _frames[block], descending: block == 1);
        }

        return _prepared[(2 * (Rows - 1)) + _current]!;
    }

    private static void CopyFlushed(ReadOnlySpan<T> values, T* to)
    {
        fixed (T* from = values)
        {
            Tiny<T>.CopyFlushed(from, to, values.Length);
        }
    }

    private static void Select(ReadOnlySpan<int> rows, ReadOnlySpan<T> from, T* to, int size)
    {
        for (var row = 0; row < rows.Length; row++)
        {
            from.Slice(rows[row] * size, size).CopyTo(new Span<T>(to + ((nint)row * size), size));
        }
    }

    private void Grow(ReadOnlySpan<int> rows)
    {
        var states = new T[States][];
        for (var state = 0; state < states.Length; state++)
        {
            states[state] = new ReadOnlySpan<T>(State(state), Rows * _shape.StateSize(state)).ToArray();
        }

        Allocate(rows.Length);
        for (var state = 0; state < states.Length; state++)
        {
            Select(rows, states[state], State(state), _shape.StateSize(state));
        }
    }

    private void Allocate(int rows)
    {
        _capacity = rows;
        _current = 0;
        Array.Clear(_prepared);
        _memory.Allocate(rows);
        var input = (nint)rows * _shape.InputSize;
        var sum = _addsInput ? (nint)rows * _shape.OutputSize : 0;
        var scratch = _step.ScratchLength(rows);
        _workspace = default;
        _workspace.Reserve(input);
        _workspace.Reserve(sum);
        _workspace.Reserve(scratch);
        _workspace.Allocate();
        _input = _workspace.Take(input);
        _sum = _workspace.Take(sum);
        var memory = _workspace.Take(scratch);
        for (var block = 0; block < 2; block++)
        {
            ref var frame = ref _frames[block];
            frame.Scratch = memory;
            frame.StateRow = block * (nint)rows;
            frame.NextStateRow = (1 - block) * (nint)rows;
            frame.Output = _memory.State(0, frame.NextStateRow);
            frame.Cell.Gates = _memory.Gates(0);
            frame.Cell.Previous[0] = _memory.State(0, frame.StateRow);
            _memory.SetBuffers(ref frame);
        }

        SetRows(rows);
    }

    private void SetRows(int rows)
    {
        Rows = rows;
        _frames[0].Cell.Rows = rows;
        _frames[1].Cell.Rows = rows;
    }

    private T* State(int state) => State(state, _current);

    private T* State(int state, int block) => _memory.State(state, block * (nint)_capacity).Start;
}
