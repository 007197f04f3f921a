using System.Numerics;
using Rnn.Autograd;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>
/// The states of a causal sequence layer after every step of a batch, each row of them one vector of S numbers, and products with the Jacobians of single steps: one step is run again
/// from a state that it stood in, recorded, and backward. So nothing longer than a step is recorded, and each step's gradients can be brought to a scale of their own.
/// </summary>
internal sealed class StateTrack<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly SequenceLayer<T> _layer;
    private readonly Tensor<T> _input;
    private readonly int[] _lengths;
    private readonly SequenceState<T> _zero;
    private readonly string[] _names;
    private readonly T[][] _states;

    /// <summary>Runs the layer over a batch.</summary>
    /// <param name="layer">A causal layer.</param>
    /// <param name="input">[N, T, I].</param>
    /// <param name="lengths">The length of each row.</param>
    /// <param name="initialState">What the rows begin with; null for the layer's own.</param>
    internal StateTrack(SequenceLayer<T> layer, Tensor<T> input, int[] lengths, SequenceState<T>? initialState)
    {
        (_layer, _input, _lengths) = (layer, input, lengths);
        var (rows, steps) = (input.Shape[0], input.Shape[1]);
        _zero = layer.ZeroState(1);
        _names = [.. _zero.Names];
        Offsets = new int[_names.Length + 1];
        for (var i = 0; i < _names.Length; i++)
        {
            Offsets[i + 1] = Offsets[i] + _zero.Tensors[i].Length;
        }

        Output = Tensor<T>.Zeros(rows, steps, layer.OutputSize);
        _states = new T[steps + 1][];
        using var noGradient = NoGradient.Enter();
        _states[0] = new T[rows * Size];
        Write(initialState is null ? layer.InitialState(rows) : initialState, Rows(0, rows), _states[0], nameof(initialState));
        for (var step = 0; step < steps; step++)
        {
            // A row that has ended keeps its state.
            _states[step + 1] = (T[])_states[step].Clone();
            var running = Rows(step + 1, rows);
            if (running.Length == 0)
            {
                continue;
            }

            var (output, next) = layer.Step(InputAt(step, running), StateAt(step, running, requiresGradient: false));
            Write(next, running, _states[step + 1], "state");
            for (var i = 0; i < running.Length; i++)
            {
                output.AsReadOnlySpan().Slice(i * layer.OutputSize, layer.OutputSize).CopyTo(Output.AsSpan()[(((running[i] * steps) + step) * layer.OutputSize)..]);
            }
        }
    }

    /// <summary>The numbers of a state S.</summary>
    internal int Size => Offsets[^1];

    /// <summary>Where each tensor of the state begins, and at the end S.</summary>
    internal int[] Offsets { get; }

    /// <summary>The names of the state's tensors.</summary>
    internal IReadOnlyList<string> Names => _names;

    /// <summary>The output at every step [N, T, O], zeros past the end of each row.</summary>
    internal Tensor<T> Output { get; }

    /// <summary>The rows that have at least so many steps.</summary>
    internal int[] Rows(int steps, int count) => [.. Enumerable.Range(0, count).Where(row => _lengths[row] >= steps)];

    /// <summary>
    /// Gradients taken back over one step: from those of the state after it, and of its output where they are given, to those of the state before it, ∂s₊/∂sᵀ g + ∂y/∂sᵀ gʸ.
    /// </summary>
    /// <param name="step">The step, from 0.</param>
    /// <param name="rows">For each gradient the row of the batch that it belongs to; a row may come several times.</param>
    /// <param name="gradients">Gradients of the state after the step [rows, S]; receives those of the state before it.</param>
    /// <param name="outputGradients">Gradients of the step's output [rows, O], or empty for none.</param>
    internal void Back(int step, int[] rows, Span<T> gradients, ReadOnlySpan<T> outputGradients)
    {
        using var recording = NoGradient.Suspend();
        var state = StateAt(step, rows, requiresGradient: true);
        var (output, next) = _layer.Step(InputAt(step, rows), state);
        var after = next.InOrder(_names, "state");
        Tensor<T>? sum = outputGradients.IsEmpty || !output.RequiresGradient ? null : (output * Tensor<T>.From(outputGradients, rows.Length, _layer.OutputSize)).Sum();
        for (var i = 0; i < after.Length; i++)
        {
            if (after[i].RequiresGradient)
            {
                var part = (after[i] * Gather(gradients, rows.Length, i)).Sum();
                sum = sum is null ? part : sum + part;
            }
        }

        var leaves = new Tensor<T>[_names.Length];
        for (var i = 0; i < leaves.Length; i++)
        {
            leaves[i] = state.Tensors[i];
        }

        if (sum is not null)
        {
            LeafGradients.Backward(sum, leaves);
        }

        for (var i = 0; i < leaves.Length; i++)
        {
            var size = Offsets[i + 1] - Offsets[i];
            for (var row = 0; row < rows.Length; row++)
            {
                var to = gradients.Slice((row * Size) + Offsets[i], size);
                if (leaves[i].Gradient is { } gradient)
                {
                    gradient.AsReadOnlySpan().Slice(row * size, size).CopyTo(to);
                }
                else
                {
                    to.Clear();
                }
            }
        }
    }

    /// <summary>Divides numbers by the power of two that makes the largest of them one to two, and gives its exponent; 0 where they are all zero or not all finite.</summary>
    internal static int Normalize(Span<T> values)
    {
        var largest = T.Zero;
        foreach (var value in values)
        {
            // NaN is larger than any number.
            largest = T.Max(largest, T.Abs(value));
        }

        if (largest == T.Zero || !T.IsFinite(largest))
        {
            return 0;
        }

        var exponent = T.ILogB(largest);
        Scale(values, -exponent);
        return exponent;
    }

    /// <summary>Multiplies numbers by a power of two.</summary>
    internal static void Scale(Span<T> values, int exponent)
    {
        if (exponent != 0)
        {
            foreach (ref var value in values)
            {
                value = T.ScaleB(value, exponent);
            }
        }
    }

    private Tensor<T> InputAt(int step, int[] rows)
    {
        var (steps, width) = (_input.Shape[1], _input.Shape[2]);
        var input = Tensor<T>.Uninitialized(new Shape(rows.Length, width));
        for (var i = 0; i < rows.Length; i++)
        {
            _input.AsReadOnlySpan().Slice(((rows[i] * steps) + step) * width, width).CopyTo(input.AsSpan()[(i * width)..]);
        }

        return input;
    }

    private SequenceState<T> StateAt(int step, int[] rows, bool requiresGradient)
    {
        var chosen = new T[rows.Length * Size];
        for (var i = 0; i < rows.Length; i++)
        {
            _states[step].AsSpan(rows[i] * Size, Size).CopyTo(chosen.AsSpan(i * Size));
        }

        var tensors = new Tensor<T>[_names.Length];
        for (var i = 0; i < tensors.Length; i++)
        {
            tensors[i] = Gather(chosen, rows.Length, i);
            tensors[i].RequiresGradient = requiresGradient;
        }

        return new(rows.Length, _names, tensors);
    }

    // One tensor of the state out of vectors of whole states.
    private Tensor<T> Gather(ReadOnlySpan<T> vectors, int rows, int index)
    {
        int[] dimensions = [rows, .. _zero.Tensors[index].Shape.Dimensions[1..]];
        var tensor = Tensor<T>.Uninitialized(new Shape(dimensions));
        var size = Offsets[index + 1] - Offsets[index];
        for (var row = 0; row < rows; row++)
        {
            vectors.Slice((row * Size) + Offsets[index], size).CopyTo(tensor.AsSpan()[(row * size)..]);
        }

        return tensor;
    }

    private void Write(SequenceState<T> state, int[] rows, T[] states, string parameter)
    {
        if (state.Rows != rows.Length)
        {
            throw new ArgumentException($"{parameter}: expected {rows.Length} rows, one for each sequence, but got {state.Rows}.", parameter);
        }

        var tensors = state.InOrderOf(_zero, parameter, anyRows: true);
        for (var i = 0; i < tensors.Length; i++)
        {
            var size = Offsets[i + 1] - Offsets[i];
            for (var row = 0; row < rows.Length; row++)
            {
                tensors[i].AsReadOnlySpan().Slice(row * size, size).CopyTo(states.AsSpan((rows[row] * Size) + Offsets[i]));
            }
        }
    }
}
