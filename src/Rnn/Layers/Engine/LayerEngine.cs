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
    private readonly CellKernels<T> _cell;
    private readonly DirectionWeights<T>[] _weights;
    private readonly StepProgram _training;
    private readonly bool _reverse;
    private readonly bool _flushesInput;
    private readonly List<LayerPass<T>> _idle = [];

    // The fewest passes that were idle at once since memory was last trimmed: the first of them have not been used since.
    private int _unused;

    internal LayerEngine(CellKernels<T> cell, CellShape shape, StepOptions options, int directions, bool reverse, bool flushesInput)
    {
        _cell = cell;
        Program = new(shape, options, isTraining: false);
        _training = options.RecurrentDropout > 0 ? new(shape, options, isTraining: true) : Program;
        _reverse = reverse;
        _flushesInput = flushesInput;
        _weights = new DirectionWeights<T>[directions];
        for (var d = 0; d < directions; d++)
        {
            _weights[d] = new(shape);
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
    internal CellKernels<T> Cell => _cell;

    /// <summary>The number of directions.</summary>
    internal int Directions => _weights.Length;

    /// <summary>The packed weights of a direction.</summary>
    internal DirectionWeights<T> Weights(int direction) => _weights[direction];

    /// <summary>Runs the layer over a batch; recorded where gradients are wanted.</summary>
    /// <param name="input">[N, T, I].</param>
    /// <param name="lengths">The length of each row, empty for all steps.</param>
    /// <param name="initial">Initial states [N, size], direction-major, null for zeros.</param>
    /// <param name="values">The weights of each direction in the order of the shape's slots.</param>
    /// <param name="sequences">Whether the states other than the hidden one are wanted after every step.</param>
    /// <param name="noise">The randomness of zoneout and dropout.</param>
    internal LayerResult<T> Forward(
        Tensor<T> input, ReadOnlySpan<int> lengths, Tensor<T>?[] initial, Tensor<T>[][] values, bool sequences, in StepNoise noise)
    {
        var records = Records(input, initial, values);
        EngineLimits.Check(Shape, input, lengths, records || sequences);
        var (rows, steps) = (input.Shape[0], input.Shape[1]);
        var states = Shape.Layout.States.Count;
        var output = Tensor<T>.Uninitialized(new Shape(rows, steps, Directions * Shape.OutputSize));
        var final = new Tensor<T>[Directions * states];
        for (var i = 0; i < final.Length; i++)
        {
            final[i] = Tensor<T>.Uninitialized(new Shape(rows, Shape.StateSize(i % states)));
        }

        Tensor<T>?[]? cells = null;
        if (sequences)
        {
            cells = new Tensor<T>?[states];
            for (var state = 1; state < states; state++)
            {
                cells[state] = Tensor<T>.Uninitialized(new Shape(rows, steps, Directions * Shape.HiddenSize));
                cells[state]!.AsSpan().Clear();
            }
        }

        var pass = Rent();
        try
        {
            pass.Plan.Set(rows, steps, lengths);
            pass.Forward(noise.IsTraining ? _training : Program, input, initial, values, output, final, cells, records || sequences, noise);
        }
        catch
        {
            pass.Release();
            throw;
        }

        if (records)
        {
            RecurrentNode<T>.Record(this, pass, input, initial, values, output, final, cells);
        }
        else
        {
            pass.Release();
            Return(pass);
        }

        return new(output, final, cells);
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

        return new(this, _cell, _weights, Program, _reverse, _flushesInput);
    }
}

/// <summary>What one layer gives.</summary>
/// <param name="Output">[N, T, D·size].</param>
/// <param name="Final">The final states [N, size], direction-major.</param>
/// <param name="Sequences">The states from 1 on after every step [N, T, D·H], where they were wanted.</param>
internal readonly record struct LayerResult<T>(Tensor<T> Output, Tensor<T>[] Final, Tensor<T>?[]? Sequences)
    where T : unmanaged, IFloatingPointIeee754<T>;
