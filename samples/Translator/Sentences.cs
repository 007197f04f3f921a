using Rnn.Models;
using Rnn.Sequences;
using Samples;

namespace Translator;

/// <summary>How the probability of teacher forcing falls during a training.</summary>
internal enum Forcing
{
    /// <summary>Not at all: the decoder always reads the right word before.</summary>
    Always,

    /// <summary>In a straight line from 1 to 1/2, after a quarter of the training.</summary>
    Linear,

    /// <summary>Along a sigmoid, to about 1/4.</summary>
    Sigmoid,
}

/// <summary>Sentences of two languages.</summary>
internal static class Sentences
{
    /// <summary>
    /// The pairs of a file whose two sides have at most so many words; a word is what stands between spaces and has a letter or a digit, so that punctuation does not count. In lower case, with straight apostrophes.
    /// </summary>
    internal static TextPairs Read(string path, int words)
    {
        var all = TextPairs.Read(path);
        var clean = new TextPairs([.. all.Sources.Select(Clean)], [.. all.Targets.Select(Clean)]).Where((source, target) => IsShort(source) && IsShort(target));
        return clean.Count >= 20 ? clean : throw new InputException($"--data: expected 20 pairs or more of at most {words} words but {path} has {clean.Count} of {all.Count}; try --words.");

        bool IsShort(string text)
        {
            var count = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Count(piece => piece.Any(char.IsLetterOrDigit));
            return count > 0 && count <= words;
        }
    }

    /// <summary>BLEU of each translation with each of its references alone, as if every pair were a sentence of its own.</summary>
    internal static BleuScore SingleReferenceBleu(EncoderDecoder<float> model, SequencePairScore score, IReadOnlyList<IReadOnlyList<string>> references)
    {
        var bleu = new BleuScore();
        for (var i = 0; i < score.Count; i++)
        {
            foreach (var reference in references[i])
            {
                // A word that the model does not know is never right.
                bleu.Add(score.Hypotheses[i].Tokens, Array.ConvertAll(model.TargetVocabulary.Encode(reference), token => token == model.TargetVocabulary.Unknown ? -1 : token));
            }
        }

        return bleu;
    }

    private static string Clean(string text) => text.ToLowerInvariant().Replace('’', '\'');
}
