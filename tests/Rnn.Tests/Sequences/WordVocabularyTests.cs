using Rnn.Sequences;

namespace Rnn.Tests.Sequences;

public class WordVocabularyTests
{
    [Theory]
    [InlineData("The cat sat.", "The|cat|sat|.")]
    [InlineData("don't stop - well-known, 3.14 or 1,000!", "don't|stop|-|well-known|,|3.14|or|1,000|!")]
    [InlineData("a\r\nb\n\nc\td", "a|\n|b|\n|\n|c|d")]
    [InlineData("'quoted' end.5 x_1", "'|quoted|'|end|.|5|x_1")]
    [InlineData("dogs' -- 7.", "dogs|'|-|-|7|.")]
    [InlineData("naïve e\u0301té 漢字🦉!?", "naïve|e\u0301té|漢字|🦉|!|?")]
    [InlineData("a’b’", "a’b|’")]
    [InlineData("", "")]
    [InlineData(" \t ", "")]
    public void Text_splits_into_words_marks_and_line_ends(string text, string expected)
    {
        var words = new List<string>();
        foreach (var word in new WordReader(text))
        {
            words.Add(word.ToString());
        }

        Assert.Equal(expected.Length == 0 ? [] : expected.Split('|'), words);
    }

    [Fact]
    public void Frequent_words_come_first_and_equals_in_the_order_of_their_code_units()
    {
        var vocabulary = WordVocabulary.FromText("b a b c a b . A");
        Assert.Equal(["<unk>", "b", "a", ".", "A", "c"], Enumerable.Range(0, vocabulary.Count).Select(vocabulary.TokenText));
        Assert.Equal([1, 2, 0, 3], vocabulary.Encode("b a dog."));
        Assert.Equal("b a \uFFFD.", vocabulary.Decode(vocabulary.Encode("b a dog.")));
    }

    [Fact]
    public void Size_and_count_limit_the_words()
    {
        Assert.Equal(["<unk>", "<s>", "</s>", "b", "a"], Texts(new() { BeginAndEnd = true, MaxSize = 5 }));
        Assert.Equal(["<unk>", "b", "a"], Texts(new() { MinCount = 2 }));
        Assert.Equal(["b", "a", ".", "A", "c"], Texts(new() { Unknown = false }));
        Assert.Equal(["<unk>", "a", "b", ".", "c"], Texts(new() { Lowercase = true }));
        static IEnumerable<string> Texts(WordVocabularyOptions options)
        {
            var vocabulary = WordVocabulary.FromText("b a b c a b . A", options);
            return Enumerable.Range(0, vocabulary.Count).Select(vocabulary.TokenText);
        }
    }

    [Fact]
    public void Lower_case_holds_for_encoding_too()
    {
        var vocabulary = WordVocabulary.FromText("The CAT", new() { Lowercase = true, Unknown = false });
        Assert.Equal(vocabulary.Encode("the cat"), vocabulary.Encode("THE Cat"));
        var restored = Vocabulary.FromMetadata(vocabulary.ToMetadata());
        Assert.Equal(vocabulary.Encode("the cat"), restored.Encode("THE Cat"));
    }

    [Theory]
    [InlineData("The cat (black) sat: \"Oh, no!\" it said.\nThen 5% of $3 left… \"Ah\".")]
    [InlineData("KING: [aside] a, b; c\n\nEND")]
    public void Decoding_puts_spaces_where_a_reader_expects_them(string text)
    {
        var vocabulary = WordVocabulary.FromText(text);
        Assert.Equal(text, vocabulary.Decode(vocabulary.Encode(text)));
        Assert.Equal(text, vocabulary.Decode(vocabulary.Encode(text).AsEnumerable()));
    }

    [Fact]
    public void Decoded_text_has_the_same_tokens()
    {
        const string text = "'tis - a  well-known \"fact\" , isn't it ?\t( yes ) \" odd";
        var vocabulary = WordVocabulary.FromText(text);
        Assert.Equal(vocabulary.Encode(text), vocabulary.Encode(vocabulary.Decode(vocabulary.Encode(text))));
    }

