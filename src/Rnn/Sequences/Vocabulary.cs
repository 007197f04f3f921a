using System.Text.Encodings.Web;
using System.Text.Json;

namespace Rnn.Sequences;

/// <summary>Saves vocabularies as text, opens them again, and encodes sequences with their begin and end tokens.</summary>
public static class Vocabulary
{
    private const string KindKey = "kind";
    private const string UnknownKey = "unknown";
    private const string BeginAndEndKey = "begin_and_end";
    private const string LowercaseKey = "lowercase";
    private const string TokensKey = "symbols";
    private const string Characters = "characters";
    private const string Words = "words";

    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The vocabulary that <see cref="IVocabulary.ToMetadata"/> described.</summary>
    /// <param name="text">The metadata.</param>
    /// <exception cref="InvalidDataException">The text is not the description of a vocabulary.</exception>
    public static IVocabulary FromMetadata(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        try
        {
            using var document = JsonDocument.Parse(text);
            var root = document.RootElement;
            var kind = root.GetProperty(KindKey).GetString();
            var unknown = root.GetProperty(UnknownKey).GetBoolean();
            var beginAndEnd = root.GetProperty(BeginAndEndKey).GetBoolean();
            var texts = root.GetProperty(TokensKey).EnumerateArray().Select(text => text.GetString() ?? throw new JsonException("a token is null")).ToList();
            return kind switch
            {
                Characters => new CharVocabulary(new(unknown, beginAndEnd, texts)),
                Words => new WordVocabulary(new(unknown, beginAndEnd, texts), root.GetProperty(LowercaseKey).GetBoolean()),
                _ => throw new JsonException($"the kind is '{kind}', not '{Characters}' or '{Words}'"),
            };
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException)
        {
            throw new InvalidDataException($"text: this is not the description of a vocabulary: {exception.Message}", exception);
        }
    }

    /// <summary>The tokens of a text between the vocabulary's begin and end tokens, where it has them.</summary>
    /// <param name="vocabulary">The vocabulary.</param>
    /// <param name="text">The text.</param>
    /// <exception cref="ArgumentException">A character or word is not in the vocabulary and there is no token for unknown ones.</exception>
    public static int[] EncodeSequence(this IVocabulary vocabulary, ReadOnlySpan<char> text)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        int[] inner = vocabulary.Encode(text);
        return [.. One(vocabulary.BeginOfSequence), .. inner, .. One(vocabulary.EndOfSequence)];
    }

    internal static string Describe(TokenTable table, bool? lowercase = null)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Writing))
        {
            writer.WriteStartObject();
            writer.WriteString(KindKey, lowercase is null ? Characters : Words);
            writer.WriteBoolean(UnknownKey, table.Unknown is not null);
            writer.WriteBoolean(BeginAndEndKey, table.Begin is not null);
            if (lowercase is { } value)
            {
                writer.WriteBoolean(LowercaseKey, value);
            }

            writer.WriteStartArray(TokensKey);
            foreach (var text in table.Ordinary)
            {
                writer.WriteStringValue(text);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    /// <summary>The length of the byte order mark at the start of a text that was read from a file with it: 0 or 1.</summary>
    internal static int MarkLength(ReadOnlySpan<char> text) => text.StartsWith('\uFEFF') ? 1 : 0;

    /// <summary>Where in a text the part ends that its first token stands for.</summary>
    internal static int EndOfFirst(IVocabulary vocabulary, ReadOnlySpan<char> text, int first)
    {
        if (vocabulary is CharVocabulary)
        {
            return CharVocabulary.EndOfFirst(text);
        }

        if (vocabulary is WordVocabulary)
        {
            return WordVocabulary.EndOfFirst(text);
        }

        // A vocabulary of the user's: where the token's own text stands in it, else, as for an unknown one, behind one character.
        var part = vocabulary.TokenText(first);
        var place = first == vocabulary.Unknown ? -1 : text.IndexOf(part, StringComparison.Ordinal);
        return place >= 0 ? place + part.Length : CharVocabulary.EndOfFirst(text);
    }

    internal static ArgumentException EmptyText() =>
        new("text: expected a text with at least one character or word but got an empty one; a vocabulary is made of what its text holds.", "text");

    private static int[] One(int? token) => token is { } value ? [value] : [];
}
