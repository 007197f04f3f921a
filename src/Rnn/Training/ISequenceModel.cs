using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>
/// A model that reads tokens step by step and scores the next one, with a state that is carried from window to window: what a
/// <see cref="Trainer{T}"/> trains on a stream of tokens.
/// </summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public interface ISequenceModel<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Scores every next token of a batch of windows.</summary>
    /// <param name="tokens">[N, T], row-major.</param>
    /// <param name="rows">N.</param>
    /// <param name="lengths">The number of valid steps of each row; empty for full length.</param>
    /// <param name="state">The state to start from; null for the beginning of all sequences.</param>
    SequenceOutput<T> Forward(ReadOnlySpan<int> tokens, int rows, ReadOnlySpan<int> lengths, SequenceState<T>? state);

    /// <summary>
    /// The states that sequences begin with, recorded where they are learned: what a <see cref="Trainer{T}"/> gives to the rows of a window that
    /// begin a new sequence beside others that go on. Null, unless overridden, for zeros.
    /// </summary>
    /// <param name="rows">N.</param>
    SequenceState<T>? InitialState(int rows) => null;

    /// <summary>The loss of a batch of windows. A model with an output layer may do it without making all scores at once; see <see cref="Loss.LinearCrossEntropy"/>.</summary>
    /// <param name="tokens">[N, T], row-major.</param>
    /// <param name="rows">N.</param>
    /// <param name="lengths">The number of valid steps of each row; empty for full length.</param>
    /// <param name="state">The state to start from; null for the beginning of all sequences.</param>
    /// <param name="targets">The token that follows each step, [N, T], or the ignore index.</param>
    /// <param name="options">What the loss is; null for the defaults.</param>
    SequenceLoss<T> ForwardLoss(
        ReadOnlySpan<int> tokens, int rows, ReadOnlySpan<int> lengths, SequenceState<T>? state, ReadOnlySpan<int> targets, CrossEntropyOptions? options = null)
    {
        var output = Forward(tokens, rows, lengths, state);
        return new(Training.Loss.CrossEntropy(output.Logits, targets, options: options), output.State);
    }
}

/// <summary>What a sequence model loses on a batch of windows.</summary>
/// <param name="loss">The loss, a scalar.</param>
/// <param name="state">The state after the last valid step of each row.</param>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public readonly struct SequenceLoss<T>(Tensor<T> loss, SequenceState<T> state)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The loss, a scalar.</summary>
    public Tensor<T> Loss { get; } = loss;

    /// <summary>The state after the last valid step of each row.</summary>
    public SequenceState<T> State { get; } = state;

    /// <summary>Both of them.</summary>
    /// <param name="loss">The loss.</param>
    /// <param name="state">The state.</param>
    public void Deconstruct(out Tensor<T> loss, out SequenceState<T> state) => (loss, state) = (Loss, State);
}

/// <summary>What a sequence model gives for a batch of windows.</summary>
/// <param name="logits">The scores of the next token after every step, [N, T, V].</param>
/// <param name="state">The state after the last valid step of each row.</param>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public readonly struct SequenceOutput<T>(Tensor<T> logits, SequenceState<T> state)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The scores of the next token after every step, [N, T, V].</summary>
    public Tensor<T> Logits { get; } = logits;

    /// <summary>The state after the last valid step of each row.</summary>
    public SequenceState<T> State { get; } = state;

    /// <summary>Both of them.</summary>
    /// <param name="logits">The scores.</param>
    /// <param name="state">The state.</param>
    public void Deconstruct(out Tensor<T> logits, out SequenceState<T> state) => (logits, state) = (Logits, State);
}
