using System.Numerics;
using Rnn.Layers.Engine;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>The stepper of a recurrent layer: that of the engine, which allocates nothing for a step nor for a selection of as many rows as before.</summary>
internal sealed class RecurrentStepper<T> : SequenceStepper<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Stepper<T> _stepper;
    private readonly string[] _stateNames;

    internal RecurrentStepper(RecurrentLayer<T> layer, Stepper<T> stepper, string[] stateNames)
        : base(layer, stepper.Rows) => (_stepper, _stateNames) = (stepper, stateNames);

    public override SequenceState<T> GetState() => GetStates(_stepper, _stateNames);

    public override void Reset() => _stepper.Reset();

    public override void ResetRows(ReadOnlySpan<bool> rows)
    {
        if (rows.Length != Rows)
        {
            throw new ArgumentException($"rows: expected {Rows} values, one for each row, but got {rows.Length}.", nameof(rows));
        }

        for (var row = 0; row < rows.Length; row++)
        {
            if (rows[row])
            {
                _stepper.ResetRows([row]);
            }
        }
    }

    /// <summary>The states of all rows, as tensors of their own.</summary>
    internal static SequenceState<T> GetStates(Stepper<T> stepper, string[] names)
    {
        var tensors = new Tensor<T>[names.Length];
        for (var i = 0; i < tensors.Length; i++)
        {
            var (layer, state) = (i / stepper.States, i % stepper.States);
            tensors[i] = Tensor<T>.Uninitialized(new Shape(stepper.Rows, stepper.StateSize(layer, state)));
            stepper.CopyStateTo(layer, state, tensors[i].AsSpan());
        }

        return new(stepper.Rows, names, tensors);
    }

    /// <summary>Sets the states of all rows.</summary>
    /// <exception cref="ArgumentException">A tensor has another size.</exception>
    internal static void SetStates(Stepper<T> stepper, Tensor<T>[] state)
    {
        for (var i = 0; i < state.Length; i++)
        {
            var expected = new Shape(stepper.Rows, stepper.StateSize(i / stepper.States, i % stepper.States));
            if (state[i].Shape != expected)
            {
                throw new ArgumentException($"state: expected {expected} for state {i % stepper.States} of layer {i / stepper.States} but got {state[i].Shape}.", nameof(state));
            }
        }

        for (var i = 0; i < state.Length; i++)
        {
            stepper.CopyStateFrom(i / stepper.States, i % stepper.States, state[i].AsReadOnlySpan());
        }
    }

    protected override void StepRows(ReadOnlySpan<T> input, Span<T> output) => _stepper.Step(input, output);

    protected override void ChooseRows(ReadOnlySpan<int> rows) => _stepper.SelectRows(rows);

    protected override void SetRows(SequenceState<T> state)
    {
        if (state.Rows != _stepper.Rows)
        {
            _stepper.SelectRows(new int[state.Rows]);
        }

        SetStates(_stepper, state.InOrder(_stateNames, nameof(state)));
    }
}
