using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>The stepper of a layer without one of its own: a forward pass of one step at a time.</summary>
internal sealed class ForwardStepper<T> : SequenceStepper<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly SequenceLayer<T> _layer;
    private SequenceState<T> _state;

    internal ForwardStepper(SequenceLayer<T> layer, int rows)
        : base(layer, rows) => (_layer, _state) = (layer, layer.InitialState(rows).InOwnMemory());

    public override SequenceState<T> GetState() => _state;

    protected override void StepRows(ReadOnlySpan<T> input, Span<T> output)
    {
        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        var (y, next) = _layer.Step(Tensor<T>.From(input, Rows, InputSize), _state);
        _state = next.InOwnMemory();
        y.AsReadOnlySpan().CopyTo(output);
    }

    protected override void SetRows(SequenceState<T> state) => _state = state.InOwnMemory();
}
