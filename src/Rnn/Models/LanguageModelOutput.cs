using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Models;

/// <summary>What a language model gives for a batch of windows.</summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
/// <param name="Logits">The scores of the token that follows each step, [N, T, V]: logarithms of probabilities up to a constant.</param>
/// <param name="State">The states after the last step, to carry on with in the next window.</param>
public readonly record struct LanguageModelOutput<T>(Tensor<T> Logits, RecurrentState<T> State)
    where T : unmanaged, IFloatingPointIeee754<T>;
