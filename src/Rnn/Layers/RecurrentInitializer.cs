using System.Numerics;
using Rnn.Layers.Engine;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>The first values of a recurrent layer's parameters, gate by gate.</summary>
internal sealed class RecurrentInitializer<T>(RecurrentOptions options, RandomSource random)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The first values of one parameter.</summary>
    internal Tensor<T> Create(CellShape shape, WeightSlot slot)
    {
        _ = options;
        var limit = 1 / Math.Sqrt(shape.HiddenSize);
        return Tensor<T>.RandomUniform(random, -limit, limit, slot.Shape);
    }
}
