using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using Rnn.Autograd;
using Rnn.Layers;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Rnn.Models;

/// <summary>
/// A language model that reads one text token by token: no allocation, no graph. Made by <see cref="LanguageModel{T}.CreateStream"/>; not for
/// several threads at once, but any number of streams may share a model.
/// </summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
[SuppressMessage("Naming", "CA1711", Justification = "A stream of tokens, the field's word, not a stream of bytes.")]
public sealed class LanguageModelStream<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly LanguageModel<T> _model;
    private readonly RecurrentStream<T> _recurrent;
    private readonly T[] _hidden;
    private readonly T[] _logits;

    internal LanguageModelStream(LanguageModel<T> model)
    {
        _model = model;
        _recurrent = model.Recurrent.CreateStream();
        _hidden = new T[_recurrent.OutputSize];
        _logits = new T[model.VocabularySize];
    }

    /// <summary>Reads a token.</summary>
    /// <param name="token">From 0 to V − 1.</param>
    /// <returns>The scores of the token that follows, [V]; they change with the next step.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such token.</exception>
    public unsafe ReadOnlySpan<T> Step(int token)
    {
        if ((uint)token >= (uint)_logits.Length)
        {
            throw new ArgumentOutOfRangeException(nameof(token), token, $"token: expected a token from 0 to {_logits.Length - 1} but got {token}.");
        }

        var size = _recurrent.InputSize;
        _recurrent.Step(_model.Embedding.Weight.Value.AsReadOnlySpan().Slice(token * size, size), _hidden);
        fixed (T* hidden = _hidden, weight = _model.Output.Weight.Value.AsReadOnlySpan(), logits = _logits)
        {
            SpanSweep<T>.RowTimesTransposed(hidden, weight, logits, _logits.Length, _hidden.Length, accumulate: false);
        }

        if (_model.Output.Bias is { } bias)
        {
            TensorPrimitives.Add(_logits, bias.Value.AsReadOnlySpan(), _logits);
        }

        return _logits;
    }

    /// <summary>Starts a new text.</summary>
    public void Reset() => _recurrent.Reset();

    /// <summary>Goes on from the states of another run, of one row.</summary>
    /// <param name="state">A state of the model's recurrent layer with one row.</param>
    /// <exception cref="ArgumentException">The state does not fit.</exception>
    public void SetState(RecurrentState<T> state) => _recurrent.SetState(state);

    /// <summary>The states after the last token, as tensors of one row.</summary>
    public RecurrentState<T> GetState() => _recurrent.GetState();
}
