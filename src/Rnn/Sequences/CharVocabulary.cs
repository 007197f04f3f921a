using System.Text;
using Rnn.Formats;

namespace Rnn.Sequences;

/// <summary>
/// A vocabulary whose tokens are single characters: Unicode scalar values, so that a character beyond U+FFFF is one token and not two.
/// </summary>
/// <remarks>A byte order mark (U+FEFF) at the start of a text is a sign of the file and not part of the text: it is left out.</remarks>
/// <example>
/// <code>
/// var vocabulary = CharVocabulary.FromText(text);
/// int[] tokens = vocabulary.Encode(text);
/// string same = vocabulary.Decode(tokens);
/// </code>
/// </example>
public sealed class CharVocabulary : IVocabulary
{
    private const int DirectLength = 256;
    private readonly TokenTable _table;

    // The tokens of the most frequent characters; −1 for those that are not in the vocabulary.
    private readonly int[] _direct = new int[DirectLength];

    internal CharVocabulary(TokenTable table)
    {
        _table = table;
        foreach (var text in table.Ordinary)
        {
            if (Rune.DecodeFromUtf16(text, out _, out var length) != System.Buffers.OperationStatus.Done || length != text.Length)
            {
                throw new ArgumentException($"texts: {TokenTable.Quote(text)} is not a single character.", nameof(table));
            }
        }

        for (var i = 0; i < DirectLength; i++)
        {
            _direct[i] = table.TryGetToken([(char)i], out var token) ? token : -1;
        }
    }

    /// <inheritdoc/>
    public int Count => _table.Count;

    /// <inheritdoc/>
    public int? Unknown => _table.Unknown;

    /// <inheritdoc/>
    public int? BeginOfSequence => _table.Begin;

    /// <inheritdoc/>
    public int? EndOfSequence => _table.End;

    /// <summary>The vocabulary of all characters of a text, in the order of their code points.</summary>
    /// <param name="text">The text.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">The text is empty or holds half of a surrogate pair, or an option is impossible.</exception>
    public static CharVocabulary FromText(ReadOnlySpan<char> text, CharVocabularyOptions? options = null)
    {
        options ??= new();
        options.Check();
        var counts = new SortedDictionary<Rune, long>();
        CountCharacters(text[Vocabulary.MarkLength(text)..], nameof(text), counts);
        return Of(counts, options);
    }

    /// <summary>As <see cref="FromText(ReadOnlySpan{char}, CharVocabularyOptions)"/>, of a text that is read piece by piece.</summary>
    /// <param name="text">The text, read to its end and left open.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">The text is empty or holds half of a surrogate pair, or an option is impossible.</exception>
    public static CharVocabulary FromText(TextReader text, CharVocabularyOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        options ??= new();
        options.Check();
        var counts = new SortedDictionary<Rune, long>();
        var mark = true;
        foreach (var piece in TextPieces.Read(text))
        {
            CountCharacters(piece.Span[(mark ? Vocabulary.MarkLength(piece.Span) : 0)..], nameof(text), counts);
            mark = false;
        }

        return Of(counts, options);
    }

    /// <inheritdoc/>
    public string TokenText(int token) => _table[token];

    /// <inheritdoc/>
    public bool TryGetToken(ReadOnlySpan<char> text, out int token) => _table.TryGetToken(text, out token);

    /// <inheritdoc/>
    public int[] Encode(ReadOnlySpan<char> text)
    {
        var tokens = new int[text.Length];
        var count = 0;
        for (var position = Vocabulary.MarkLength(text); position < text.Length;)
        {
            var character = text[position];
            if (character < DirectLength && _direct[character] is >= 0 and var direct)
            {
                tokens[count++] = direct;
                position++;
                continue;
            }

            // Half of a surrogate pair is a character that no vocabulary has.
            _ = Rune.DecodeFromUtf16(text[position..], out _, out var length);
            tokens[count++] = _table.Token(text.Slice(position, length), position, "character");
            position += length;
        }

        return count == tokens.Length ? tokens : tokens[..count];
    }

    /// <summary>Where the first token's part of a text ends.</summary>
    internal static int EndOfFirst(ReadOnlySpan<char> text)
    {
        var start = Vocabulary.MarkLength(text);
        _ = Rune.DecodeFromUtf16(text[start..], out _, out var length);
        return start + length;
    }

    /// <inheritdoc/>
    public string Decode(params ReadOnlySpan<int> tokens)
    {
        var text = new StringBuilder(tokens.Length);
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
    public string ToMetadata() => Vocabulary.Describe(_table);

    private static void CountCharacters(ReadOnlySpan<char> text, string parameterName, SortedDictionary<Rune, long> counts)
    {
        UnicodeText.Check(text, parameterName, "the character");
        for (var position = 0; position < text.Length;)
        {
            _ = Rune.DecodeFromUtf16(text[position..], out var rune, out var length);
            counts[rune] = counts.GetValueOrDefault(rune) + 1;
            position += length;
        }
    }

    private static CharVocabulary Of(SortedDictionary<Rune, long> counts, CharVocabularyOptions options) => counts.Count > 0
        ? new(new(options.Unknown, options.BeginAndEnd, counts.Where(pair => pair.Value >= options.MinCount).Select(pair => pair.Key.ToString())))
        : throw Vocabulary.EmptyText();
}
