using System.Numerics;
using Rnn.Layers;
using Rnn.Sequences;

namespace Rnn.Models;

/// <summary>A decoder that writes for N conditions side by side, a token of each at a time, without a graph and, with a recurrent layer, without allocating anything.</summary>
/// <param name="stepper">The decoder in its start state.</param>
/// <param name="embedding">The table of the tokens' vectors.</param>
/// <param name="output">What scores the tokens.</param>
/// <param name="conditions">The encoded conditions [N, E] that are fed at each step; empty where they are not.</param>
internal sealed class ConditionalStepper<T>(SequenceStepper<T> stepper, Embedding<T> embedding, Linear<T> output, T[] conditions) : ITokenStepper<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly int _fed = conditions.Length / stepper.Rows;
    private T[] _conditions = conditions;
    private T[] _chosen = [];
    private T[] _input = [];
    private T[] _hidden = [];

    public int Rows => stepper.Rows;

    public int VocabularySize => output.OutputSize;

    public void Step(ReadOnlySpan<int> tokens, Span<T> logits)
    {
        if (tokens.Length != Rows || logits.Length != Rows * VocabularySize)
        {
            throw new ArgumentException(
                $"tokens: expected {Rows} tokens, one for each row, and room for {Rows * VocabularySize} scores, but got {tokens.Length} and {logits.Length}.", nameof(tokens));
        }

        var (size, inputSize) = (embedding.Size, stepper.InputSize);
        if (_input.Length < Rows * inputSize || _hidden.Length < Rows * stepper.OutputSize)
        {
            (_input, _hidden) = (new T[Rows * inputSize], new T[Rows * stepper.OutputSize]);
        }

        var table = embedding.Weight.Value.AsReadOnlySpan();
        for (var row = 0; row < tokens.Length; row++)
        {
            if ((uint)tokens[row] >= (uint)VocabularySize)
            {
                throw new ArgumentOutOfRangeException(nameof(tokens), tokens[row], $"tokens: expected tokens from 0 to {VocabularySize - 1} but row {row} has {tokens[row]}.");
            }

            var input = _input.AsSpan(row * inputSize, inputSize);
            table.Slice(tokens[row] * size, size).CopyTo(input);
            _conditions.AsSpan(row * _fed, _fed).CopyTo(input[size..]);
        }

        var hidden = _hidden.AsSpan(0, Rows * stepper.OutputSize);
        stepper.Step(_input.AsSpan(0, Rows * inputSize), hidden);
        output.StepRows(Rows, hidden, logits);
    }

    public void SelectRows(ReadOnlySpan<int> rows)
    {
        stepper.SelectRows(rows);
        if (_fed == 0)
        {
            return;
        }

        if (_chosen.Length < rows.Length * _fed)
        {
            _chosen = new T[rows.Length * _fed];
        }

        for (var i = 0; i < rows.Length; i++)
        {
            _conditions.AsSpan(rows[i] * _fed, _fed).CopyTo(_chosen.AsSpan(i * _fed));
        }

        (_conditions, _chosen) = (_chosen, _conditions);
    }
}
