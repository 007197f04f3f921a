using System.Globalization;
using Rnn.Sequences;

namespace Rnn.Models;

/// <summary>How well an <see cref="EncoderDecoder{T}"/> writes what belongs to sequences whose targets are known: made by its <c>Score</c>.</summary>
public sealed class SequencePairScore
{
    /// <summary>Compares what was written with what is right.</summary>
    /// <param name="hypotheses">The best hypothesis of each source.</param>
    /// <param name="references">The right sequences of each source, one or more.</param>
    /// <param name="vocabulary">The vocabulary of both.</param>
    internal SequencePairScore(BeamHypothesis[] hypotheses, IReadOnlyList<IReadOnlyList<int[]>> references, IVocabulary vocabulary)
    {
        (Hypotheses, Texts) = (hypotheses, Array.ConvertAll(hypotheses, hypothesis => vocabulary.Decode(hypothesis.Tokens)));
        var (edits, length) = (0L, 0L);
        for (var i = 0; i < hypotheses.Length; i++)
        {
            // No token has the number −1.
            var (written, right) = (hypotheses[i].Tokens, references[i].Select(reference => Array.ConvertAll(reference, token => token == vocabulary.Unknown ? -1 : token)).ToArray());
            var closest = right.MinBy(reference => EditDistance.Between<int>(written, reference))!;
            var distance = EditDistance.Between<int>(written, closest);
            Exact += distance == 0 ? 1 : 0;
            (edits, length) = (edits + distance, length + closest.Length);
            Bleu.Add(written, right);
        }

        ErrorRate = edits == 0 ? 0 : (double)edits / length;
    }

    /// <summary>The number of sources.</summary>
    public int Count => Hypotheses.Count;

    /// <summary>How many were written exactly as a reference of theirs.</summary>
    public int Exact { get; }

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
    public double ErrorRate { get; }

    /// <summary>BLEU over tokens, with all references of a source.</summary>
    public BleuScore Bleu { get; } = new();

    /// <summary>The best hypothesis of each source, in the order of the sources.</summary>
    public IReadOnlyList<BeamHypothesis> Hypotheses { get; }

    /// <summary>The same as texts.</summary>
    public IReadOnlyList<string> Texts { get; }

    /// <summary>The figures in words: <c>exact 98.2 %, error rate 0.4 %, perplexity 1.05, BLEU 97.1</c>, with a point in every culture.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"exact {100 * Accuracy:F1} %, error rate {100 * ErrorRate:F1} %, perplexity {Perplexity:F2}, BLEU {Bleu.Score:F1}");
}
