using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>What a recurrent layer gives for a batch of sequences.</summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class RecurrentOutput<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The top layer's output at every step, [N, T, <c>OutputSize</c>]; zeros past the end of each row.</summary>
    public required Tensor<T> Output { get; init; }

    /// <summary>
    /// The top layer's output after each row's last valid step, [N, <c>OutputSize</c>]: of the backward direction that is the state after the
    /// row's first step, having seen it all. Merged as <see cref="Output"/> is; with a residual connection the layer's input where each direction
    /// ends is added (the mean of both ends where directions are summed or averaged). What a classifier reads.
    /// </summary>
    public required Tensor<T> Last { get; init; }

    /// <summary>The final states of every layer and direction, to carry on with.</summary>
    public required RecurrentState<T> FinalState { get; init; }

    /// <summary>The top layer's output at every step by direction, [N, T, size] each, where the layer keeps them separate; else null.</summary>
    public IReadOnlyList<Tensor<T>>? Directions { get; init; }

    /// <summary>The cell state of every layer after every step, [N, T, D·H] each, where it was asked for; else null.</summary>
    public IReadOnlyList<Tensor<T>>? CellStates { get; init; }
}
