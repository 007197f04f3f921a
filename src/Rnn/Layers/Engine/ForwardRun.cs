using System.Numerics;
using Rnn.Cells;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers.Engine;

/// <summary>
/// The forward pass of one direction over a batch. Rows are independent in time, so each part of them runs all its steps on one thread with no
/// barrier in between.
/// </summary>
internal sealed unsafe class ForwardRun<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly DirectionRun<T> _run;
    private readonly CellShape _shape;
    private readonly WeightLeases<T> _weights;
    private readonly StepForward<T> _step;
    private readonly Lock _flushing = new();
    private Workspace<T> _flushedSpace;
    private bool _looksForTiny;
    private T* _inputStart;
    private T* _flushedInput;
    private ulong _zeroStates;
    private int _chunkSteps;

    internal ForwardRun(DirectionRun<T> run, CellKernels<T> cell, WeightLeases<T> weights)
    {
        _run = run;
        _shape = run.Shape;
        _weights = weights;
        _step = new(cell, weights, run.Memory, run.Masks);
    }

    private BatchPlan Plan => _run.Plan;

    private StepMemory<T> Memory => _run.Memory;

    /// <summary>
    /// Prepares a run: packed weights, memory, masks. All pointers must stay pinned until <see cref="Run"/> has run all parts.
    /// </summary>
    /// <param name="program">What a step does.</param>
    /// <param name="values">The weights in the order of the shape's slots.</param>
    /// <param name="saves">Whether a backward pass will follow.</param>
    /// <param name="readsStates">Whether any step reads a state that is not zero: there are several, or one was given.</param>
    /// <param name="looksForTiny">Whether the input may hold numbers too small to matter.</param>
    /// <param name="seed">The seed of all masks in training; null in evaluation.</param>
    internal void Prepare(StepProgram program, Tensor<T>[] values, bool saves, bool readsStates, bool looksForTiny, ulong? seed)
    {
        _looksForTiny = looksForTiny;
        _step.SharesProducts = _run.SharesProducts;
        _step.Saves = saves;
        _weights.Renew(values, readsStates: readsStates);
        _chunkSteps = ChunkSteps();
        Memory.Rent(program, Plan, _chunkSteps, saves);
        _run.Masks.Prepare(program, seed);
    }

    /// <summary>Says where input, output and initial hidden state lie; see <see cref="DirectionRun{T}.Bind"/>.</summary>
    internal void Bind(T* input, T* output, int outputWidth, T* initialHidden)
    {
        _inputStart = input;
        _run.Bind(input, output, outputWidth, initialHidden);
        SetZero(0, initialHidden == null);
    }

    /// <summary>Whether numbers too small to matter were found in the input.</summary>
    internal bool HasFlushedInput => _flushedInput != null;

    /// <summary>The input as the forward pass has read it: the given one, or its copy without numbers too small to matter.</summary>
    internal T* InputAsRead(T* input) => _flushedInput == null ? input : _flushedInput;

    /// <summary>Copies an initial state other than the hidden one into its place, null for zeros.</summary>
    internal void SetInitialState(int state, T* values)
    {
        SetZero(state, values == null);
        var size = _shape.StateSize(state);
        var rows = Memory.State(state, 0);
        for (var row = 0; row < Plan.Rows; row++)
        {
            var to = new Span<T>(rows[row], size);
            if (values == null)
            {
                to.Clear();
            }
            else
            {
                new ReadOnlySpan<T>(values + ((nint)Plan.Order(row) * size), size).CopyTo(to);
            }
        }
    }

    /// <summary>Runs all steps of one part of the rows.</summary>
    internal void Run(int part)
    {
        var firstRow = Plan.PartStart(part, _run.Parts);
        var endRow = Plan.PartStart(part + 1, _run.Parts);
        if (firstRow >= endRow)
        {
            return;
        }

        StepFrame<T> frame = default;
        frame.Scratch = Scratch<T>.Get(_step.ScratchLength(Plan.Rows * _chunkSteps));
        frame.IgnoredStates = _zeroStates;
        var steps = Plan.Length(firstRow);
        for (var step = 0; step < steps;)
        {
            // A = X Wᵀ + b for the steps of a chunk, then its steps.
            var start = step;
            var end = Math.Min(step + _chunkSteps, steps);
            _run.MultiplySteps(
                Input(step, end, firstRow, endRow), InputProducts(step), step, end, firstRow, endRow, _weights.Input, _shape.InputSize,
                _shape.InputColumns, accumulate: false, _step.InputBias, frame.Scratch);
            for (; step < end; step++)
            {
                // Gates of all steps with a backward pass to come, else of the chunk's.
                var gateRow = (Memory.HoldsAllSteps ? Plan.Offset(step) : (step - start) * (nint)Plan.Rows) + firstRow;
                _run.SetFrame(ref frame, step, firstRow, _run.ActiveRows(step, firstRow, endRow), gateRow);
                _step.Run(ref frame);
                frame.IgnoredStates = 0;
            }
        }
    }

    /// <summary>Copies a state of each row after its last step to [N, size].</summary>
    internal void CopyFinalState(int state, T* destination)
    {
        var size = _shape.StateSize(state);
        for (var row = 0; row < Plan.Rows; row++)
        {
            var from = FinalState(state, row, Plan.Length(row));
            new ReadOnlySpan<T>(from, size).CopyTo(new Span<T>(destination + ((nint)Plan.Order(row) * size), size));
        }
    }

    /// <summary>Copies a state other than the hidden one after every step into a batch-first tensor [N, T, width], zeros past the ends.</summary>
    internal void CopyStateSequence(int state, T* destination, int width)
    {
        var size = _shape.StateSize(state);
        var offsets = Array.Empty<nint>();
        var view = _run.View(destination, width, ref offsets);
        for (var step = 0; step < Plan.RunSteps; step++)
        {
            var rows = Memory.State(state, _run.StateRow(step, after: true));
            for (var row = 0; row < Plan.Active(step); row++)
            {
                new ReadOnlySpan<T>(rows[row], size).CopyTo(new Span<T>(view.At(step, row), size));
            }
        }
    }

    /// <summary>Gives the packed weights back.</summary>
    internal void ReleaseWeights() => _weights.Release();

    /// <summary>Gives the memory back.</summary>
    internal void Release()
    {
        _flushedSpace.Return();
        _flushedInput = null;
    }

    private void SetZero(int state, bool isZero) => _zeroStates = isZero ? _zeroStates | (1UL << state) : _zeroStates & ~(1UL << state);

    private T* FinalState(int state, int row, int length)
    {
        if (state > 0)
        {
            return Memory.State(state, length == 0 ? 0 : _run.StateRow(length - 1, after: true))[row];
        }

        return length == 0 ? _run.InitialHidden[row] : _run.Output.At(length - 1, row);
    }

    // Where the input products of a chunk that begins at a step go.
    private StepMap<T> InputProducts(int firstStep)
    {
        if (Memory.HoldsAllSteps)
        {
            return new(Memory.InputProducts(0).Start, Memory.GateStride, Plan);
        }

        var delta = Plan.Rows * Memory.GateStride;
        return new(Memory.Gates(0).Start - (firstStep * delta), Memory.GateStride, null, delta);
    }

    // Inputs too small to matter are read as zeros, from a copy of the whole input that is made where any are found.
    private StepMap<T> Input(int step, int end, int firstRow, int endRow)
    {
        var input = _run.Input;
        for (var row = firstRow; row < endRow && _looksForTiny; row++)
        {
            var last = Math.Min(end, Plan.Length(row)) - 1;
            if (last < step)
            {
                break;
            }

            // A row's steps lie behind each other, backward where the direction runs back in time.
            if (Tiny<T>.IsAny(input.At(_run.IsReverse ? last : step, row), (nint)(last + 1 - step) * _shape.InputSize))
            {
                return input.MovedBy((nint)(FlushedInput() - _inputStart));
            }
        }

        return input;
    }

    private T* FlushedInput()
    {
        lock (_flushing)
        {
            if (_flushedInput == null)
            {
                var length = (nint)Plan.Rows * Plan.Steps * _shape.InputSize;
                _flushedSpace = default;
                _flushedSpace.Reserve(length);
                _flushedSpace.Rent();
                var copy = _flushedSpace.Take(length);
                Tiny<T>.CopyFlushed(_inputStart, copy, length);
                _flushedInput = copy;
            }

            return _flushedInput;
        }
    }

    // Steps whose input products are computed at once: enough rows to read the weights for, few enough to stay in a near cache.
    private int ChunkSteps()
    {
        const int EnoughRows = 96;
        var rows = Math.Max(1, (Plan.Rows + _run.Parts - 1) / _run.Parts);
        var byCache = CacheSizes.Second / 2 / ((long)rows * Memory.GateStride * sizeof(T));
        var byRows = (EnoughRows + rows - 1) / rows;
        return (int)Math.Clamp(Math.Max(byCache, byRows), 1, Math.Max(1, Plan.RunSteps));
    }
}
