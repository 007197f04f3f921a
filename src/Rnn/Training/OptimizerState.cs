using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>
/// What an optimiser remembers between steps, copied out: enough to go on in another process to the same bits. Options such as the
/// learning rate are not part of it.
/// </summary>
/// <param name="Tensors">The states by name, such as <c>first_moment.lstm.weight</c>, in the shapes of their parameters.</param>
/// <param name="Numbers">Counters as text, to be kept as a file's metadata.</param>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed record OptimizerState<T>(IReadOnlyDictionary<string, Tensor<T>> Tensors, IReadOnlyDictionary<string, string> Numbers)
    where T : unmanaged, IFloatingPointIeee754<T>;
