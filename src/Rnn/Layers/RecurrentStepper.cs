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

    public override SequenceState<T> GetState()
    {
        var tensors = new Tensor<T>[_stateNames.Length];
        for (var i = 0; i < tensors.Length; i++)
        {
            var (layer, state) = (i / _stepper.States, i % _stepper.States);
            tensors[i] = Tensor<T>.Uninitialized(new Shape(_stepper.Rows, _stepper.StateSize(layer, state)));
            _stepper.CopyStateTo(layer, state, tensors[i].AsSpan());
        }

        return new(_stepper.Rows, _stateNames, tensors);
    }

    public override void Reset() => _stepper.Reset();

    protected override void RestartRows(ReadOnlySpan<bool> rows)
    {
        for (var row = 0; row < rows.Length; row++)
        {
            if (rows[row])
            {
                _stepper.ResetRows([row]);
            }
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

        for (var i = 0; i < _stateNames.Length; i++)
        {
            _stepper.CopyStateFrom(i / _stepper.States, i % _stepper.States, state.Tensors[i].AsReadOnlySpan());
        }
    }
}
