using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Sequences;

namespace Rnn.Models;

/// <summary>
/// The decoder of N sequences, one token of each at a time, in buffers of its own: with a recurrent decoder a step allocates nothing, nor does a selection of as many rows as before. What
/// the model does with tensors in training is here done with spans; both give the same scores (test).
/// </summary>
internal sealed class EncoderDecoderStepper<T> : ITokenStepper<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly EncoderDecoder<T> _model;
    private readonly SequenceStepper<T> _decoder;
    private readonly AttentionStepper<T>? _attention;
    private readonly int _outputSize;
    private readonly int _contextSize;
    private readonly bool _feeds;
    private T[] _input = [];

    // [context; output] of each row, which the readout takes; what it gives is fed back or is, with the output, where the next step begins.
    private T[] _joined = [];
    private T[] _output;
    private T[] _read;
    private T[] _spare = [];

    internal EncoderDecoderStepper(EncoderDecoder<T> model, SequenceState<T> state, AttentionMemory<T>? memory)
    {
        _model = model;
        _decoder = model.Decoder.CreateStepper(state.Rows);
        _decoder.SetState(state);
        _attention = memory is null ? null : new(model.Attention!, memory);
        (_outputSize, _contextSize) = (model.Decoder.OutputSize, memory is null ? 0 : model.Encoder.OutputSize);
        _feeds = model.Options.InputFeeding && memory is not null;
        _output = model.FirstQuery(state)?.ToArray() ?? new T[state.Rows * _outputSize];
        _read = new T[state.Rows * _outputSize];
    }

    public int Rows => _decoder.Rows;

    public int VocabularySize => _model.Output.OutputSize;

    private bool AsksBefore => _model.Options.Attention == DecoderAttention.Bahdanau;

    public void Step(ReadOnlySpan<int> tokens, Span<T> logits)
    {
        if (tokens.Length != Rows || logits.Length != Rows * VocabularySize)
        {
            throw new ArgumentException(
                $"tokens: expected {Rows} tokens, one for each row, and room for {Rows * VocabularySize} scores, but got {tokens.Length} and {logits.Length}.", nameof(tokens));
        }

        var (rows, inputSize, joinedSize) = (Rows, _decoder.InputSize, _contextSize + _outputSize);
        Grow(ref _input, rows * inputSize);
        Grow(ref _joined, _attention is null ? 0 : rows * joinedSize);
        if (AsksBefore)
        {
            _attention!.Step(_output.AsSpan(0, rows * _outputSize), _joined, joinedSize);
        }

        Gather(tokens, inputSize, joinedSize);
        var output = _output.AsSpan(0, rows * _outputSize);
        _decoder.Step(_input.AsSpan(0, rows * inputSize), output);
        if (_attention is null)
        {
            _model.Output.StepRows(rows, output, logits);
            return;
        }

        if (!AsksBefore)
        {
            _attention.Step(output, _joined, joinedSize);
        }

        for (var row = 0; row < rows; row++)
        {
            output.Slice(row * _outputSize, _outputSize).CopyTo(_joined.AsSpan((row * joinedSize) + _contextSize));
        }

        var read = _read.AsSpan(0, rows * _outputSize);
        _model.Readout!.StepRows(rows, _joined.AsSpan(0, rows * joinedSize), read);
        Unary.InPlace(read, default(ActivationFunction<T, Tanh>));
        _model.Output.StepRows(rows, read, logits);
    }

    public void SelectRows(ReadOnlySpan<int> rows)
    {
        _decoder.SelectRows(rows);
        _attention?.SelectRows(rows);
        if (AsksBefore)
        {
            Select(ref _output, rows);
        }
        else
        {
            Grow(ref _output, rows.Length * _outputSize);
        }

        if (_feeds)
        {
            Select(ref _read, rows);
        }
        else
        {
            Grow(ref _read, rows.Length * _outputSize);
        }
    }

    private static void Grow(ref T[] buffer, int length)
    {
        if (buffer.Length < length)
        {
            buffer = new T[length];
        }
    }

    // The input of each row: the token's embedding, the context where it is asked for before the step, what is fed back.
    private void Gather(ReadOnlySpan<int> tokens, int inputSize, int joinedSize)
    {
        var size = _model.TargetEmbedding.Size;
        var table = _model.TargetEmbedding.Weight.Value.AsReadOnlySpan();
        for (var row = 0; row < tokens.Length; row++)
        {
            if ((uint)tokens[row] >= (uint)VocabularySize)
            {
                throw new ArgumentOutOfRangeException(nameof(tokens), tokens[row], $"tokens: expected tokens from 0 to {VocabularySize - 1} but row {row} has {tokens[row]}.");
            }

            var input = _input.AsSpan(row * inputSize, inputSize);
            table.Slice(tokens[row] * size, size).CopyTo(input);
            if (AsksBefore)
            {
                _joined.AsSpan(row * joinedSize, _contextSize).CopyTo(input[size..]);
            }

            if (_feeds)
            {
                _read.AsSpan(row * _outputSize, _outputSize).CopyTo(input[(inputSize - _outputSize)..]);
            }
        }
    }

    private void Select(ref T[] values, ReadOnlySpan<int> rows)
    {
        Grow(ref _spare, rows.Length * _outputSize);
        for (var i = 0; i < rows.Length; i++)
        {
            values.AsSpan(rows[i] * _outputSize, _outputSize).CopyTo(_spare.AsSpan(i * _outputSize));
        }

        (values, _spare) = (_spare, values);
    }
}
