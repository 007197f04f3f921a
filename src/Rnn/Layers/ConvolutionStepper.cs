using System.Numerics;

namespace Rnn.Layers;

/// <summary>Steps of a causal convolution: no graph, no allocation, the bits of the whole sequence.</summary>
internal sealed class ConvolutionStepper<T> : SequenceStepper<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly CausalConvolution<T> _layer;
    private readonly DelayLine<T> _line;
    private T[] _patches = [];

    internal ConvolutionStepper(CausalConvolution<T> layer, int rows)
        : base(layer, rows) => (_layer, _line) = (layer, new(rows, layer.InputSize, layer.Options.KernelSize, layer.Options.Dilation));

    public override SequenceState<T> GetState() => _layer.ZeroState(Rows).Map(_ => _line.ToTensor(), Rows);

    public override void Reset() => _line.Clear();

    protected override void StepRows(ReadOnlySpan<T> input, Span<T> output)
    {
        var size = _layer.Taps.InputSize;
        if (_patches.Length < Rows * size)
        {
            _patches = new T[Rows * size];
        }

        var patches = _patches.AsSpan(0, Rows * size);
        _line.Step(input, patches, size);
        _layer.Taps.StepRows(Rows, patches, output);
    }

    protected override void RestartRows(ReadOnlySpan<bool> rows) => _line.Clear(rows);

    protected override void SetRows(SequenceState<T> state) => _line.Set(state.At(0));
}
