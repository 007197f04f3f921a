using System.Numerics;
using Rnn.Cells;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers.Engine;

/// <summary>The backward pass of one direction through time: gradients of all gates, of the initial states and, while those of the gates are near, of the input.</summary>
internal sealed unsafe partial class BackwardRun<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly DirectionRun<T> _run;
    private readonly CellShape _shape;
    private readonly WeightLeases<T> _weights;
    private readonly CellKernels<T> _cell;
    private readonly MatrixKernels<T> _kernels = MatrixKernels<T>.Current;
    private readonly NormalizationKernels<T> _normalization = NormalizationKernels<T>.Current;
    private readonly SharedGemm<T> _team = new();
    private readonly StepMap<T>?[] _sequenceGradients;
    private readonly nint[][] _sequenceOffsets;
    private bool _hasSequenceGradients;
    private StepMap<T> _outputGradient;
    private StepMap<T> _inputGradient;
    private nint[] _outputOffsets = [];
    private nint[] _inputOffsets = [];
    private ulong _unwantedInitial;
    private bool _addsInputGradient;
    private bool _computesInputGradient;

    internal BackwardRun(DirectionRun<T> run, CellKernels<T> cell, WeightLeases<T> weights)
    {
        _run = run;
        _shape = run.Shape;
        _weights = weights;
        _cell = cell;
        _sequenceGradients = new StepMap<T>?[_shape.Layout.States.Count];
        _sequenceOffsets = new nint[_shape.Layout.States.Count][];
        Array.Fill(_sequenceOffsets, []);
    }

    /// <summary>The length of all tables of offsets, which grow with the batch and stay.</summary>
    internal long TableLength
    {
        get
        {
            var length = (long)_outputOffsets.Length + _inputOffsets.Length;
            foreach (var offsets in _sequenceOffsets)
            {
                length += offsets.Length;
            }

            return length;
        }
    }

    private BatchPlan Plan => _run.Plan;

    private StepMemory<T> Memory => _run.Memory;

    private StepMasks<T> Masks => _run.Masks;

    // Rows whose gate gradients stay in the second-level cache until the gradient of the input is made of them; enough to fill the tiles.
    private int GradientRows => Math.Max(48, (int)(CacheSizes.Second / 2 / (Memory.GateStride * sizeof(T))));

    /// <summary>Prepares a backward pass: packed weights and memory.</summary>
    /// <param name="values">The weights in the order of the shape's slots.</param>
    /// <param name="input">Whether the gradient of the input is wanted.</param>
    /// <param name="readsStates">Whether anything asks for the gradient of a state before a step: there are several, or that of an initial one is wanted.</param>
    /// <param name="keepsGraph">Whether another backward pass will follow.</param>
    internal void Prepare(Tensor<T>[] values, bool input, bool readsStates, bool keepsGraph)
    {
        _unwantedInitial = 0;
        _hasSequenceGradients = false;
        _weights.Renew(values, input, readsStates);
        Memory.RentGradients(Plan, keepsGraph);
    }

    /// <summary>Says where input, output and initial hidden state lie; see <see cref="DirectionRun{T}.Bind"/>.</summary>
    internal void Bind(T* input, T* output, int outputWidth, T* initialHidden) =>
        _run.Bind(_run.Forward.InputAsRead(input), output, outputWidth, initialHidden);

    /// <summary>Says where the output's gradient lies: as the output, or null for zeros.</summary>
    internal void BindOutputGradient(T* gradient, int width) =>
        _outputGradient = gradient == null ? new(Memory.Zeros, 0, null, 0) : _run.View(gradient, width, ref _outputOffsets);

    /// <summary>Says where the gradient of a state after every step lies, [N, T, width] from this direction's first column, or null.</summary>
    internal void BindSequenceGradient(int state, T* gradient, int width)
    {
        _sequenceGradients[state] = gradient == null ? null : _run.View(gradient, width, ref _sequenceOffsets[state]);
        _hasSequenceGradients |= gradient != null;
    }

    /// <summary>Says where the gradient of the input [N, T, I] goes.</summary>
    /// <param name="gradient">Its start, null where it is not wanted.</param>
    /// <param name="overwrite">Whether it starts from nothing, else it is added to.</param>
    /// <param name="isOnlyDirection">Whether no other direction adds to it, so that it may be computed while the steps run.</param>
    internal void BindInputGradient(T* gradient, bool overwrite, bool isOnlyDirection)
    {
        _addsInputGradient = !overwrite;
        _computesInputGradient = gradient != null && isOnlyDirection;
        if (gradient != null)
        {
            _inputGradient = _run.View(gradient, _shape.InputSize, ref _inputOffsets);
        }
    }

    /// <summary>Says that nobody wants the gradient of an initial state.</summary>
    internal void IgnoreInitialGradient(int state) => _unwantedInitial |= 1UL << state;

    /// <summary>Sets the gradient of a final state [N, size], null for zeros.</summary>
    internal void SetFinalGradient(int state, T* values)
    {
        var size = _shape.StateSize(state);
        var rows = Memory.StateGradient(state);
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

    /// <summary>Adds the gradient of an initial state to [N, size].</summary>
    internal void AddInitialGradient(int state, T* destination)
    {
        var size = _shape.StateSize(state);
        var rows = Memory.StateGradient(state);
        for (var row = 0; row < Plan.Rows; row++)
        {
            SpanKernels<T>.Add(new ReadOnlySpan<T>(rows[row], size), new Span<T>(destination + ((nint)Plan.Order(row) * size), size));
        }
    }

    /// <summary>Runs all steps of one part of the rows, the last one first.</summary>
    internal void Run(int part)
    {
        var firstRow = Plan.PartStart(part, _run.Parts, 1 << Memory.SumShift);
        var endRow = Plan.PartStart(part + 1, _run.Parts, 1 << Memory.SumShift);
        if (firstRow >= endRow)
        {
            return;
        }

        StepFrame<T> frame = default;
        frame.Scratch = Scratch<T>.Get(ScratchLength());
        var end = Plan.Length(firstRow);
        var waiting = 0;
        for (var step = end - 1; step >= 0; step--)
        {
            var rows = _run.ActiveRows(step, firstRow, endRow);
            _run.SetFrame(ref frame, step, firstRow, rows, (nint)Plan.Offset(step) + firstRow);
            frame.Cell.OutputGradient = _outputGradient.Step(step, firstRow);
            frame.IgnoredStates = step == 0 ? _unwantedInitial : 0;
            if (_hasSequenceGradients)
            {
                AddSequenceGradients(frame);
            }

            Step(ref frame);
            waiting += rows;
            if (_computesInputGradient && (step == 0 || waiting >= GradientRows))
            {
                InputGradient(step, end, firstRow, endRow, frame.Scratch);
                end = step;
                waiting = 0;
            }
        }
    }

    /// <summary>The gradient of the input for all steps of some rows, where two directions add to it one after the other.</summary>
    internal void InputGradient(int firstRow, int endRow)
    {
        if (firstRow >= endRow)
        {
            return;
        }

        var scratch = Scratch<T>.Get(ScratchLength());
        var steps = Plan.Length(firstRow);
        var rows = 0;
        for (int step = 0, first = 0; step < steps; step++)
        {
            rows += _run.ActiveRows(step, firstRow, endRow);
            if (step == steps - 1 || rows >= GradientRows)
            {
                InputGradient(first, step + 1, firstRow, endRow, scratch);
                first = step + 1;
                rows = 0;
            }
        }
    }

    /// <summary>Gives the memory and the packed weights of the backward pass back.</summary>
    internal void Release()
    {
        _weights.Release();
        Memory.ReleaseGradients();
    }

    private nint ScratchLength()
    {
        var widest = Math.Max(_shape.OutputSize, _shape.HiddenSize);
        return Math.Max(_kernels.MultiplyScratch(Plan.Rows + GradientRows, Math.Max(_shape.GateColumns, widest)), widest);
    }

    // dX = dA W for some steps.
    private void InputGradient(int step, int end, int firstRow, int endRow, T* scratch) => _run.MultiplySteps(
        new(Memory.InputProducts(0).Start, Memory.GateStride, Plan), _inputGradient, step, end, firstRow, endRow, _weights.Input,
        _shape.InputColumns, _shape.InputSize, _addsInputGradient, null, scratch);

    // Adds the gradient of a state's sequence where the sequence was an output of the layer.
    private void AddSequenceGradients(in StepFrame<T> frame)
    {
        for (var state = 1; state < _sequenceGradients.Length; state++)
        {
            if (_sequenceGradients[state] is not { } view)
            {
                continue;
            }

            var size = _shape.StateSize(state);
            var to = Memory.StateGradient(state).Skip(frame.FirstRow);
            for (var row = 0; row < frame.Cell.Rows; row++)
            {
                SpanKernels<T>.Add(new ReadOnlySpan<T>(view.At(frame.Step, frame.FirstRow + row), size), new Span<T>(to[row], size));
            }
        }
    }
}
