using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace Rnn.Layers;

/// <summary>
/// A sequence layer that runs one sequence one step at a time, without a graph or locks and, with the library's layers, without allocating anything from the second step on. Made by
/// <see cref="SequenceLayer{T}.CreateStream"/>; not for several threads at once, but any number of streams may share a layer.
/// </summary>
/// <remarks>It evaluates: dropout passes values through. Weights that change are packed anew at the next step.</remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
[SuppressMessage("Naming", "CA1711", Justification = "A stream of steps, the field's word, not a stream of bytes.")]
public sealed class SequenceStream<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly SequenceStepper<T> _stepper;

    internal SequenceStream(SequenceStepper<T> stepper) => _stepper = stepper;

    /// <summary>The size of a step's input.</summary>
    public int InputSize => _stepper.InputSize;

    /// <summary>The size of a step's output.</summary>
    public int OutputSize => _stepper.OutputSize;

    /// <summary>Runs one step.</summary>
    /// <param name="input">The step's input, <see cref="InputSize"/> numbers.</param>
    /// <param name="output">Receives the step's output, <see cref="OutputSize"/> numbers.</param>
    /// <exception cref="ArgumentException">A span has another length.</exception>
    public void Step(ReadOnlySpan<T> input, Span<T> output) => _stepper.Step(input, output);

    /// <summary>Starts a new sequence: all states zero, or the learned initial ones.</summary>
    public void Reset() => _stepper.Reset();

    /// <summary>Goes on from the states of another run, of one row.</summary>
    /// <param name="state">A state of this layer with one row.</param>
    /// <exception cref="ArgumentException">The state does not fit.</exception>
    public void SetState(SequenceState<T> state)
    {
        SequenceStepper<T>.CheckOneRow(state);
        _stepper.SetState(state);
    }

    /// <summary>The states after the last step, as tensors of one row: values of their own, which can be saved (<see cref="SequenceState{T}.Save(string)"/>) and set in any stream of the layer.</summary>
    public SequenceState<T> GetState() => _stepper.GetState();
}
