namespace Rnn.Sequences;

/// <summary>
/// Turns text into tokens, the whole numbers 0 … <see cref="Count"/> − 1, and back. One of your own, around a tokenizer of another library for example, has <see cref="Count"/>, <see cref="Encode"/> and
/// <see cref="Decode(ReadOnlySpan{int})"/>; the others follow from these unless it has them too.
/// </summary>
public interface IVocabulary
{
    /// <summary>The number of tokens V, special ones included.</summary>
    int Count { get; }

    /// <summary>The token of everything that has no token of its own, or null where there is none and such text is an error.</summary>
    int? Unknown => null;

    /// <summary>The token that begins a sequence, or null.</summary>
    int? BeginOfSequence => null;

    /// <summary>The token that ends a sequence, or null.</summary>
    int? EndOfSequence => null;

    /// <summary>What a token stands for; special tokens read <c>&lt;unk&gt;</c>, <c>&lt;s&gt;</c> and <c>&lt;/s&gt;</c>.</summary>
    /// <param name="token">From 0 to <see cref="Count"/> − 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such token.</exception>
    string TokenText(int token) => Decode(token);

    /// <summary>The token that stands for a text.</summary>
    /// <param name="text">A character or word, or the name of a special token as <see cref="TokenText"/> gives it.</param>
    /// <param name="token">The token, where there is one.</param>
    /// <returns>Whether there is such a token.</returns>
    bool TryGetToken(ReadOnlySpan<char> text, out int token)
    {
        int[] tokens;
        try
        {
            tokens = Encode(text);
        }
        catch (ArgumentException)
        {
            // A text without tokens stands for none.
            tokens = [];
        }

        token = tokens.Length == 1 ? tokens[0] : 0;
        return tokens.Length == 1 && tokens[0] != Unknown;
    }

    /// <summary>The tokens of a text; no special tokens are put around it.</summary>
    /// <param name="text">The text; an empty one has no tokens. Half of a surrogate pair is a character that no vocabulary has.</param>
    /// <exception cref="ArgumentException">A character or word is not in the vocabulary and there is no <see cref="Unknown"/> token.</exception>
    int[] Encode(ReadOnlySpan<char> text);

    /// <summary>The text of some tokens. Unknown ones become U+FFFD (�), those that begin and end sequences nothing.</summary>
    /// <param name="tokens">The tokens.</param>
    /// <exception cref="ArgumentOutOfRangeException">A token is not from 0 to <see cref="Count"/> − 1.</exception>
    string Decode(params ReadOnlySpan<int> tokens);

    /// <summary>The text of some tokens; see <see cref="Decode(ReadOnlySpan{int})"/>.</summary>
    /// <param name="tokens">The tokens, such as those that a model generates.</param>
    string Decode(IEnumerable<int> tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        return Decode([.. tokens]);
    }

    /// <summary>
    /// All of the vocabulary as one line of text, for the metadata of a model file; <see cref="Vocabulary.FromMetadata"/> reads it. Null, unless it has one, where the file goes without: then set the
    /// <c>Vocabulary</c> of a language model or classifier anew when it has been opened; other models are made in the program and filled by <c>Load</c>.
    /// </summary>
    string? ToMetadata() => null;
}
