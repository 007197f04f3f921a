using Rnn.Training;

namespace Rnn.Models;

public sealed partial class LanguageModel<T>
{
    /// <summary>
    /// How well the model predicts a text of tokens, each from all before it: the state starts at the initial one and is carried over the
    /// whole text. Dropout is off for it, whatever the modes of the model and its parts, which stay as they are. Memory does not grow with the text.
    /// Any number of threads may score with one model.
    /// </summary>
    /// <param name="tokens">Two tokens or more; the first is given and not predicted.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <param name="cancellationToken">Ends the scoring.</param>
    /// <exception cref="ArgumentException">There are fewer than two tokens, or one is out of range.</exception>
    public TextScore Score(ReadOnlySpan<int> tokens, TextScoreOptions? options = null, CancellationToken cancellationToken = default)
    {
        if (tokens.Length < 2)
        {
            throw new ArgumentException($"tokens: expected 2 tokens or more, since the first is given and the others predicted, but got {tokens.Length}.", nameof(tokens));
        }

        options ??= new();
        var (sum, count) = SequenceEvaluation.Score(this, tokens, options.Segments, options.Steps, options.WarmUp, ignored: null, cancellationToken);
        return new(sum, count, count);
    }

    /// <summary>How well the model predicts a text; see <see cref="Score(ReadOnlySpan{int}, TextScoreOptions, CancellationToken)"/>.</summary>
    /// <param name="text">A text of two tokens or more of <see cref="Vocabulary"/>.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <param name="cancellationToken">Ends the scoring.</param>
    /// <returns>The score; its characters are those of the text behind the part that its first token stands for, to the end of the text.</returns>
    /// <exception cref="ArgumentException">The text has fewer than two tokens, or characters or words that the vocabulary does not have.</exception>
    /// <exception cref="InvalidOperationException">The model has no vocabulary.</exception>
    public TextScore Score(string text, TextScoreOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        var vocabulary = RequireVocabulary(nameof(Score));
        var tokens = vocabulary.Encode(text);
        var score = Score(tokens, options, cancellationToken);
        return score with { Characters = CountCharacters(text.AsSpan(Sequences.Vocabulary.EndOfFirst(vocabulary, text, tokens[0]))) };
    }

    private static long CountCharacters(ReadOnlySpan<char> text)
    {
        var count = 0L;
        foreach (var _ in text.EnumerateRunes())
        {
            count++;
        }

        return count;
    }
}
