using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Models;

public sealed class SequenceTaggerTests
{
    private static readonly string[] Tags = ["D", "N", "V"];

    private static readonly string[][] Sentences =
        [["the", "fish", "swims"], ["a", "man", "can", "fish"], ["fish", "fish"], ["the", "can", "can", "swim", "the", "can"], ["go"]];

    private static readonly string[][] Right =
        [["D", "N", "V"], ["D", "N", "V", "V"], ["N", "V"], ["D", "N", "V", "V", "D", "N"], ["V"]];

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Gradients_are_those_of_finite_differences(bool field, bool characters)
    {
        var model = Make<double>(field, characters);
        var batch = All(model);
        Assert.Equal("[5, 6, 3]", model.Forward(batch).Shape.ToString());
        var check = GradientCheck.Run(model, () => model.Loss(batch));
        Assert.True(check.Passed, check.ToString());
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_few_sentences_are_learned_by_heart(bool field, bool characters)
    {
        var model = Make<float>(field, characters);
        var batches = model.Sentences(Sentences, Right, batchSize: 2, new RandomSource(1));
        await new Trainer<float>(model, new Adam<float> { LearningRate = 0.02 }).FitAsync(batches, batch => model.Loss(batch), epochs: 80);
        Assert.Equal(Right, Sentences.Select(model.Predict));
        var matrix = model.Score(model.Sentences(Sentences, Right, batchSize: 3));
        Assert.Equal((16L, 1.0), (matrix.Count, matrix.Accuracy));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_sentence_in_a_batch_is_as_alone(bool field)
    {
        var model = Make<double>(field, characters: true);
        var together = model.Predict(All(model));
        for (var i = 0; i < Sentences.Length; i++)
        {
            Assert.Equal(model.Predict(Sentences[i]), together[i].Select(tag => Tags[tag]));
        }

        Assert.Empty(model.Predict([]));
    }

    [Fact]
    public void Each_different_word_is_spelled_once()
    {
        var batch = All(Make<float>(false, characters: true));
        Assert.Equal(8, batch.Spellings!.Rows);
        Assert.Equal(batch.SpellingOf[1], batch.SpellingOf[9]);
        Assert.Equal([0, 1, 2, -100, -100, -100], batch.Tags[..6].ToArray());
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void It_is_saved_and_opened_by_one_call(bool field, bool characters)
    {
        var model = Make<float>(field, characters);
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        var opened = SequenceTagger<float>.Open(stream);
        Assert.Equal((field, characters, false), (opened.Field is not null, opened.Characters is not null, opened.IsTraining));
        Assert.Equal(model.Forward(All(model)).ToArray(), opened.Forward(All(opened)).ToArray());
    }

    [Fact]
    public void Dropped_words_are_read_as_unknown_in_training_alone()
    {
        var model = new SequenceTagger<float>(Words(), new Gru<float>(5, 4, new() { Seed = 1 }), Tags, new() { WordDropout = 0.5, Seed = 2 });
        var batch = All(model);
        Assert.NotEqual(model.Forward(batch).ToArray(), model.Forward(batch).ToArray());
        model.Evaluate();
        Assert.Equal(model.Forward(batch).ToArray(), model.Forward(batch).ToArray());
    }

    [Fact]
    public void Unknown_words_are_told_apart_by_their_characters()
    {
        var (words, characters) = (Make<float>(false, false), Make<float>(false, true));
        Assert.Equal(Scores(words, "zzz"), Scores(words, "qq"));
        Assert.NotEqual(Scores(characters, "fishes"), Scores(characters, "cans"));

        static float[] Scores(SequenceTagger<float> model, string word) => model.Forward(model.Sentences([[word]], null, 1).First()).ToArray();
    }

    [Fact]
    public void Wrong_inputs_are_named()
    {
        var model = Make<float>(false, characters: true);
        Assert.Contains("'X' is none of the tags", Assert.Throws<ArgumentException>(() => model.Sentences([["a"]], [["X"]], 1)).Message);
        Assert.Contains("expected 1 words in sentence 0", Assert.Throws<ArgumentException>(() => model.Sentences([["a"]], [["D", "N"]], 1)).Message);
        Assert.Contains("no spellings", Assert.Throws<ArgumentException>(() => model.Forward(SentenceBatch.Pad([[1]]))).Message);
        Assert.Contains("expected tags", Assert.Throws<ArgumentException>(() => model.Loss(SentenceBatch.Pad([[1]], [[[1]]]))).Message);
        Assert.Contains("comes twice", Assert.Throws<ArgumentException>(() => new SequenceTagger<float>(Words(), new Gru<float>(2, 2), ["a", "a"])).Message);
        Assert.Contains("InputSize above 6", Assert.Throws<ArgumentException>(() => new SequenceTagger<float>(
            Words(), Letters(), new Gru<float>(2, 6), new Gru<float>(6, 2), Tags)).Message);
        Assert.Contains("Unknown = true", Assert.Throws<ArgumentException>(() => new SequenceTagger<float>(
            WordVocabulary.FromWords(["a"], new() { Unknown = false }), new Gru<float>(2, 2), Tags, new() { WordDropout = 0.1 })).Message);
    }

    [Fact]
    public void Words_that_are_cut_already_make_a_vocabulary()
    {
        var vocabulary = WordVocabulary.FromWords(["don't", "Go", "go", "U.S.", "go"], new() { Lowercase = true });
        Assert.Equal(["<unk>", "go", "don't", "u.s."], Enumerable.Range(0, vocabulary.Count).Select(vocabulary.TokenText));
        Assert.Equal([1, 3, 0], vocabulary.EncodeWords(["GO", "U.S.", "nowhere"]));
        Assert.Contains("got none", Assert.Throws<ArgumentException>(() => WordVocabulary.FromWords([])).Message);
    }

    private static WordVocabulary Words() => WordVocabulary.FromWords(Sentences.SelectMany(sentence => sentence));

    private static CharVocabulary Letters() => CharVocabulary.FromText(string.Concat(Sentences.SelectMany(sentence => sentence)), new() { Unknown = true });

    private static SequenceTagger<T> Make<T>(bool field, bool characters)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var options = new SequenceTaggerOptions { ConditionalRandomField = field, Seed = 3 };
        var layer = new Gru<T>(7, 5, new() { Bidirectional = true, Seed = 1 });
        return characters
            ? new(Words(), Letters(), new Lstm<T>(3, 2, new() { Bidirectional = true, Seed = 2 }), layer, Tags, options)
            : new(Words(), layer, Tags, options);
    }

    private static SentenceBatch All<T>(SequenceTagger<T> model)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T> => SentenceBatch.Pad(
            [.. Sentences.Select(model.Words.EncodeWords)],
            model.Characters is { } characters ? [.. Sentences.Select(sentence => sentence.Select(word => characters.Encode(word)).ToArray())] : null,
            [.. Right.Select(tags => tags.Select(tag => Array.IndexOf(Tags, tag)).ToArray())]);

    [Fact]
    public void Sentences_without_tags_are_not_scored()
    {
        var model = Make<float>(field: false, characters: false);
        Assert.Contains("expected sentences with tags", Assert.Throws<ArgumentException>(() => model.Score(model.Sentences(Sentences, null, 2))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Word_dropout_is_part_of_what_a_checkpoint_compares()
    {
        Assert.NotEqual(Make(0.1), Make(0.2));
        static string Make(double dropout) => new SequenceTagger<float>(Words(), new Gru<float>(4, 5), Tags, new() { WordDropout = dropout }).Identity;
    }
}
