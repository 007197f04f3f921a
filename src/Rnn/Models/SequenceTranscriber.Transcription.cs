using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Models;

public sealed partial class SequenceTranscriber<T>
{
    /// <summary>Transcribes a sequence of feature vectors.</summary>
    /// <param name="features">[L, I].</param>
    /// <param name="width">The width of the prefix beam search (<see cref="CtcDecoder.BeamSearch"/>); 1, the default, takes the best path.</param>
    /// <exception cref="ArgumentException">The shape does not fit, or the width is not positive.</exception>
    /// <exception cref="InvalidOperationException">The model reads texts.</exception>
    public Transcription Transcribe(Tensor<T> features, int width = 1)
    {
        ArgumentNullException.ThrowIfNull(features);
        return Transcribe(TranscriptionBatch<T>.Pad(new[] { features }, new[] { Array.Empty<int>() }), width)[0];
    }

    /// <summary>Transcribes a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="width">The width of the prefix beam search (<see cref="CtcDecoder.BeamSearch"/>); 1, the default, takes the best path.</param>
    /// <exception cref="ArgumentException">The vocabulary does not know a symbol, or the width is not positive.</exception>
    /// <exception cref="InvalidOperationException">The model reads feature vectors.</exception>
    public Transcription Transcribe(string text, int width = 1)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Transcribe(TranscriptionBatch<T>.Pad(new[] { Encode(text) }, new[] { Array.Empty<int>() }), width)[0];
    }

    /// <summary>Transcribes the sequences of a batch, in evaluation mode and without a graph. Its targets are not looked at.</summary>
    /// <param name="batch">The sequences.</param>
    /// <param name="width">The width of the prefix beam search (<see cref="CtcDecoder.BeamSearch"/>); 1, the default, takes the best path.</param>
    /// <returns>A transcription for each row.</returns>
    /// <exception cref="ArgumentException">A shape or a token does not fit, or the width is not positive.</exception>
    public Transcription[] Transcribe(TranscriptionBatch<T> batch, int width = 1)
    {
        OptionRange.AtLeast(1, width, nameof(width));
        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        using var scope = TensorScope.Enter();
        return Array.ConvertAll(Decode(Forward(batch), batch, width), found => new Transcription(found, Vocabulary));
    }

    /// <summary>The probability of each label and of the blank at each step of a sequence of feature vectors: where the model sees what.</summary>
    /// <param name="features">[L, I].</param>
    /// <returns>[⌈L/k⌉, V + 1], the blank last; without history.</returns>
    /// <exception cref="ArgumentException">The shape does not fit.</exception>
    /// <exception cref="InvalidOperationException">The model reads texts.</exception>
    public Tensor<T> Probabilities(Tensor<T> features)
    {
        ArgumentNullException.ThrowIfNull(features);
        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        return Forward(features.Unsqueeze(0)).Softmax().Select(0, 0);
    }

    /// <summary>Transcribes batches whose labels are known and counts what is wrong.</summary>
    /// <param name="batches">The batches.</param>
    /// <param name="width">The width of the prefix beam search (<see cref="CtcDecoder.BeamSearch"/>); 1, the default, takes the best path.</param>
    /// <param name="cancellationToken">Asks to stop.</param>
    /// <exception cref="ArgumentException">A shape, a token or a label does not fit, or the width is not positive.</exception>
    public TranscriptionScore Score(IEnumerable<TranscriptionBatch<T>> batches, int width = 1, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batches);
        OptionRange.AtLeast(1, width, nameof(width));
        var score = new TranscriptionScore();
        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        foreach (var batch in batches)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = TensorScope.Enter();
            var scores = Forward(batch);
            var loss = Training.Loss.Ctc(scores, batch.Targets, OutputLengths(batch.Lengths), new() { Blank = Blank, Reduction = LossReduction.Sum });
            score.AddLoss(double.CreateTruncating(loss.Item()));
            var found = Decode(scores, batch, width);
            for (var row = 0; row < found.Length; row++)
            {
                score.Add(found[row].Labels, batch.Targets[row], Vocabulary.Unknown);
            }
        }

        return score;
    }

    /// <summary>A stream that reads one sequence step by step, from the initial state, and says each label as soon as it has read it.</summary>
    /// <exception cref="InvalidOperationException">The sequence layer has a backward direction: it would need the end first.</exception>
    public SequenceTranscriberStream<T> CreateStream() => SequenceLayer.IsCausal
        ? new(this)
        : throw new InvalidOperationException(
            "CreateStream: the sequence layer of this model is bidirectional or reversed and needs the whole sequence; use Transcribe, or train a model whose layer runs forward only.");

    private CtcHypothesis[] Decode(Tensor<T> scores, TranscriptionBatch<T> batch, int width)
    {
        var lengths = OutputLengths(batch.Lengths);
        return width == 1
            ? CtcDecoder.BestPath(scores, lengths, Blank)
            : Array.ConvertAll(CtcDecoder.BeamSearch(scores, lengths, width, Blank), found => found[0]);
    }
}
