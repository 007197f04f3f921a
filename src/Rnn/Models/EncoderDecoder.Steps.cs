using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Models;

public sealed partial class EncoderDecoder<T>
{
    /// <summary>What the decoder starts with: its state and what attention looks at.</summary>
    private (SequenceState<T> State, AttentionMemory<T>? Memory) Encode(SequenceBatch source)
    {
        var embedded = SourceEmbedding.Forward(source.Tokens, source.Shape);
        var output = Encoder.Forward(_sourceDropout?.Forward(embedded) ?? embedded, source.Lengths);
        return (StartState(output), _attention?.Prepare(output.Output, source.Lengths));
    }

    private SequenceState<T> StartState(SequenceLayerOutput<T> encoded)
    {
        if (_start is not null)
        {
            return _start.Forward(encoded.Last);
        }

        return Options.Start == DecoderStart.Own ? Decoder.InitialState(encoded.FinalState.Rows) : encoded.FinalState;
    }

    // What the output layer reads at each step of the decoder, [N, U, O].
    private Tensor<T> Run(SequencePairBatch batch, double teacherForcing, List<Tensor<T>>? weights)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var (state, memory) = Encode(batch.Source);
        if (!RunsStepByStep && teacherForcing == 1)
        {
            var embedded = Embed(batch.Inputs, batch.Rows, batch.TargetSteps);
            return Drop(Attend(Decoder.Forward(embedded, batch.TargetLengths, state).Output, memory, weights));
        }

        var steps = new Tensor<T>[batch.TargetSteps];
        var (tokens, decoder) = (new int[batch.Rows], new DecoderState(this, state, memory));
        for (var u = 0; u < steps.Length; u++)
        {
            for (var row = 0; row < tokens.Length; row++)
            {
                // The draw is made whatever it says, so that the numbers that follow do not depend on it.
                var own = u > 0 && teacherForcing < 1 && _forcing.NextDouble() >= teacherForcing;
                tokens[row] = own ? tokens[row] : batch.Inputs[(row * steps.Length) + u];
            }

            steps[u] = decoder.Step(Embed(tokens, tokens.Length, 1).Reshape(tokens.Length, TargetEmbedding.Size), weights);
            if (teacherForcing < 1 && u + 1 < steps.Length)
            {
                using (NoGradient.Enter())
                {
                    Output.Forward(steps[u].Detach()).ArgMax(-1).CopyTo(tokens, 0);
                }
            }
        }

        return Drop(Tensor<T>.Stack(steps, 1));
    }

    private Tensor<T> Embed(ReadOnlySpan<int> tokens, int rows, int steps)
    {
        var embedded = TargetEmbedding.Forward(tokens, [rows, steps]);
        return _targetDropout?.Forward(embedded) ?? embedded;
    }

    private Tensor<T> Drop(Tensor<T> read) => _dropout?.Forward(read) ?? read;

    // tanh(W [context; output]) (Luong's attentional vector), or the output itself without attention. [N, O] or [N, U, O].
    private Tensor<T> Attend(Tensor<T> output, AttentionMemory<T>? memory, List<Tensor<T>>? weights)
    {
        if (memory is null)
        {
            return output;
        }

        var (context, w) = _attention!.Forward(output, memory);
        weights?.Add(w);
        return Read(output, context);
    }

    private Tensor<T> Read(Tensor<T> output, Tensor<T> context) => _readout!.Forward(Tensor<T>.Concat([context, output], -1)).Tanh();

    // What Bahdanau's attention asks with before the first step: the hidden state of a recurrent layer is what its last output would have been; null for zeros.
    internal Tensor<T>? FirstQuery(SequenceState<T> state) =>
        Decoder is RecurrentLayer<T> && state.Hidden() is { } hidden && hidden.Shape[^1] == Decoder.OutputSize ? hidden : null;

    /// <summary>A decoder between two steps, as tensors: recorded where gradients are wanted.</summary>
    private sealed class DecoderState
    {
        private readonly EncoderDecoder<T> _model;
        private SequenceState<T> _state;
        private readonly AttentionMemory<T>? _memory;

        // What Bahdanau's attention asks with, and what is fed back.
        private Tensor<T> _query;
        private Tensor<T> _fed;

        internal DecoderState(EncoderDecoder<T> model, SequenceState<T> state, AttentionMemory<T>? memory)
        {
            (_model, _state, _memory) = (model, state, memory);

            _fed = Tensor<T>.Zeros(state.Rows, model.Decoder.OutputSize);
            _query = model.FirstQuery(state) ?? _fed;
        }

        /// <summary>One step: what the output layer reads [N, O].</summary>
        internal Tensor<T> Step(Tensor<T> embedded, List<Tensor<T>>? weights)
        {
            var options = _model.Options;
            var input = embedded;
            if (options.Attention == DecoderAttention.Bahdanau)
            {
                var (context, w) = _model._attention!.Forward(_query, _memory!);
                weights?.Add(w);
                input = options.InputFeeding ? Tensor<T>.Concat([embedded, context, _fed], -1) : Tensor<T>.Concat([embedded, context], -1);
                (_query, _state) = _model.Decoder.Step(input, _state);
                return _fed = _model.Read(_query, context);
            }

            if (options.InputFeeding && _memory is not null)
            {
                input = Tensor<T>.Concat([embedded, _fed], -1);
            }

            (_query, _state) = _model.Decoder.Step(input, _state);
            return _fed = _model.Attend(_query, _memory, weights);
        }
    }
}
