using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using Rnn.Layers;

namespace Rnn.Models;

/// <summary>
/// A language model that reads one text token by token, without a graph, and with a recurrent layer without allocating anything. Made by <see cref="LanguageModel{T}.CreateStream"/>; not for
/// several threads at once, but any number of streams may share a model.
/// </summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
[SuppressMessage("Naming", "CA1711", Justification = "A stream of tokens, the field's word, not a stream of bytes.")]
public sealed class LanguageModelStream<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly LanguageModel<T> _model;
    private readonly SequenceStepper<T> _stepper;
    private readonly T[] _hidden;
    private readonly T[] _logits;

    internal LanguageModelStream(LanguageModel<T> model)
    {
        _model = model;
        _stepper = model.SequenceLayer.CreateStepper();
        _hidden = new T[_stepper.OutputSize];
        _logits = new T[model.VocabularySize];
    }

    /// <summary>Reads a token.</summary>
    /// <param name="token">From 0 to V − 1.</param>
    /// <returns>The scores of the token that follows, [V]; they change with the next step.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such token.</exception>
    public ReadOnlySpan<T> Step(int token)
    {
        if ((uint)token >= (uint)_logits.Length)
        {
            throw new ArgumentOutOfRangeException(nameof(token), token, $"token: expected a token from 0 to {_logits.Length - 1} but got {token}.");
        }

        var size = _stepper.InputSize;
        _stepper.Step(_model.Embedding.Weight.Value.AsReadOnlySpan().Slice(token * size, size), _hidden);
        _model.Output.StepRows(1, _hidden, _logits);
        return _logits;
    }

    /// <summary>Starts a new text.</summary>
    public void Reset() => _stepper.Reset();

    /// <summary>Goes on from the states of another run, of one row.</summary>
    /// <param name="state">A state of the model's sequence layer with one row.</param>
    /// <exception cref="ArgumentException">The state does not fit.</exception>
    public void SetState(SequenceState<T> state)
    {
        SequenceStepper<T>.CheckOneRow(state);
        _stepper.SetState(state);
    }

    /// <summary>The states after the last token, as tensors of one row.</summary>
    public SequenceState<T> GetState() => _stepper.GetState();
}
