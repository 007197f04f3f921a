using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>The layers of this library that a recurrent node with constant weights becomes: one for each direction.</summary>
internal sealed class RecurrentLayers<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly RecurrentLayer<T>[] _layers;

    internal RecurrentLayers(RecurrentSettings settings, RecurrentWeights<T> weights)
    {
        (Settings, InputSize, HiddenSize) = (settings, weights.InputSize, weights.HiddenSize);
        _layers = new RecurrentLayer<T>[settings.Directions];
        for (var direction = 0; direction < _layers.Length; direction++)
        {
            _layers[direction] = RecurrentConversion.Create(settings, weights, direction);
        }
    }

    internal RecurrentSettings Settings { get; }

    internal int InputSize { get; }

    internal int HiddenSize { get; }

    /// <summary>The layer of a direction.</summary>
    internal RecurrentLayer<T> Layer(int direction) => _layers[direction];

    /// <summary>Runs a direction's layer.</summary>
    internal DirectionResult<T> Forward(RecurrentBatch<T> batch, int direction)
    {
        var layer = _layers[direction];
        SequenceState<T>? state = null;
        if (batch.Hidden(direction) is not null || batch.Cell(direction) is not null)
        {
            var zeros = Tensor<T>.Zeros(batch.Rows, layer.HiddenSize);
            var hidden = batch.Hidden(direction) ?? zeros;
            state = Settings.HasCellState ? layer.CreateState(hidden, batch.Cell(direction) ?? zeros) : layer.CreateState(hidden);
        }

        var output = layer.Forward(batch.Input, batch.Lengths, state);
        return new(output.Output, output.FinalState.Tensors[0], Settings.HasCellState ? output.FinalState.Tensors[1] : null);
    }
}
