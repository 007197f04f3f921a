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

    /// <summary>Reads a step and gives the scores, not the probabilities.</summary>
    internal ReadOnlySpan<T> StepLogits(ReadOnlySpan<T> input)
    {
        _stepper.Step(input, _hidden);
        _model.Output.StepRows(1, _hidden, _values);
        return _values;
    }
}
