using System.Globalization;
using Rnn.Sequences;

namespace Rnn.Models;

/// <summary>How well an <see cref="EncoderDecoder{T}"/> writes what belongs to sequences whose targets are known: made by its <c>Score</c>.</summary>
public sealed class SequencePairScore
{
    internal SequencePairScore(BeamHypothesis[] hypotheses, string[] texts) => (Hypotheses, Texts) = (hypotheses, texts);

    /// <summary>The number of sources.</summary>
    public int Count => Hypotheses.Count;

    /// <summary>How many were written exactly as a reference of theirs.</summary>
    public required int Exact { get; init; }

    /// <summary>The part of the sources that were written exactly as a reference of theirs.</summary>
    public double Accuracy => (double)Exact / Count;

    /// <summary>The tokens of all references, their end tokens included.</summary>
    public required long Tokens { get; init; }

    /// <summary>The cross-entropy of all references, each token after the right ones before it, in nats a token; end tokens count.</summary>
    public required double Loss { get; init; }

    /// <summary>e to the power of <see cref="Loss"/>: among how many equally likely tokens the model was undecided in the mean.</summary>
    public double Perplexity => Math.Exp(Loss);

    /// <summary>
    /// The edits that turn what was written into the closest reference, divided by the tokens of these references: the word or the character error rate, by what tokens are; may be above 1. Infinite where references have no
    /// tokens and something was written.
    /// </summary>
    public required double ErrorRate { get; init; }

    /// <summary>BLEU over tokens, with all references of a source.</summary>
    public required BleuScore Bleu { get; init; }

    /// <summary>The best hypothesis of each source, in the order of the sources.</summary>
    public IReadOnlyList<BeamHypothesis> Hypotheses { get; }

    /// <summary>The same as texts.</summary>
    public IReadOnlyList<string> Texts { get; }

    /// <summary>The figures in words: <c>exact 98.2 %, error rate 0.4 %, perplexity 1.05, BLEU 97.1</c>, with a point in every culture.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"exact {100 * Accuracy:F1} %, error rate {100 * ErrorRate:F1} %, perplexity {Perplexity:F2}, BLEU {Bleu.Score:F1}");
}
