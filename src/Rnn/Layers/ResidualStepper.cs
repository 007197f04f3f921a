using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Layers;

/// <summary>Steps of a residual connection: those of its layers, with the input added.</summary>
internal sealed class ResidualStepper<T>(Residual<T> layer, int rows) : SequenceStepper<T>(layer, rows)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly SequenceStepper<T> _inner = layer.Layers.CreateStepper(rows);

    public override SequenceState<T> GetState() => _inner.GetState();

    public override void Reset() => _inner.Reset();

    protected override void StepRows(ReadOnlySpan<T> input, Span<T> output)
    {
        _inner.Step(input, output);
        SpanKernels<T>.Add(input, output);
    }

    protected override void RestartRows(ReadOnlySpan<bool> rows) => _inner.ResetRows(rows);

    protected override void ChooseRows(ReadOnlySpan<int> rows) => _inner.SelectRows(rows);

    protected override void SetRows(SequenceState<T> state) => _inner.SetState(state);
}
