using System.Numerics;
using Rnn.Autograd;
using Rnn.Cells;
using Rnn.Tensors;

namespace Rnn.Layers.Engine;

/// <summary>
/// One recurrent layer without its parameters: the cell with its sizes, the packed weights and the passes that have run before. Safe
/// for several threads that only infer; training one layer from several threads at once is not.
/// </summary>
internal sealed class LayerEngine<T> : TensorMemory.ITrimmable
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly StepProgram _training;
    private readonly PackedWeights<T>[][] _forwardWeights;
    private readonly PackedWeights<T>[][] _backwardWeights;
    private readonly List<LayerPass<T>> _idle = [];

    // The fewest passes that were idle at once since memory was last trimmed: the first of them have not been used since.
    private int _unused;

    internal LayerEngine(CellKernels<T> cell, CellShape shape, RecurrentOptions options, bool flushesInput)
    {
        Cell = cell;
        Program = new(shape, options, isTraining: false);
        _training = options.RecurrentDropout > 0 ? new(shape, options, isTraining: true) : Program;
        FlushesInput = flushesInput;
        Directions = options.Bidirectional ? 2 : 1;
        _forwardWeights = new PackedWeights<T>[Directions][];
        _backwardWeights = new PackedWeights<T>[Directions][];
        for (var d = 0; d < Directions; d++)
        {
            _forwardWeights[d] = WeightLeases<T>.Pack(shape, backward: false);
            _backwardWeights[d] = WeightLeases<T>.Pack(shape, backward: true);
        }

        TensorMemory.RegisterWeakly(this);
    }

    /// <summary>The bytes of the tables of passes that are not in use.</summary>
    long TensorMemory.ITrimmable.IdleBytes
    {
        get
        {
            lock (_idle)
            {
                var bytes = 0L;
                foreach (var pass in _idle)
                {
                    bytes += pass.TableBytes;
                }

                return bytes;
            }
        }
    }

    /// <summary>The cell and its sizes.</summary>
    internal CellShape Shape => Program.Shape;

    /// <summary>What a step does in evaluation.</summary>
    internal StepProgram Program { get; }

    /// <summary>The element-wise part of the cell.</summary>
    internal CellKernels<T> Cell { get; }

    /// <summary>The number of directions.</summary>
    internal int Directions { get; }

    /// <summary>Whether the input may hold numbers too small to matter, which are read as zeros.</summary>
    internal bool FlushesInput { get; }

    /// <summary>Leases of the packed weights of a direction, for a run of its own.</summary>
    internal WeightLeases<T> Weights(int direction, bool backward) => new(Shape, (backward ? _backwardWeights : _forwardWeights)[direction]);

    /// <summary>Runs the layer over a batch; recorded where gradients are wanted.</summary>
    /// <param name="input">[N, T, I].</param>
    /// <param name="lengths">The length of each row, empty for all steps.</param>
    /// <param name="initial">Initial states [N, size], direction-major, null for zeros.</param>
    /// <param name="values">The weights of each direction in the order of the shape's slots.</param>
    /// <param name="final">Receives the final states [N, size], direction-major.</param>
    /// <param name="sequences">Receives the states from 1 on after every step [N, T, D·H]; null where they are not wanted.</param>
    /// <param name="seed">The seed of all masks in training; null in evaluation.</param>
    /// <returns>The output [N, T, D·size].</returns>
    internal Tensor<T> Forward(
        Tensor<T> input, ReadOnlySpan<int> lengths, Tensor<T>?[] initial, Tensor<T>[][] values, Span<Tensor<T>> final, Tensor<T>[]? sequences, ulong? seed)
    {
        var records = Records(input, initial, values);
        var saves = records || sequences is not null;
        EngineLimits.Check(Shape, input, lengths, saves);
        var (rows, steps) = (input.Shape[0], input.Shape[1]);
        var states = Shape.Layout.States.Count;
        var output = Tensor<T>.Uninitialized(new Shape(rows, steps, Directions * Shape.OutputSize));
        for (var i = 0; i < final.Length; i++)
        {
            final[i] = Tensor<T>.Uninitialized(new Shape(rows, Shape.StateSize(i % states)));
        }

        for (var state = 1; state < states && sequences is not null; state++)
        {
            sequences[state] = Tensor<T>.Zeros(rows, steps, Directions * Shape.HiddenSize);
        }

        var pass = Rent();
        try
        {
            pass.Plan.Set(rows, steps, lengths);
            pass.Forward(seed is null ? Program : _training, input, initial, values, output, final, sequences, saves, seed);
        }
        catch
        {
            pass.Release();
            throw;
        }

        if (records)
        {
            RecurrentNode<T>.Record(this, pass, input, initial, values, output, final, sequences);
        }
        else
        {
            pass.Release();
            Return(pass);
        }

        return output;
    }

    /// <summary>Drops passes that have not been used since the last time, and those with tables of a much larger batch; or all.</summary>
    void TensorMemory.ITrimmable.Trim(bool all)
    {
        lock (_idle)
        {
            _idle.RemoveRange(0, all ? _idle.Count : _unused);
            for (var i = _idle.Count - 1; i >= 0; i--)
            {
                if (_idle[i].IsOversize)
                {
                    _idle.RemoveAt(i);
                }
            }

            _unused = _idle.Count;
        }
    }

    /// <summary>Takes a pass back whose memory was released.</summary>
    internal void Return(LayerPass<T> pass)
    {
        lock (_idle)
        {
            _idle.Add(pass);
        }
    }

    private static bool Records(Tensor<T> input, Tensor<T>?[] initial, Tensor<T>[][] values)
    {
        if (Graph.Records(input) || Graph.Records(initial))
        {
            return true;
        }

        foreach (var direction in values)
        {
            if (Graph.Records<T>(direction))
            {
                return true;
            }
        }

        return false;
    }

    private LayerPass<T> Rent()
    {
        lock (_idle)
        {
            if (_idle.Count > 0)
            {
                var pass = _idle[^1];
                _idle.RemoveAt(_idle.Count - 1);
                _unused = Math.Min(_unused, _idle.Count);
                return pass;
            }
        }

        return new(this);
    }
}
