using System.Numerics;
using Rnn.Layers;
using Rnn.Sequences;

namespace Rnn.Models;

/// <summary>
/// A language model that reads N texts side by side, a token of each at a time, without a graph and, with a recurrent layer, without allocating anything: for batched generation and beam search. Made by
/// <see cref="LanguageModel{T}.CreateTokenStepper"/>.
/// </summary>
internal sealed class LanguageModelStepper<T>(LanguageModel<T> model, int rows) : ITokenStepper<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly SequenceStepper<T> _stepper = model.SequenceLayer.CreateStepper(rows);
    private T[] _embedded = [];
    private T[] _hidden = [];

    public int Rows => _stepper.Rows;

    public int VocabularySize => model.VocabularySize;

    public void Step(ReadOnlySpan<int> tokens, Span<T> logits)
    {
        if (tokens.Length != Rows || logits.Length != Rows * VocabularySize)
        {
            throw new ArgumentException(
                $"tokens: expected {Rows} tokens, one for each row, and room for {Rows * VocabularySize} scores, but got {tokens.Length} and {logits.Length}.", nameof(tokens));
        }

        var size = _stepper.InputSize;
        var table = model.Embedding.Weight.Value.AsReadOnlySpan();
        if (_embedded.Length < Rows * size || _hidden.Length < Rows * _stepper.OutputSize)
        {
            (_embedded, _hidden) = (new T[Rows * size], new T[Rows * _stepper.OutputSize]);
        }

        for (var row = 0; row < tokens.Length; row++)
        {
            if ((uint)tokens[row] >= (uint)VocabularySize)
            {
                throw new ArgumentOutOfRangeException(nameof(tokens), tokens[row], $"tokens: expected tokens from 0 to {VocabularySize - 1} but row {row} has {tokens[row]}.");
            }

            table.Slice(tokens[row] * size, size).CopyTo(_embedded.AsSpan(row * size));
        }

        var hidden = _hidden.AsSpan(0, Rows * _stepper.OutputSize);
        _stepper.Step(_embedded.AsSpan(0, Rows * size), hidden);
        model.Output.StepRows(Rows, hidden, logits);
    }

    public void SelectRows(ReadOnlySpan<int> rows) => _stepper.SelectRows(rows);
}
