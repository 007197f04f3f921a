using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Tests.Models;

public class LanguageModelScoringTests
{
    private static readonly int[] Text = [.. Enumerable.Range(0, 130).Select(i => i * i * 7 % 11 % 5)];

    [Theory]
    [InlineData(2, 128)]
    [InlineData(4, 1)]
    [InlineData(38, 3)]
    [InlineData(130, 17)]
    [InlineData(130, 128)]
    public void One_stream_is_the_sum_over_the_whole_text(int length, int steps)
    {
        var model = LanguageModelTests.SmallModel();
        var tokens = Text[..length];
        var score = model.Score(tokens, new TextScoreOptions { Steps = steps });
        var expected = Expected(model, tokens);
        Assert.Equal(expected, score.NegativeLogLikelihood, 1e-11);
        Assert.Equal((length - 1, length - 1), (score.Tokens, score.Characters));
        Assert.Equal(expected / (length - 1), score.Loss, 1e-12);
        Assert.Equal(Math.Exp(expected / (length - 1)), score.Perplexity, 1e-10);
        Assert.Equal(expected / (length - 1) / Math.Log(2), score.BitsPerCharacter, 1e-12);
    }

    [Fact]
    public void Single_precision_agrees()
    {
        var model = new LanguageModel<float>(5, new Lstm<float>(3, 4, new() { Layers = 2, Seed = 1 }), new() { Seed = 0 });
        var tokens = Text;
        Assert.Equal(Expected(LanguageModelTests.SmallModel(), tokens), model.Score(tokens).NegativeLogLikelihood, 1e-4);
    }

    [Theory]
    [InlineData(2, 5)]
    [InlineData(3, 128)]
    [InlineData(37, 17)]
    [InlineData(1000, 2)]
    public void Segments_that_warm_up_on_everything_before_give_the_same(int streams, int steps)
    {
        var model = LanguageModelTests.SmallModel();
        var score = model.Score(Text, new TextScoreOptions { Segments = streams, WarmUp = 1000, Steps = steps });
        Assert.Equal(Expected(model, Text), score.NegativeLogLikelihood, 1e-11);
    }

    [Fact]
    public void Segments_without_warm_up_start_their_parts_from_nothing()
    {
        var model = LanguageModelTests.SmallModel();
        var score = model.Score(Text, new TextScoreOptions { Segments = 3, WarmUp = 0 });
        var expected = Expected(model, Text[..44]) + Expected(model, Text[43..87]) + Expected(model, Text[86..]);
        Assert.Equal(expected, score.NegativeLogLikelihood, 1e-11);
    }

    [Fact]
    public void A_learned_initial_state_is_the_start()
    {
        var model = new LanguageModel<double>(5, new Gru<double>(3, 4, new() { LearnedInitialState = true, Seed = 1 }), new() { Seed = 2 });
        var before = model.Score(Text).NegativeLogLikelihood;
        new RandomSource(1).FillNormal(model.NamedParameters.First(pair => pair.Key.Contains("initial", StringComparison.Ordinal)).Value.Value.AsSpan());
        var after = model.Score(Text, new TextScoreOptions { Steps = 7 }).NegativeLogLikelihood;
        Assert.NotEqual(before, after);
        Assert.Equal(Expected(model, Text), after, 1e-11);
    }

    [Fact]
    public void Scoring_leaves_the_mode_and_the_gradients_alone()
    {
        var model = LanguageModelTests.SmallModel(new() { Dropout = 0.5, Seed = 0 });
        Assert.True(model.IsTraining);
        var score = model.Score(Text);
        Assert.True(model.IsTraining);
        Assert.Equal(Expected(LanguageModelTests.SmallModel(), Text), score.NegativeLogLikelihood, 1e-11);
        Assert.All(model.Parameters, parameter => Assert.Null(parameter.Gradient));
        model.Evaluate();
        model.Score(Text);
        Assert.False(model.IsTraining);
    }

