using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Tests.Oracles;

/// <summary>The masks of zoneout and dropout of the recurrent state, as tensors: in training what the layer's seed gives, in evaluation zoneout's expectation.</summary>
/// <param name="Options">The layer's options.</param>
/// <param name="Seeds">A seed for each layer in training; null in evaluation.</param>
internal sealed record OracleMasks(RecurrentOptions Options, IReadOnlyList<ulong>? Seeds)
{
    /// <summary>The masks of a layer's next run.</summary>
    public static OracleMasks Of(RecurrentLayer<double> layer)
    {
        if (!layer.IsTraining || layer.Options is { HiddenZoneout: 0, CellZoneout: 0, RecurrentDropout: 0 })
        {
            return new(layer.Options, Seeds: null);
        }

        var random = new RandomSource(layer.Random.GetState());
        return new(layer.Options, [.. Enumerable.Range(0, layer.LayerCount).Select(_ => random.NextUInt64())]);
    }

    /// <summary>What a state keeps of its value before the step, [N, size].</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="direction">The direction.</param>
    /// <param name="state">The state.</param>
    /// <param name="size">Its size.</param>
    /// <param name="steps">The number of each row's step, counted from where the direction begins.</param>
    public Tensor<double> Zoneout(int layer, int direction, int state, int size, int[] steps)
    {
        var probability = state == 0 ? Options.HiddenZoneout : Options.CellZoneout;
        var masks = Tensor<double>.Full(probability, steps.Length, size);
        for (var row = 0; row < steps.Length && Seeds is not null; row++)
        {
            var key = RandomMask.Key(RandomMask.Key(RandomMask.Key(RandomMask.Key(Seeds[layer], direction), 1 + state), row), steps[row]);
            RandomMask.Fill(masks.AsSpan().Slice(row * size, size), key, probability, 1.0);
        }

        return masks;
    }

    /// <summary>What recurrent products read is multiplied by, [N, size].</summary>
    public Tensor<double> Dropout(int layer, int direction, int rows, int size)
    {
        var masks = Tensor<double>.Ones(rows, size);
        var keep = 1 - Options.RecurrentDropout;
        for (var row = 0; row < rows && Seeds is not null && keep < 1; row++)
        {
            var key = RandomMask.Key(RandomMask.Key(RandomMask.Key(Seeds[layer], direction), 0), row);
            RandomMask.Fill(masks.AsSpan().Slice(row * size, size), key, keep, 1 / keep);
        }

        return masks;
    }
}
