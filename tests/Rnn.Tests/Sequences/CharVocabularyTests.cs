using Rnn.Sequences;

namespace Rnn.Tests.Sequences;

public class CharVocabularyTests
{
    [Fact]
    public void Characters_come_in_the_order_of_their_code_points()
    {
        var vocabulary = CharVocabulary.FromText("hello, world\n");
        Assert.Equal("\n ,dehlorw", string.Concat(Enumerable.Range(0, vocabulary.Count).Select(vocabulary.TokenText)));
        Assert.Equal([5, 4, 6, 6, 7], vocabulary.Encode("hello"));
        Assert.Equal("hello", vocabulary.Decode([5, 4, 6, 6, 7]));
        Assert.Equal("hello", vocabulary.Decode(new List<int> { 5, 4, 6, 6, 7 }));
        Assert.Null(vocabulary.Unknown);
        Assert.Null(vocabulary.BeginOfSequence);
    }

    [Fact]
    public void Characters_beyond_the_basic_plane_are_one_token()
    {
        const string text = "aé\u0301漢🦉𝄞b";
        var vocabulary = CharVocabulary.FromText(text);
        Assert.Equal(7, vocabulary.Count);
        var tokens = vocabulary.Encode(text);
        Assert.Equal([0, 2, 3, 4, 6, 5, 1], tokens);
        Assert.Equal(text, vocabulary.Decode(tokens));
        Assert.Equal("🦉", vocabulary.TokenText(6));
    }