    [Fact]
    public void Words_that_read_like_special_tokens_are_ordinary_or_unknown()
    {
        var vocabulary = WordVocabulary.FromText("a <unk> b", new() { BeginAndEnd = true });
        Assert.Equal(["<", "unk", ">"], vocabulary.Encode("<unk>").Select(vocabulary.TokenText));
    }

    [Fact]
    public void Errors_name_what_is_wrong()
    {
        var vocabulary = WordVocabulary.FromText("a b", new() { Unknown = false });
        Assert.Contains("the word 'dog' at position 2 is not among the 2 tokens", Assert.Throws<ArgumentException>(() => vocabulary.Encode("a dog")).Message, StringComparison.Ordinal);
        Assert.Contains("empty", Assert.Throws<ArgumentException>(() => WordVocabulary.FromText(" \t")).Message, StringComparison.Ordinal);
        Assert.Contains("MaxSize: expected 0", Assert.Throws<ArgumentOutOfRangeException>(() => new WordVocabularyOptions { MaxSize = -1 }).Message, StringComparison.Ordinal);
        Assert.Contains("more than the 3 special tokens", Assert.Throws<ArgumentException>(() => WordVocabulary.FromText("a", new() { MaxSize = 3, BeginAndEnd = true })).Message, StringComparison.Ordinal);
        Assert.Contains("set Unknown to true", Assert.Throws<ArgumentException>(() => WordVocabulary.FromText("a", new() { MaxSize = 3, Unknown = false })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\uFEFFthe cat", "the|cat")]
    [InlineData("the \uFEFFcat", "the|cat")]
    [InlineData("a\u200Bb \u200E c\u2060d", "a|b|c|d")]
    [InlineData("soft\u00ADware می\u200Cخواهم क्\u200Dष", "soft\u00ADware|می\u200Cخواهم|क्\u200Dष")]
    [InlineData("\u00ADa b\u00AD", "a|b")]
    [InlineData("❤\uFE0F! a\uFE0Fb \uFE0F x", "❤\uFE0F|!|a\uFE0Fb|x")]
    [InlineData("!\u0301? \u0301e", "!\u0301|?|\u0301e")]
    [InlineData("👩\u200D💻", "👩|💻")]
    public void No_token_is_invisible(string text, string expected)
    {
        var vocabulary = WordVocabulary.FromText(text);
        Assert.Equal(expected.Split('|'), vocabulary.Encode(text).Select(vocabulary.TokenText));
    }

    [Fact]
    public void A_byte_order_mark_alone_is_an_empty_text()
    {
        Assert.Contains("empty", Assert.Throws<ArgumentException>(() => WordVocabulary.FromText("\uFEFF")).Message, StringComparison.Ordinal);
        Assert.Empty(WordVocabulary.FromText("a").Encode("\uFEFF"));
    }

    [Theory]
    [InlineData("a < b < c", "U+D83E at position 2")]
    [InlineData(">", "U+DD89 at position 0")]
    [InlineData("🦉<", "U+D83E at position 2")]
    [InlineData("🦉>🦉", "U+DD89 at position 2")]
    public void Half_of_a_surrogate_pair_is_refused_when_the_vocabulary_is_made(string text, string message)
    {
        // The halves of an owl; the test's arguments themselves must be text that can be kept.
        text = text.Replace('<', '\ud83e').Replace('>', '\udd89');
        Assert.Contains(message, Assert.Throws<ArgumentException>(() => WordVocabulary.FromText(text)).Message, StringComparison.Ordinal);
        Assert.Contains(message, Assert.Throws<ArgumentException>(() => CharVocabulary.FromText(text)).Message, StringComparison.Ordinal);

        // An explicit list of symbols.
        Assert.Contains("half of a surrogate pair", Assert.Throws<ArgumentException>(() => new TokenTable(false, false, ["a", text])).Message, StringComparison.Ordinal);

        // In a text to encode it is a symbol that no vocabulary has.
        Assert.Contains(0, WordVocabulary.FromText("a b").Encode(text));
        Assert.Throws<ArgumentException>(() => WordVocabulary.FromText("a b c 🦉", new() { Unknown = false }).Encode(text));
    }

    [Fact]
    public void Empty_symbols_are_refused() =>
        Assert.Contains("token 1 is empty", Assert.Throws<ArgumentException>(() => new TokenTable(true, false, ["a", ""])).Message, StringComparison.Ordinal);
}
