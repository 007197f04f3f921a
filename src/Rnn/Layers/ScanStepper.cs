using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>Steps of a scan layer in spans of its own: no graph, no allocation, the bits of the whole sequence.</summary>
internal sealed unsafe class ScanStepper<T> : SequenceStepper<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly ScanLayer<T> _layer;
    private T[] _state;
    private T[] _gates;
    private T[] _perUnit = [];
    private Storage<T>? _source;
    private int _version;

    internal ScanStepper(ScanLayer<T> layer, int rows)
        : base(layer, rows)
    {
        _layer = layer;
        _state = new T[checked(rows * layer.HiddenSize)];
        _gates = new T[checked(rows * layer.Gates.OutputSize)];
    }

    public override SequenceState<T> GetState() => _layer.ZeroState(Rows).Map(_ => Tensor<T>.From(_state.AsSpan(0, Rows * OutputSize), Rows, OutputSize), Rows);

    public override void Reset() => _state.AsSpan().Clear();

    protected override void StepRows(ReadOnlySpan<T> input, Span<T> output)
    {
        var kernels = _layer.Kernels;
        var units = OutputSize;
        var gates = _gates.AsSpan(0, Rows * _layer.Gates.OutputSize);
        _layer.Gates.StepRows(Rows, input, gates);
        fixed (T* a = gates, h = _state, x = input, p = PerUnit())
        {
            for (var row = 0; row < Rows; row++)
            {
                var state = h + ((nint)row * units);
                kernels.Forward(
                    new() { Gates = a + ((nint)row * kernels.Gates * units), Units = units, Input = x + ((nint)row * InputSize), PerUnit = p, Previous = state, Output = state }, 1, 0, units);
            }
        }

        _state.AsSpan(0, Rows * units).CopyTo(output);
    }

    protected override void RestartRows(ReadOnlySpan<bool> rows)
    {
        for (var row = 0; row < rows.Length; row++)
        {
            if (rows[row])
            {
                _state.AsSpan(row * OutputSize, OutputSize).Clear();
            }
        }
    }

    protected override void SetRows(SequenceState<T> state)
    {
        if (_state.Length < state.Rows * OutputSize)
        {
            (_state, _gates) = (new T[state.Rows * OutputSize], new T[state.Rows * _layer.Gates.OutputSize]);
        }

        state.At(0).AsReadOnlySpan().CopyTo(_state);
    }

    // Made anew when the parameter has changed.
    private T[] PerUnit()
    {
        if (_layer.PerUnitSource?.Value is { } source && !(ReferenceEquals(source.Memory, _source) && source.Version == _version))
        {
            using var noGradient = NoGradient.Enter();
            (_perUnit, _source, _version) = (_layer.PerUnit!.ToArray(), source.Memory, source.Version);
        }

        return _perUnit;
    }
}
