using System.Text;
using Rnn.Formats;

namespace Rnn.Sequences;

/// <summary>
/// A vocabulary of words, punctuation marks and line ends. A word is a run of letters, digits and underscores, joined also by an apostrophe
/// or hyphen inside (<c>don't</c>, <c>well-known</c>) and by a point or comma between digits (<c>3.14</c>); every other visible character is a token
/// of its own, with the accents on it, and so is a line end. Other white space only separates and is not kept, nor are characters that nobody sees, such as a byte order
/// mark at the start of a text; joiners and soft hyphens inside a word belong to it.
/// </summary>
/// <remarks>
/// <see cref="Decode(ReadOnlySpan{int})"/> puts one space between tokens, none at line ends, before closing and after opening punctuation. So the
/// layout of a decoded text may differ from the original; its tokens do not.
/// </remarks>
public sealed class WordVocabulary : IVocabulary
{
    private readonly TokenTable _table;
    private readonly bool _lowercase;

    internal WordVocabulary(TokenTable table, bool lowercase)
    {
        _table = table;
        _lowercase = lowercase;
    }

    /// <inheritdoc/>
    public int Count => _table.Count;

    /// <inheritdoc/>
    public int? Unknown => _table.Unknown;

    /// <inheritdoc/>
    public int? BeginOfSequence => _table.Begin;

    /// <inheritdoc/>
    public int? EndOfSequence => _table.End;

    /// <summary>The vocabulary of the words of a text, the most frequent first, equally frequent ones in the order of their code units.</summary>
    /// <param name="text">The text.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">The text has no words or holds half of a surrogate pair, or an option is impossible.</exception>
    public static WordVocabulary FromText(ReadOnlySpan<char> text, WordVocabularyOptions? options = null)
    {
        options ??= new();
        options.Check();
        UnicodeText.Check(text, nameof(text), "the character");
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        CountWords(text, options, counts);
        return counts.Count > 0 ? Of(counts, options) : throw Vocabulary.EmptyText();
    }

    /// <summary>As <see cref="FromText(ReadOnlySpan{char}, WordVocabularyOptions)"/>, of a text that is read piece by piece: in memory are its different words.</summary>
    /// <param name="text">The text, read to its end and left open.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">The text has no words or holds half of a surrogate pair, or an option is impossible.</exception>
    public static WordVocabulary FromText(TextReader text, WordVocabularyOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        options ??= new();
        options.Check();
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var piece in TextPieces.Read(text))
        {
            UnicodeText.Check(piece.Span, nameof(text), "in a piece of it the character");
            CountWords(piece.Span, options, counts);
        }

        return counts.Count > 0 ? Of(counts, options) : throw Vocabulary.EmptyText();
    }

    /// <summary>The vocabulary of words that something else has cut, such as those of a treebank; the most frequent first, equally frequent ones in the order of their code units.</summary>
    /// <param name="words">The words, each as often as it comes.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">There are no words, one is empty or holds half of a surrogate pair, or an option is impossible.</exception>
    public static WordVocabulary FromWords(IEnumerable<string> words, WordVocabularyOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(words);
        options ??= new();
        options.Check();
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var word in words)
        {
            var key = options.Lowercase ? word.ToLowerInvariant() : word;
            counts[key] = counts.GetValueOrDefault(key) + 1;
        }

        return counts.Count > 0
            ? Of(counts, options)
            : throw new ArgumentException("words: expected one word or more but got none; a vocabulary is made of its words.", nameof(words));
    }

    /// <summary>The tokens of words that something else has cut, one for each.</summary>
    /// <param name="words">The words.</param>
    /// <exception cref="ArgumentException">A word is not in the vocabulary and there is no <see cref="Unknown"/> token.</exception>
    public int[] EncodeWords(IReadOnlyList<string> words)
    {
        ArgumentNullException.ThrowIfNull(words);
        var tokens = new int[words.Count];
        for (var i = 0; i < tokens.Length; i++)
        {
            tokens[i] = _table.Token(_lowercase ? words[i].ToLowerInvariant() : words[i], i, "word");
        }

        return tokens;
    }

    /// <inheritdoc/>
    public string TokenText(int token) => _table[token];

    /// <inheritdoc/>
    public bool TryGetToken(ReadOnlySpan<char> text, out int token) => _table.TryGetToken(text, out token);

    /// <inheritdoc/>
    public int[] Encode(ReadOnlySpan<char> text)
    {
        var lower = _lowercase ? text.ToString().ToLowerInvariant() : null;
        var reader = new WordReader(lower ?? text);
        var tokens = new List<int>();
        while (reader.MoveNext())
        {
            tokens.Add(_table.Token(reader.Current, reader.Position, "word"));
        }

        return [.. tokens];
    }

    /// <summary>Where the first token's part of a text ends.</summary>
    internal static int EndOfFirst(ReadOnlySpan<char> text)
    {
        var reader = new WordReader(text);
        return reader.MoveNext() ? reader.End : text.Length;
    }

    /// <inheritdoc/>
    public string Decode(params ReadOnlySpan<int> tokens)
    {
        var text = new WordJoiner();
        foreach (var token in tokens)
        {
            text.Append(_table.Text(token));
        }

        return text.ToString();
    }

    /// <inheritdoc/>
    public string Decode(IEnumerable<int> tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        return Decode([.. tokens]);
    }

    /// <inheritdoc/>
    public string ToMetadata() => Vocabulary.Describe(_table, _lowercase);

    private static void CountWords(ReadOnlySpan<char> text, WordVocabularyOptions options, Dictionary<string, long> counts)
    {
        var lower = options.Lowercase ? text.ToString().ToLowerInvariant() : null;
        var lookup = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var word in new WordReader(lower ?? text))
        {
            lookup.TryGetValue(word, out var count);
            lookup[word] = count + 1;
        }
    }

    private static WordVocabulary Of(Dictionary<string, long> counts, WordVocabularyOptions options)
    {
        var special = (options.Unknown ? 1 : 0) + (options.BeginAndEnd ? 2 : 0);
        var limit = options.MaxSize == 0 ? int.MaxValue : options.MaxSize - special;
        var words = counts
            .Where(pair => pair.Value >= options.MinCount)
            .OrderByDescending(pair => pair.Value)
            .ThenBy(pair => pair.Key, StringComparer.Ordinal)
            .Take(limit)
            .Select(pair => pair.Key);
        return new(new(options.Unknown, options.BeginAndEnd, words), options.Lowercase);
    }

    // Puts words together with the spaces that a reader expects.
    private sealed class WordJoiner
    {
        private const string Closing = ".,;:!?)]}%…’”»";
        private const string Opening = "([{“‘«$£€#";
        private readonly StringBuilder _text = new();
        private bool _tight = true;
        private bool _quoted;

        internal void Append(string word)
        {
            if (word.Length == 0)
            {
                return;
            }

            var single = word.Length == 1 ? word[0] : ' ';
            var opensQuote = single == '"' && !_quoted;
            if (single == '"')
            {
                _quoted = !_quoted;
            }

            var joins = single == '\n' || Closing.Contains(single, StringComparison.Ordinal) || (single == '"' && !opensQuote);
            if (!_tight && !joins)
            {
                _text.Append(' ');
            }

            _text.Append(word);
            _tight = single == '\n' || Opening.Contains(single, StringComparison.Ordinal) || opensQuote;
            _quoted &= single != '\n';
        }

        public override string ToString() => _text.ToString();
    }
}