    [Fact]
    public void Texts_count_their_characters()
    {
        var vocabulary = WordVocabulary.FromText("the cat sat");
        var model = new LanguageModel<double>(vocabulary, new Gru<double>(3, 4));
        var score = model.Score("the cat sat");
        Assert.Equal((2, 8), (score.Tokens, score.Characters));
        Assert.Equal(score.NegativeLogLikelihood / 8 / Math.Log(2), score.BitsPerCharacter, 1e-12);
        Assert.Equal(model.Score(vocabulary.Encode("the cat sat")).NegativeLogLikelihood, score.NegativeLogLikelihood);
        Assert.Contains("has no Vocabulary", Assert.Throws<InvalidOperationException>(() => LanguageModelTests.SmallModel().Score("abc")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Impossible_texts_and_options_are_refused()
    {
        var model = LanguageModelTests.SmallModel();
        Assert.Contains("expected 2 tokens or more", Assert.Throws<ArgumentException>(() => model.Score([1])).Message, StringComparison.Ordinal);
        Assert.Contains("got 5", Assert.Throws<ArgumentException>(() => model.Score([1, 5, 2])).Message, StringComparison.Ordinal);
        Assert.True(model.IsTraining);
        Assert.Contains("Segments: expected 1 or more but got 0", Assert.Throws<ArgumentOutOfRangeException>(() => new TextScoreOptions { Segments = 0 }).Message, StringComparison.Ordinal);
        Assert.Contains("WarmUp", Assert.Throws<ArgumentOutOfRangeException>(() => new TextScoreOptions { WarmUp = -1 }).Message, StringComparison.Ordinal);
        Assert.Contains("Steps", Assert.Throws<ArgumentOutOfRangeException>(() => new TextScoreOptions { Steps = 0 }).Message, StringComparison.Ordinal);
        Assert.Throws<OperationCanceledException>(() => model.Score(Text, null, new CancellationToken(canceled: true)));
    }

    // The definition, from the scores of one run over the whole text.
    private static double Expected(LanguageModel<double> model, int[] tokens)
    {
        var logits = model.Forward(tokens.AsSpan(..^1), rows: 1).Logits;
        var sum = 0.0;
        for (var i = 1; i < tokens.Length; i++)
        {
            var row = logits.Row(0, i - 1).ToArray();
            sum += Math.Log(row.Sum(Math.Exp)) - row[tokens[i]];
        }

        return sum;
    }

    // The characters are those of the text behind what the first token stands for, whatever the token is called.
    [Theory]
    [InlineData("abcdefg", "Xabc", 3)]
    [InlineData("abcdefg", "aXYZ", 3)]
    [InlineData("abcdefg", "🦉a", 1)]
    [InlineData("abcdefg", "\uFEFFabc", 2)]
    [InlineData("ab🦉", "🦉🦉ab", 3)]
    public void Characters_are_those_of_the_text_that_was_predicted(string symbols, string text, long characters)
    {
        var vocabulary = CharVocabulary.FromText(symbols, new() { Unknown = true });
        var model = new LanguageModel<double>(vocabulary, new Gru<double>(3, 4, new() { Seed = 1 }), new() { Seed = 1 });
        var score = model.Score(text);
        Assert.Equal((characters, characters), (score.Characters, score.Tokens));
        Assert.Equal(score.NegativeLogLikelihood / characters / Math.Log(2), score.BitsPerCharacter, 1e-12);
    }

    [Theory]
    [InlineData("a cat", 1, 4)]
    [InlineData("the cat", 1, 4)]
    [InlineData("  the cat", 1, 4)]
    [InlineData("\t\n the cat", 2, 8)]
    [InlineData("\r\nthe cat", 2, 7)]
    [InlineData("Elephants sat", 1, 4)]
    [InlineData("\uFEFFthe cat", 1, 4)]
    [InlineData("the ! !", 2, 4)]
    public void Characters_of_words_are_those_behind_the_first(string text, long tokens, long characters)
    {
        var vocabulary = WordVocabulary.FromText("the cat sat\n");
        var model = new LanguageModel<double>(vocabulary, new Gru<double>(3, 4, new() { Seed = 1 }), new() { Seed = 1 });
        var score = model.Score(text);
        Assert.Equal((tokens, characters), (score.Tokens, score.Characters));
        Assert.InRange(score.BitsPerCharacter, 0.01, 100);
    }

    [Fact]
    public void A_vocabulary_of_ones_own_is_counted_by_its_symbols()
    {
        var model = new LanguageModel<double>(new Pairs(), new Gru<double>(3, 4, new() { Seed = 1 }), new() { Seed = 1 });
        Assert.Equal((2, 4), (model.Score("aabbaa").Tokens, model.Score("aabbaa").Characters));
        Assert.Equal(4, model.Score(" bbaabb").Characters);
        Assert.Equal(5, model.Score("??aabb").Characters);
    }

    [Fact]
    public void More_streams_than_an_array_holds_steps_take_fewer_steps()
    {
        var model = LanguageModelTests.SmallModel();
        var options = new TextScoreOptions { Segments = int.MaxValue, Steps = int.MaxValue, WarmUp = int.MaxValue };
        Assert.Equal(Expected(model, Text), model.Score(Text, options).NegativeLogLikelihood, 1e-11);
    }

    // aa and bb are tokens, everything else is unknown.
    private sealed class Pairs : IVocabulary
    {
        public int Count => 3;

        public int? Unknown => 2;

        public int? BeginOfSequence => null;

        public int? EndOfSequence => null;

        public string TokenText(int token) => token switch { 0 => "aa", 1 => "bb", _ => "<unknown>" };

        public bool TryGetToken(ReadOnlySpan<char> text, out int token)
        {
            token = text is "aa" ? 0 : 1;
            return text is "aa" or "bb";
        }

        public int[] Encode(ReadOnlySpan<char> text)
        {
            var trimmed = text.Trim().ToString();
            return [.. Enumerable.Range(0, trimmed.Length / 2).Select(i => TryGetToken(trimmed.AsSpan(2 * i, 2), out var token) ? token : 2)];
        }

        public string Decode(params ReadOnlySpan<int> tokens) => throw new NotSupportedException();

        public string Decode(IEnumerable<int> tokens) => throw new NotSupportedException();

        public string ToMetadata() => throw new NotSupportedException();
    }
}
