using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// A layer over sequences that remembers: a batch of sequences and a state in, outputs and the state afterwards out. Recurrent layers are sequence layers, and so are chains of them
/// (<see cref="SequenceChain{T}"/>); language models, trainers, streams and beam search take any.
/// </summary>
/// <remarks>
/// To write one of your own, derive from this class, register parameters in the constructor and override <see cref="InputSize"/>, <see cref="OutputSize"/>, <see cref="ZeroState"/> and
/// <see cref="Forward(Tensor{T}, ReadOnlySpan{int}, SequenceState{T})"/>. Steps, recorded or not, follow from these; a stepper of your own may be faster.
/// </remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public abstract class SequenceLayer<T> : Layer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The size of the input I.</summary>
    public abstract int InputSize { get; }

    /// <summary>The size of the output O.</summary>
    public abstract int OutputSize { get; }

    /// <summary>Whether each output depends only on its own step and those before, so that the layer can run step by step. Not so for a layer with a backward direction.</summary>
    public virtual bool IsCausal => true;

    /// <summary>Whether the states that sequences begin with are parameters, so that <see cref="InitialState"/> is not all zeros.</summary>
    public virtual bool HasLearnedInitialState => false;

    /// <summary>A state of zeros: its names, its shapes, nothing remembered.</summary>
    /// <param name="rows">The number of sequences N.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public abstract SequenceState<T> ZeroState(int rows);

    /// <summary>The state that sequences begin with: zeros, or the learned one, through which gradients flow to its parameters.</summary>
    /// <param name="rows">The number of sequences N.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public virtual SequenceState<T> InitialState(int rows) => ZeroState(rows);

    /// <summary>The output at every step of sequences of full length that start from the initial state.</summary>
    /// <param name="input">[N, T, <see cref="InputSize"/>].</param>
    /// <returns>[N, T, <see cref="OutputSize"/>].</returns>
    public override Tensor<T> Forward(Tensor<T> input) => Forward(input, default(ReadOnlySpan<int>)).Output;

    /// <summary>Runs a batch of sequences of full length on from a state.</summary>
    /// <param name="input">[N, T, <see cref="InputSize"/>].</param>
    /// <param name="initialState">The state to go on from; null for the initial one.</param>
    /// <exception cref="ArgumentException">A shape or the state does not fit; the message says how.</exception>
    public virtual SequenceLayerOutput<T> Forward(Tensor<T> input, SequenceState<T>? initialState) => Forward(input, default, initialState);

    /// <summary>Runs a batch of sequences.</summary>
    /// <param name="input">[N, T, <see cref="InputSize"/>].</param>
    /// <param name="lengths">The number of valid steps of each row, 0 to T in any order; empty for full length. Past a row's end its state is unchanged and its output zero.</param>
    /// <param name="initialState">The state to go on from; null for the initial one.</param>
    /// <exception cref="ArgumentException">A shape, length or state does not fit; the message says how.</exception>
    public abstract SequenceLayerOutput<T> Forward(Tensor<T> input, ReadOnlySpan<int> lengths, SequenceState<T>? initialState = null);

    /// <summary>
    /// One step of N sequences, recorded where gradients are wanted: what a decoder calls whose next input depends on its last output. Steps one after another give the outputs and
    /// gradients of the whole sequence; random masks that hold for a whole sequence (recurrent dropout, weight-drop) are drawn anew for each step.
    /// </summary>
    /// <param name="input">The step's input [N, <see cref="InputSize"/>].</param>
    /// <param name="state">The state before the step; null for the initial one.</param>
    /// <returns>The step's output [N, <see cref="OutputSize"/>] and the state after it.</returns>
    /// <exception cref="ArgumentException">A shape or the state does not fit.</exception>
    /// <exception cref="InvalidOperationException">The layer is not causal.</exception>
    public virtual (Tensor<T> Output, SequenceState<T> State) Step(Tensor<T> input, SequenceState<T>? state)
    {
        ArgumentNullException.ThrowIfNull(input);
        CheckCausal(nameof(Step));
        if (input.Rank != 2 || input.Shape[1] != InputSize)
        {
            throw new ArgumentException($"input: expected [rows, {InputSize}] but got {input.Shape}; the last dimension must be InputSize ({InputSize}).", nameof(input));
        }

        var rows = input.Shape[0];
        var (output, next) = Forward(input.Reshape(rows, 1, InputSize), default, state);
        return (output.Reshape(rows, OutputSize), next);
    }

    /// <summary>
    /// A stepper that runs this layer one step at a time for N sequences, without a graph: for generation, beam search and live signals. It evaluates: dropout passes values through.
    /// </summary>
    /// <param name="rows">The number of sequences N.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is not positive.</exception>
    /// <exception cref="InvalidOperationException">The layer is not causal: it would need the future.</exception>
    public virtual SequenceStepper<T> CreateStepper(int rows = 1)
    {
        CheckCausal(nameof(CreateStepper));
        return new ForwardStepper<T>(this, rows);
    }

    /// <summary>A stream that runs this layer one step at a time for one sequence, from zero or learned initial states.</summary>
    /// <exception cref="InvalidOperationException">The layer is not causal: it would need the future.</exception>
    public SequenceStream<T> CreateStream()
    {
        CheckCausal(nameof(CreateStream));
        return new(CreateStepper());
    }

    /// <summary>Refuses a batch that does not fit: for <see cref="Forward(Tensor{T}, ReadOnlySpan{int}, SequenceState{T})"/> of your own.</summary>
    /// <param name="input">The input, to be [N, T, <see cref="InputSize"/>].</param>
    /// <param name="lengths">The lengths, empty or N from 0 to T.</param>
    /// <param name="initialState">The state, to be of the names and shapes of <see cref="ZeroState"/>, or null.</param>
    /// <returns>The state in the order of <see cref="ZeroState"/>; the initial one for null.</returns>
    /// <exception cref="ArgumentException">A shape, length or state does not fit.</exception>
    protected SequenceState<T> CheckBatch(Tensor<T> input, ReadOnlySpan<int> lengths, SequenceState<T>? initialState)
    {
        RecurrentChecks.CheckBatch(input, lengths, InputSize);
        if (initialState is null)
        {
            return InitialState(input.Shape[0]);
        }

        var zero = ZeroState(input.Shape[0]);
        return new(zero.Rows, [.. zero.Names], initialState.InOrderOf(zero, nameof(initialState)));
    }

    /// <summary>Refuses to step a layer that needs the future.</summary>
    private protected void CheckCausal(string member)
    {
        if (!IsCausal)
        {
            throw new InvalidOperationException(
                $"{member}: a bidirectional or reversed layer needs the whole sequence; use Forward, or a layer that runs forward only.");
        }
    }
}
