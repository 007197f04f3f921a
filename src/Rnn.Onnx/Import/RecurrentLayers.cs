using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>The layers of this library that a recurrent node with constant weights becomes: one for each direction.</summary>
internal sealed class RecurrentLayers<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly RecurrentLayer<T>?[] _layers;

    internal RecurrentLayers(RecurrentSettings settings, RecurrentWeights<T> weights)
    {
        (Settings, Weights, InputSize, HiddenSize) = (settings, weights, weights.InputSize, weights.HiddenSize);
        _layers = new RecurrentLayer<T>?[settings.Directions];
        for (var direction = 0; direction < _layers.Length; direction++)
        {
            _layers[direction] = RecurrentConversion.Create(settings, weights, direction);
        }

        if (IsFused)
        {
            Weights = null;
        }
    }

    internal RecurrentSettings Settings { get; }

    internal int InputSize { get; }

    internal int HiddenSize { get; }

    /// <summary>The weights as the file has them where a direction needs them in steps of plain operations; else null.</summary>
    internal RecurrentWeights<T>? Weights { get; }

    /// <summary>Whether every direction is a layer.</summary>
    internal bool IsFused => Array.TrueForAll(_layers, layer => layer is not null);

    /// <summary>The layer of a direction, or null where it is computed step by step from plain operations.</summary>
    internal RecurrentLayer<T>? Layer(int direction) => _layers[direction];

    /// <summary>Runs a direction's layer.</summary>
    internal static DirectionResult<T> Forward(RecurrentLayer<T> layer, RecurrentBatch<T> batch, int direction, RecurrentSettings settings)
    {
        SequenceState<T>? state = null;
        if (batch.Hidden(direction) is not null || batch.Cell(direction) is not null)
        {
            var zeros = Tensor<T>.Zeros(batch.Rows, layer.HiddenSize);
            var hidden = batch.Hidden(direction) ?? zeros;
            state = settings.HasCellState ? layer.CreateState(hidden, batch.Cell(direction) ?? zeros) : layer.CreateState(hidden);
        }

        var output = layer.Forward(batch.Input, batch.Lengths, state);
        return new(output.Output, output.FinalState.Tensors[0], settings.HasCellState ? output.FinalState.Tensors[1] : null);
    }
}
