using Rnn.Sequences;

namespace WordRnn;

/// <summary>How a text is cut into words.</summary>
internal enum Split
{
    /// <summary>Words, punctuation marks and line ends, as a <see cref="WordVocabulary"/> cuts them.</summary>
    Marks,

    /// <summary>What stands between spaces, with the punctuation on it, and line ends: more different words.</summary>
    Spaces,
}

/// <summary>The text to learn, as words.</summary>
internal static class Words
{
    /// <summary>The vocabulary of the most frequent words of a text.</summary>
    internal static WordVocabulary Vocabulary(string text, Split split, int size)
    {
        var options = new WordVocabularyOptions { MaxSize = size };
        return split == Split.Marks ? WordVocabulary.FromText(text, options) : WordVocabulary.FromWords(BetweenSpaces(text), options);
    }

    /// <summary>The tokens of a text.</summary>
    internal static int[] Encode(WordVocabulary vocabulary, string text, Split split) =>
        split == Split.Marks ? vocabulary.Encode(text) : vocabulary.EncodeWords([.. BetweenSpaces(text)]);

    private static IEnumerable<string> BetweenSpaces(string text)
    {
        foreach (var line in text.ReplaceLineEndings("\n").Split('\n'))
        {
            foreach (var word in line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            {
                yield return word;
            }

            yield return "\n";
        }
    }
}
