using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>A module that turns one tensor into one tensor, so that it can stand in a <c>Sequential</c>.</summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public abstract class Layer<T> : Module<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Computes the output; recorded for the backward pass where gradients are wanted.</summary>
    /// <param name="input">The input; each layer states its shape.</param>
    public abstract Tensor<T> Forward(Tensor<T> input);
}
