using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>What a recurrent layer gives for a batch of sequences.</summary>
/// <remarks>
/// <see cref="SequenceLayerOutput{T}.Last"/> is merged as <see cref="SequenceLayerOutput{T}.Output"/> is; with a residual connection the layer's input where each direction
/// ends is added (the mean of both ends where directions are summed or averaged).
/// </remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class RecurrentOutput<T> : SequenceLayerOutput<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal RecurrentOutput(Tensor<T> output, SequenceState<T> finalState, Tensor<T> last)
        : base(output, finalState, last)
    {
    }

    /// <summary>The top layer's output at every step by direction, [N, T, size] each, where the layer keeps them separate; else null.</summary>
    public IReadOnlyList<Tensor<T>>? Directions { get; internal init; }

    /// <summary>The cell state of every layer after every step, [N, T, D·H] each, where it was asked for; else null.</summary>
    public IReadOnlyList<Tensor<T>>? CellStates { get; internal init; }
}
