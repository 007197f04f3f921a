using System.Globalization;
using Rnn.Sequences;

namespace Rnn.Models;

/// <summary>What a transcriber has read out of one sequence.</summary>
public sealed class Transcription
{
    internal Transcription(CtcHypothesis found, IVocabulary vocabulary) => (Labels, LogProbability, Text) = (found.Labels, found.LogProbability, vocabulary.Decode(found.Labels));

    /// <summary>The labels by number.</summary>
    public IReadOnlyList<int> Labels { get; }

    /// <summary>The labels as text.</summary>
    public string Text { get; }

    /// <summary>The logarithm of its probability, in nats: see <see cref="CtcDecoder"/>.</summary>
    public double LogProbability { get; }

    /// <summary>The text.</summary>
    public override string ToString() => Text;
}

/// <summary>How well a <see cref="SequenceTranscriber{T}"/> transcribes what is known: made by its <c>Score</c>.</summary>
public sealed class TranscriptionScore
{
    private long _edits;
    private double _loss;

    internal TranscriptionScore()
    {
    }

    /// <summary>The number of sequences.</summary>
    public int Count { get; private set; }

    /// <summary>How many were transcribed exactly.</summary>
    public int Exact { get; private set; }

    /// <summary>The part of the sequences that were transcribed exactly.</summary>
    public double Accuracy => Count == 0 ? 0 : (double)Exact / Count;

    /// <summary>The labels of all targets.</summary>
    public long Labels { get; private set; }

    /// <summary>−log of the probabilities of all targets, in nats a label; +∞ where one was longer than its sequence allows.</summary>
    public double Loss => _loss / Math.Max(1, Labels);

    /// <summary>
    /// The edits that turn what was transcribed into the targets, divided by the labels of these: the character, phoneme or word error rate, by what labels are; may be above 1. Infinite where the targets have no labels and
    /// something was transcribed.
    /// </summary>
    public double LabelErrorRate => _edits == 0 ? 0 : (double)_edits / Labels;

    /// <summary>The figures in words: <c>exact 91.3 %, label error rate 2.1 %, loss 0.094</c>, with a point in every culture.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"exact {100 * Accuracy:F1} %, label error rate {100 * LabelErrorRate:F1} %, loss {Loss:F3}");

    internal void Add(int[] found, int[] target, int? unknown)
    {
        // No label has the number −1.
        var distance = EditDistance.Between<int>(found, Array.ConvertAll(target, label => label == unknown ? -1 : label));
        _edits += distance;
        Exact += distance == 0 ? 1 : 0;
        Labels += target.Length;
        Count++;
    }

    internal void AddLoss(double loss) => _loss += loss;
}
