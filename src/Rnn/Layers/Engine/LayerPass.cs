using System.Numerics;
using System.Runtime.InteropServices;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers.Engine;

/// <summary>
/// One layer, both directions, running over one batch: pins the tensors, cuts the work into parts and lets the directions run. Passes are
/// owned by their layer and used again, so that a step in steady state allocates nothing.
/// </summary>
internal sealed unsafe partial class LayerPass<T> : WorkItem, IRecordedMemory
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Fewer floating-point operations than this are done before another thread has woken up.
    private const double FlopPerThread = 400_000;

    // Each part reads all weights at every step: fewer rows than these are not cut, and fewer than the second number not where the weights
    // come from a far cache.
    private const int RowsPerPart = 4;
    private const int RowsPerDistantPart = 10;

    private readonly LayerEngine<T> _engine;
    private readonly CellShape _shape;
    private readonly DirectionRun<T>[] _directions;
    private readonly T*[][] _slotGradients;
    private readonly bool[][] _slotOverwrites;
    private readonly List<GCHandle> _pins = [];
    private Tensor<T>[][] _values = [];
    private Phase _phase;
    private int _parts;
    private bool _overwriteInput;
    private T* _inputGradient;

    internal LayerPass(LayerEngine<T> engine)
    {
        _engine = engine;
        _shape = engine.Shape;
        _directions = new DirectionRun<T>[engine.Directions];
        _slotGradients = new T*[_directions.Length][];
        _slotOverwrites = new bool[_directions.Length][];
        for (var d = 0; d < _directions.Length; d++)
        {
            _directions[d] = new(engine, Plan, d);
            _slotGradients[d] = new T*[_shape.Slots.Count];
            _slotOverwrites[d] = new bool[_shape.Slots.Count];
        }
    }

    private enum Phase
    {
        Forward,
        Backward,
        Gradients,
    }

    /// <summary>The rows and lengths of the batch; set them before <see cref="Forward"/>.</summary>
    internal BatchPlan Plan { get; } = new();

    private int OutputWidth => _directions.Length * _shape.OutputSize;

    /// <summary>Runs the layer forward.</summary>
    /// <param name="program">What a step does.</param>
    /// <param name="input">The input [N, T, I].</param>
    /// <param name="initial">The initial states of each direction and state, [N, size], null for zeros; direction-major.</param>
    /// <param name="values">The weights of each direction.</param>
    /// <param name="output">The output [N, T, D·size]; zeros are written past the ends.</param>
    /// <param name="final">The final states, as <paramref name="initial"/>.</param>
    /// <param name="sequences">For states from 1 on, the tensors [N, T, D·H] that receive them after every step, or null.</param>
    /// <param name="saves">Whether <see cref="Backward"/> will follow, or states are wanted after every step.</param>
    /// <param name="seed">The seed of all masks in training; null in evaluation.</param>
    internal void Forward(
        StepProgram program, Tensor<T> input, Tensor<T>?[] initial, Tensor<T>[][] values, Tensor<T> output,
        ReadOnlySpan<Tensor<T>> final, Tensor<T>[]? sequences, bool saves, ulong? seed)
    {
        _values = values;
        var threads = Cut();
        var states = _shape.Layout.States.Count;
        var readsStates = Plan.RunSteps > 1 || Array.Exists(initial, state => state is not null);
        var version = input.Version;
        var looksForTiny = _engine.FlushesInput && input.Memory.CleanVersion != version;
        try
        {
            var x = PinToRead(input);
            var y = PinToWrite(output);
            for (var d = 0; d < _directions.Length; d++)
            {
                var direction = _directions[d].Forward;
                direction.Prepare(program, values[d], saves, readsStates, looksForTiny, seed);
                direction.Bind(
                    x, y + (d * _shape.OutputSize), OutputWidth, initial[d * states] is { } h ? PinToRead(Flushed(h)) : null);
                for (var state = 1; state < states; state++)
                {
                    direction.SetInitialState(state, initial[(d * states) + state] is { } c ? PinToRead(Flushed(c)) : null);
                }
            }

            _phase = Phase.Forward;
            Run(_directions.Length * _parts, threads);
            if (looksForTiny && Plan.IsFull && !Array.Exists(_directions, direction => direction.Forward.HasFlushedInput))
            {
                // Data that is used again, as in the next epoch, need not be looked through again.
                input.Memory.CleanVersion = version;
            }

            ClearPastEnds(y, OutputWidth);
            for (var d = 0; d < _directions.Length; d++)
            {
                for (var state = 0; state < states; state++)
                {
                    _directions[d].Forward.CopyFinalState(state, PinToWrite(final[(d * states) + state]));
                    if (state > 0 && sequences?[state] is { } sequence)
                    {
                        _directions[d].Forward.CopyStateSequence(
                            state, PinToWrite(sequence) + (d * _shape.HiddenSize), _directions.Length * _shape.HiddenSize);
                    }
                }
            }
        }
        finally
        {
            Unpin();
            foreach (var direction in _directions)
            {
                direction.Forward.ReleaseWeights();
            }

            if (!saves)
            {
                Release();
            }
        }
    }

    /// <summary>Runs the layer backward: adds to the gradients of input, initial states and weights.</summary>
    /// <param name="node">Where the gradients come from and go to.</param>
    /// <param name="keepsGraph">Whether another backward pass will follow, for which saved values must be there as they are now.</param>
    internal void Backward(RecurrentNode<T> node, bool keepsGraph)
    {
        var states = _shape.Layout.States.Count;
        var threads = Cut();
        try
        {
            var x = PinToRead(node.Input);
            var y = PinToRead(node.Output);
            var dy = PinSpan(node.OutputGradient(0));
            BindInputGradient(node);
            var readsStates = Plan.RunSteps > 1;
            for (var i = 0; i < _directions.Length * states; i++)
            {
                readsStates |= node.WantsInitial(i);
            }

            for (var d = 0; d < _directions.Length; d++)
            {
                var direction = _directions[d].Backward;
                direction.Prepare(_values[d], _inputGradient != null, readsStates, keepsGraph);
                direction.Bind(
                    x, y + (d * _shape.OutputSize), OutputWidth, node.Initial(d * states) is { } h ? PinToRead(Flushed(h)) : null);
                direction.BindOutputGradient(dy == null ? null : dy + (d * _shape.OutputSize), OutputWidth);
                direction.BindInputGradient(_inputGradient, _overwriteInput && d == 0, _directions.Length == 1);
                for (var state = 0; state < states; state++)
                {
                    if (!node.WantsInitial((d * states) + state))
                    {
                        direction.IgnoreInitialGradient(state);
                    }

                    direction.SetFinalGradient(state, PinSpan(node.FinalGradient((d * states) + state)));
                    if (state > 0)
                    {
                        var sequence = PinSpan(node.SequenceGradient(state));
                        direction.BindSequenceGradient(
                            state, sequence == null ? null : sequence + (d * _shape.HiddenSize), _directions.Length * _shape.HiddenSize);
                    }
                }
            }

            _phase = Phase.Backward;
            Run(_directions.Length * _parts, threads);
            BindGradients(node, states);
            _phase = Phase.Gradients;
            _parts = threads;
            Run(_parts, threads);
        }
        finally
        {
            Unpin();
            foreach (var direction in _directions)
            {
                direction.Backward.Release();
            }
        }
    }

    /// <summary>The gate values [gates·H] of a packed row of the first direction, after a forward pass that saved them.</summary>
    internal ReadOnlySpan<T> GateValues(int row) => new(_directions[0].Memory.Gates(row)[0], _shape.GateColumns);

    /// <summary>Gives the memory back, and the pass itself to its layer.</summary>
    void IRecordedMemory.GiveBack()
    {
        Release();
        _engine.Return(this);
    }

    /// <summary>Gives the memory back.</summary>
    internal void Release()
    {
        foreach (var direction in _directions)
        {
            direction.Release();
        }
    }

    internal override void Execute(int part)
    {
        switch (_phase)
        {
            case Phase.Forward:
                _directions[part / _parts].Forward.Run(part % _parts);
                break;
            case Phase.Backward:
                _directions[part / _parts].Backward.Run(part % _parts);
                break;
            default:
                // One direction after the other: both add to the gradient of the input.
                for (var d = 0; d < _directions.Length; d++)
                {
                    fixed (T** slots = _slotGradients[d])
                    {
                        _directions[d].WeightGradients.Run(part, _parts, _inputGradient != null && _directions.Length > 1, slots, _slotOverwrites[d]);
                    }
                }

                break;
        }
    }

    private void BindInputGradient(RecurrentNode<T> node)
    {
        _inputGradient = null;
        if (node.WantsInput)
        {
            var gradient = node.InputGradient(out _overwriteInput);
            _inputGradient = PinSpan(gradient);
            if (_overwriteInput && !Plan.IsFull)
            {
                gradient.Clear();
            }
        }
    }

    private void BindGradients(RecurrentNode<T> node, int states)
    {
        for (var d = 0; d < _directions.Length; d++)
        {
            var direction = _directions[d];
            direction.WeightGradients.Prepare();
            for (var state = 0; state < states; state++)
            {
                var gradient = node.InitialGradient((d * states) + state);
                if (!gradient.IsEmpty)
                {
                    direction.Backward.AddInitialGradient(state, PinSpan(gradient));
                }
            }

            for (var slot = 0; slot < _shape.Slots.Count; slot++)
            {
                var gradient = node.WeightGradient(d, slot, out var overwrite);
                if (overwrite && (Plan.Total == 0 || !_shape.Slots[slot].IsMatrix))
                {
                    gradient.Clear();
                    overwrite = false;
                }

                _slotGradients[d][slot] = PinSpan(gradient);
                _slotOverwrites[d][slot] = overwrite;
            }
        }
    }

    // Two directions of little work are over before another thread has woken up.
    private void Run(int parts, int threads)
    {
        if (threads > 1)
        {
            Workers.Run(this, parts);
            return;
        }

        for (var part = 0; part < parts; part++)
        {
            Execute(part);
        }
    }

    // How many threads have work, and how the rows are cut into parts for them.
    private int Cut()
    {
        var flop = _directions.Length * (double)Plan.Total * _shape.FlopPerStep;
        var threads = (int)Math.Clamp(flop / FlopPerThread, 1, Workers.MaxThreads);
        var sharesWeights = _directions.Length == 1 && Plan.Rows < 2 * RowsPerDistantPart && _shape.RecurrentWeights * sizeof(T) > CacheSizes.Second;
        _parts = sharesWeights ? 1 : Math.Max(1, Math.Min(Plan.Rows / RowsPerPart, threads / _directions.Length));
        foreach (var direction in _directions)
        {
            // One direction whose rows are not worth cutting: threads share its products instead.
            direction.Parts = _parts;
            direction.SharesProducts = threads > 1 && _parts == 1 && _directions.Length == 1;
        }

        return threads;
    }

    private void ClearPastEnds(T* output, int width)
    {
        for (var row = 0; row < Plan.Rows && !Plan.IsFull; row++)
        {
            var length = Plan.Length(row);
            new Span<T>(output + ((((nint)Plan.Order(row) * Plan.Steps) + length) * width), (Plan.Steps - length) * width).Clear();
        }
    }

    // Gradients lie in pinned memory (pool, parameter blocks and leaf gradients), so their addresses hold.
    private static T* PinSpan(ReadOnlySpan<T> pinned) =>
        (T*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref MemoryMarshal.GetReference(pinned));

    private T* PinToRead(Tensor<T> tensor) => Pin(tensor.AsReadOnlySpan(), tensor.PinArray());

    private T* PinToWrite(Tensor<T> tensor) => Pin(tensor.AsSpan(), tensor.PinArray());

    private T* Pin(ReadOnlySpan<T> span, GCHandle handle)
    {
        _pins.Add(handle);
        return PinSpan(span);
    }

    private void Unpin()
    {
        foreach (var pin in _pins)
        {
            pin.Free();
        }

        _pins.Clear();
    }
}