    // Below U+0100 tokens come from a table.
    [Fact]
    public void Characters_around_the_end_of_the_table_have_their_own_tokens()
    {
        var vocabulary = CharVocabulary.FromText("\0þÿĀā");
        Assert.Equal([0, 1, 2, 3, 4], vocabulary.Encode("\0þÿĀā"));
        Assert.Contains("'ý' at position 1", Assert.Throws<ArgumentException>(() => vocabulary.Encode("ÿý")).Message, StringComparison.Ordinal);
        Assert.Contains("'Ă' at position 1", Assert.Throws<ArgumentException>(() => vocabulary.Encode("ĀĂ")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_characters_are_an_error_that_names_them()
    {
        var vocabulary = CharVocabulary.FromText("abc");
        var error = Assert.Throws<ArgumentException>(() => vocabulary.Encode("abxc"));
        Assert.Contains("'x' at position 2 is not among the 3 tokens", error.Message, StringComparison.Ordinal);
        Assert.Contains("'🦉' at position 1", Assert.Throws<ArgumentException>(() => vocabulary.Encode("a🦉")).Message, StringComparison.Ordinal);
        Assert.Contains("'U+0009'", Assert.Throws<ArgumentException>(() => vocabulary.Encode("\t")).Message, StringComparison.Ordinal);
        Assert.Contains("'U+D83E'", Assert.Throws<ArgumentException>(() => vocabulary.Encode("🦉".AsSpan(0, 1))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_characters_become_the_unknown_token_where_there_is_one()
    {
        var vocabulary = CharVocabulary.FromText("aaabbc", new() { Unknown = true, MinCount = 2 });
        Assert.Equal(3, vocabulary.Count);
        Assert.Equal(0, vocabulary.Unknown);
        Assert.Equal([1, 0, 2, 0, 0], vocabulary.Encode("acb🦉" + "🦉"[1..]));
        Assert.Equal("a\uFFFDb", vocabulary.Decode([1, 0, 2]));
        Assert.Equal("<unk>", vocabulary.TokenText(0));
        Assert.Equal(vocabulary.Encode("aab"), vocabulary.EncodeSequence("aab"));
    }

    [Fact]
    public void Sequences_have_a_begin_and_an_end()
    {
        var vocabulary = CharVocabulary.FromText("ab", new() { BeginAndEnd = true });
        Assert.Equal((0, 1), (vocabulary.BeginOfSequence, vocabulary.EndOfSequence));
        Assert.Equal([0, 2, 3, 2, 1], vocabulary.EncodeSequence("aba"));
        Assert.Equal("aba", vocabulary.Decode([0, 2, 3, 2, 1]));
        Assert.True(vocabulary.TryGetToken("</s>", out var token));
        Assert.Equal(1, token);
        Assert.False(vocabulary.TryGetToken("x", out _));
    }

    [Fact]
    public void Tokens_out_of_range_are_refused()
    {
        var vocabulary = CharVocabulary.FromText("abc");
        Assert.Contains("expected a token from 0 to 2 but got 3", Assert.Throws<ArgumentOutOfRangeException>(() => vocabulary.Decode([3])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => vocabulary.Decode([-1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => vocabulary.TokenText(17));
    }

    [Fact]
    public void Impossible_texts_and_options_are_refused()
    {
        Assert.Contains("empty", Assert.Throws<ArgumentException>(() => CharVocabulary.FromText("")).Message, StringComparison.Ordinal);
        Assert.Contains("U+D83E at position 1 is half of a surrogate pair", Assert.Throws<ArgumentException>(() => CharVocabulary.FromText("a" + "🦉"[..1])).Message, StringComparison.Ordinal);
        Assert.Contains("MinCount: expected 1 or more but got 0", Assert.Throws<ArgumentOutOfRangeException>(() => new CharVocabularyOptions { MinCount = 0 }).Message, StringComparison.Ordinal);
        Assert.Contains("set Unknown to true", Assert.Throws<ArgumentException>(() => CharVocabulary.FromText("a", new() { MinCount = 2 })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Metadata_restores_the_vocabulary(bool unknown, bool beginAndEnd)
    {
        const string text = "a\"\\\n\0\u2028é🦉<b>";
        var vocabulary = CharVocabulary.FromText(text, new() { Unknown = unknown, BeginAndEnd = beginAndEnd });
        var restored = Assert.IsType<CharVocabulary>(Vocabulary.FromMetadata(vocabulary.ToMetadata()));
        Assert.Equal(vocabulary.Count, restored.Count);
        Assert.Equal((vocabulary.Unknown, vocabulary.BeginOfSequence, vocabulary.EndOfSequence), (restored.Unknown, restored.BeginOfSequence, restored.EndOfSequence));
        Assert.Equal(vocabulary.EncodeSequence(text), restored.EncodeSequence(text));
        Assert.Equal(text, restored.Decode(vocabulary.EncodeSequence(text)));
        Assert.Equal(vocabulary.ToMetadata(), restored.ToMetadata());
    }

    [Theory]
    [InlineData("")]
    [InlineData("hello")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("""{"kind":"bytes","unknown":false,"begin_and_end":false,"symbols":[]}""")]
    [InlineData("""{"kind":"characters","unknown":false,"begin_and_end":false,"symbols":["ab"]}""")]
    [InlineData("""{"kind":"characters","unknown":false,"begin_and_end":false,"symbols":["a","a"]}""")]
    [InlineData("""{"kind":"characters","unknown":false,"begin_and_end":false,"symbols":[null]}""")]
    [InlineData("""{"kind":"characters","unknown":1,"begin_and_end":false,"symbols":["a"]}""")]
    [InlineData("""{"kind":"words","unknown":true,"begin_and_end":false,"symbols":["a"]}""")]
    public void Foreign_metadata_is_refused(string text) =>
        Assert.Contains("not the description of a vocabulary", Assert.Throws<InvalidDataException>(() => Vocabulary.FromMetadata(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_byte_order_mark_at_the_start_is_not_part_of_the_text()
    {
        var vocabulary = CharVocabulary.FromText("\uFEFFabc");
        Assert.Equal(3, vocabulary.Count);
        Assert.Equal([0, 2], vocabulary.Encode("\uFEFFac"));
        Assert.Equal(vocabulary.ToMetadata(), CharVocabulary.FromText("abc").ToMetadata());
        Assert.Contains("at position 1", Assert.Throws<ArgumentException>(() => vocabulary.Encode("a\uFEFF")).Message, StringComparison.Ordinal);
        Assert.Contains("'x' at position 1", Assert.Throws<ArgumentException>(() => vocabulary.Encode("\uFEFFx")).Message, StringComparison.Ordinal);
        Assert.Contains("empty", Assert.Throws<ArgumentException>(() => CharVocabulary.FromText("\uFEFF")).Message, StringComparison.Ordinal);

        // Elsewhere it is a character of the text as any other.
        Assert.Equal([0, 1, 0], CharVocabulary.FromText("a\uFEFFa").Encode("a\uFEFFa"));
    }
}
