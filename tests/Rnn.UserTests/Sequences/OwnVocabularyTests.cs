using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;

namespace Rnn.UserTests.Sequences;

/// <summary>A vocabulary of the user's with the three members that it must have.</summary>
public sealed class OwnVocabularyTests
{
    private sealed class Letters : IVocabulary
    {
        public int Count => 3;

        public int[] Encode(ReadOnlySpan<char> text) => Array.ConvertAll(text.ToArray(), letter => letter is >= 'a' and <= 'c' ? letter - 'a' : throw new ArgumentException($"{letter}"));

        public string Decode(params ReadOnlySpan<int> tokens) => string.Concat(tokens.ToArray().Select(token => (char)('a' + token)));
    }

    [Fact]
    public void The_other_members_follow()
    {
        IVocabulary vocabulary = new Letters();
        Assert.Equal((null, null, null), (vocabulary.Unknown, vocabulary.BeginOfSequence, vocabulary.EndOfSequence));
        Assert.Equal("b", vocabulary.TokenText(1));
        Assert.Equal("cab", vocabulary.Decode(new List<int> { 2, 0, 1 }));
        Assert.True(vocabulary.TryGetToken("c", out var token));
        Assert.Equal(2, token);
        Assert.False(vocabulary.TryGetToken("ab", out _));
        Assert.False(vocabulary.TryGetToken("x", out _));
        Assert.Equal([0, 1], vocabulary.EncodeSequence("ab"));
        Assert.Null(vocabulary.ToMetadata());
    }

    [Fact]
    public void A_model_reads_and_writes_with_it_and_is_given_it_again_when_it_is_opened()
    {
        var model = new LanguageModel<float>(new Letters(), new Gru<float>(3, 4));
        using var file = new MemoryStream();
        model.Save(file);
        file.Position = 0;
        var opened = LanguageModel<float>.Open(file);
        Assert.Null(opened.Vocabulary);
        opened.Vocabulary = new Letters();
        Assert.Equal(model.Score("abcab"), opened.Score("abcab"));
        Assert.Equal(4, opened.Generate("ab", 4).Length);
    }

    [Fact]
    public void A_model_that_cannot_be_without_one_says_so_when_it_is_opened()
    {
        var model = new EncoderDecoder<float>(new Letters(), CharVocabulary.FromText("xyz", new() { BeginAndEnd = true }), new Gru<float>(3, 4), new Gru<float>(3, 4));
        using var file = new MemoryStream();
        model.Save(file);
        file.Position = 0;
        Assert.Contains("IVocabulary.ToMetadata", Assert.Throws<InvalidDataException>(() => EncoderDecoder<float>.Open(file)).Message, StringComparison.Ordinal);
    }
}
