using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using Rnn.Layers;

namespace Rnn.Models;

/// <summary>
/// A multi-label model that reads one sequence step by step, without a graph, and with a recurrent layer without allocating anything. Made by <see cref="MultiLabelSequenceModel{T}.CreateStream"/>; not for
/// several threads at once, but any number of streams may share a model.
/// </summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
[SuppressMessage("Naming", "CA1711", Justification = "A stream of steps, the field's word, not a stream of bytes.")]
public sealed class MultiLabelStream<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly MultiLabelSequenceModel<T> _model;
    private readonly SequenceStepper<T> _stepper;
    private readonly T[] _hidden;
    private readonly T[] _values;

    internal MultiLabelStream(MultiLabelSequenceModel<T> model)
    {
        _model = model;
        _stepper = model.SequenceLayer.CreateStepper();
        _hidden = new T[_stepper.OutputSize];
        _values = new T[model.Labels];
    }

    /// <summary>Reads a step.</summary>
    /// <param name="input">The step's input [I].</param>
    /// <returns>The probability of each label [L]; they change with the next step.</returns>
    /// <exception cref="ArgumentException">The input has another size.</exception>
    public ReadOnlySpan<T> Step(ReadOnlySpan<T> input)
    {
        StepLogits(input);
        foreach (ref var value in _values.AsSpan())
        {
            value = T.One / (T.One + T.Exp(-value));
        }

        return _values;
    }

    /// <summary>Starts a new sequence.</summary>
    public void Reset() => _stepper.Reset();

    /// <summary>The state after the last step, of one row: a value of its own, which can be saved and set in any stream of the model.</summary>
    public SequenceState<T> GetState() => _stepper.GetState();

    /// <summary>Goes on from a state that <see cref="GetState"/> gave.</summary>
    /// <param name="state">A state of a stream of this model, or of one like it.</param>
    /// <exception cref="ArgumentException">The state does not fit.</exception>
    public void SetState(SequenceState<T> state)
    {
        SequenceStepper<T>.CheckOneRow(state);
        _stepper.SetState(state);
    }

    /// <summary>Reads a step and gives the scores, not the probabilities.</summary>
    internal ReadOnlySpan<T> StepLogits(ReadOnlySpan<T> input)
    {
        _stepper.Step(input, _hidden);
        _model.Output.StepRows(1, _hidden, _values);
        return _values;
    }
}
