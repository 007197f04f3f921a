using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Layers;

/// <summary>
/// Steps of a WaveNet with the last inputs of each layer in a ring, so that a step computes each layer once (Le Paine et al. 2016, "Fast Wavenet Generation Algorithm", arXiv:1611.09482): no graph, no allocation, the
/// bits of the whole sequence.
/// </summary>
internal sealed unsafe class WaveNetStepper<T> : SequenceStepper<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly WaveNet<T> _layer;
    private readonly DelayLine<T>[] _lines;

    // Of one step: h [N, R], W_r z [N, R], patches [N, K·R + C], the gates' products [N, 2·D], z of all layers [N, L·D], z of one [N, D], the skip sum [N, S].
    private T[] _input = [];
    private T[] _hidden = [];
    private T[] _residual = [];
    private T[] _patches = [];
    private T[] _products = [];
    private T[] _units = [];
    private T[] _own = [];
    private T[] _skip = [];

    internal WaveNetStepper(WaveNet<T> layer, int rows)
        : base(layer, rows)
    {
        _layer = layer;
        _lines = new DelayLine<T>[layer.Gates.Length];
        for (var i = 0; i < _lines.Length; i++)
        {
            _lines[i] = new(rows, layer.Options.ResidualChannels, layer.Options.KernelSize, layer.Dilations[i]);
        }
    }

    public override SequenceState<T> GetState() => _layer.State(Rows, layer => _lines[layer].ToTensor());

    public override void Reset() => Array.ForEach(_lines, line => line.Clear());

    protected override void StepRows(ReadOnlySpan<T> input, Span<T> output)
    {
        var (rows, options) = (Rows, _layer.Options);
        var (own, size, all) = (InputSize - options.ConditionSize, options.DilationChannels, _layer.Skip.InputSize);
        Reserve(rows);
        var hidden = _hidden.AsSpan(0, rows * options.ResidualChannels);
        for (var row = 0; row < rows; row++)
        {
            input.Slice(row * InputSize, own).CopyTo(_input.AsSpan(row * own));
        }

        _layer.Input.StepRows(rows, _input.AsSpan(0, rows * own), hidden);
        for (var layer = 0; layer < _lines.Length; layer++)
        {
            var gates = _layer.Gates[layer];
            var patches = _patches.AsSpan(0, rows * gates.InputSize);
            _lines[layer].Step(hidden, patches, gates.InputSize);
            for (var row = 0; row < rows; row++)
            {
                input.Slice((row * InputSize) + own, options.ConditionSize).CopyTo(patches[(((row + 1) * gates.InputSize) - options.ConditionSize)..]);
            }

            var products = _products.AsSpan(0, rows * gates.OutputSize);
            gates.StepRows(rows, patches, products);
            fixed (T* a = products, z = _units)
            {
                for (var row = 0; row < rows; row++)
                {
                    GatedUnit<T>.Apply(a + ((nint)row * gates.OutputSize), z + ((nint)row * all) + ((nint)layer * size), size);
                }
            }

            if (layer < _layer.Residuals.Length)
            {
                AddResidual(rows, layer, hidden);
            }
        }

        var skip = _skip.AsSpan(0, rows * options.SkipChannels);
        _layer.Skip.StepRows(rows, _units.AsSpan(0, rows * all), skip);
        Unary.InPlace(skip, default(ActivationFunction<T, Relu>));
        _layer.Output.StepRows(rows, skip, output);
        Unary.InPlace(output, default(ActivationFunction<T, Relu>));
    }

    protected override void RestartRows(ReadOnlySpan<bool> rows)
    {
        foreach (var line in _lines)
        {
            line.Clear(rows);
        }
    }

    protected override void SetRows(SequenceState<T> state)
    {
        for (var layer = 0; layer < _lines.Length; layer++)
        {
            _lines[layer].Set(state.At(layer));
        }
    }

    private void AddResidual(int rows, int layer, Span<T> hidden)
    {
        var (size, all) = (_layer.Options.DilationChannels, _layer.Skip.InputSize);
        for (var row = 0; row < rows; row++)
        {
            _units.AsSpan((row * all) + (layer * size), size).CopyTo(_own.AsSpan(row * size));
        }

        var residual = _residual.AsSpan(0, hidden.Length);
        _layer.Residuals[layer].StepRows(rows, _own.AsSpan(0, rows * size), residual);
        for (var i = 0; i < hidden.Length; i++)
        {
            hidden[i] += residual[i];
        }
    }

    private void Reserve(int rows)
    {
        var options = _layer.Options;
        if (_hidden.Length >= rows * options.ResidualChannels)
        {
            return;
        }

        _input = new T[rows * _layer.Input.InputSize];
        (_hidden, _residual) = (new T[rows * options.ResidualChannels], new T[rows * options.ResidualChannels]);
        (_patches, _products) = (new T[rows * _layer.Gates[0].InputSize], new T[rows * _layer.Gates[0].OutputSize]);
        (_units, _own, _skip) = (new T[rows * _layer.Skip.InputSize], new T[rows * options.DilationChannels], new T[rows * options.SkipChannels]);
    }
}
