using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Models;

public sealed class SequenceClassifierTests
{
    private static readonly string[] Classes = ["even", "odd", "none"];
    private static readonly int[][] Sequences = [[1, 2, 3], [4], [], [2, 2, 0, 1, 3], [3, 1]];
    private static readonly int[] Labels = [0, 1, 2, 1, 0];

    public static TheoryData<PoolingKind, bool> Kinds()
    {
        var kinds = new TheoryData<PoolingKind, bool>();
        foreach (var kind in Enum.GetValues<PoolingKind>())
        {
            kinds.Add(kind, false);
            kinds.Add(kind, true);
        }

        return kinds;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Gradients_are_those_of_finite_differences(PoolingKind pooling, bool bidirectional)
    {
        var model = Make<double>(pooling, bidirectional);
        var batch = SequenceBatch.Pad(Sequences);
        Assert.Equal("[5, 3]", model.Forward(batch).Shape.ToString());
        var check = GradientCheck.Run(model, () => model.Loss(batch, Labels));
        Assert.True(check.Passed, check.ToString());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_sequence_in_a_batch_is_as_alone(PoolingKind pooling, bool bidirectional)
    {
        var model = Make<double>(pooling, bidirectional);
        var together = model.Classify(SequenceBatch.Pad(Sequences));
        for (var i = 0; i < Sequences.Length; i++)
        {
            var alone = model.Classify(Sequences[i]);
            Assert.Equal(alone.Class, together[i].Class);
            Assert.Equal(alone.Probabilities, together[i].Probabilities, (a, b) => Math.Abs(a - b) < 1e-14);
            Assert.Equal(1, alone.Probabilities.Sum(), 12);
            Assert.Equal((Classes[alone.Class], alone.Probabilities.Max()), (alone.Name, alone.Probability));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_few_sequences_are_learned_by_heart(PoolingKind pooling, bool bidirectional)
    {
        var model = Make<float>(pooling, bidirectional);
        var trainer = new Trainer<float>(model, new Adam<float> { LearningRate = 0.02 });
        var source = SequenceBatch.Bucket(Sequences, batchSize: 3, random: new RandomSource(1));
        await trainer.FitAsync(source, batch => model.Loss(batch, Labels), epochs: 150);
        Assert.Equal(Labels, Sequences.Select(sequence => model.Classify(sequence).Class));
        Assert.Equal(1, model.Score(SequenceBatch.Bucket(Sequences, batchSize: 2), Labels).Accuracy);
    }

    [Fact]
    public async Task Features_are_classified_without_an_embedding()
    {
        var random = new RandomSource(4);
        var sequences = Enumerable.Range(0, 24).Select(i => Tensor<float>.RandomNormal(random, i % 2 == 0 ? 0.5 : -0.5, 1, 8 + random.Next(5), 2)).ToArray();
        var labels = Enumerable.Range(0, 24).Select(i => i % 2).ToArray();
        var model = new SequenceClassifier<float>(new Gru<float>(2, 8, new() { Seed = 1 }), ["up", "down"], new() { Pooling = PoolingKind.Mean, InputDropout = 0.1, Dropout = 0.1, Seed = 2 });
        var source = FeatureBatch<float>.Bucket(sequences, batchSize: 8, random: new RandomSource(1));
        await new Trainer<float>(model, new Adam<float> { LearningRate = 0.02 }).FitAsync(source, batch => model.Loss(batch, labels), epochs: 60);
        var matrix = model.Score(FeatureBatch<float>.Bucket(sequences, batchSize: 5), labels);
        Assert.Equal((24L, true), (matrix.Count, matrix.Accuracy >= 0.95));
        Assert.Equal(model.Classify(sequences[3]).Probabilities, model.Classify(FeatureBatch<float>.Pad([sequences[3]]))[0].Probabilities);
    }

    [Fact]
    public void It_is_saved_and_opened_by_one_call()
    {
        var vocabulary = CharVocabulary.FromText("abcde");
        var model = new SequenceClassifier<float>(
            vocabulary, new Lstm<float>(4, 6, new() { Bidirectional = true, Seed = 1 }), Classes, new() { Pooling = PoolingKind.Attention, Dropout = 0.3, Seed = 2 });
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        var opened = SequenceClassifier<float>.Open(stream);
        Assert.Equal(Classes, opened.Classes);
        Assert.Equal((0.3, PoolingKind.Attention, false), (opened.Options.Dropout, opened.Options.Pooling, opened.IsTraining));
        Assert.Equal(model.Classify("cab").Probabilities, opened.Classify("cab").Probabilities);
        Assert.Equal(model.Classify("cab").ToString(), opened.Classify("cab").ToString());
        stream.Position = 0;
        Assert.Contains("not a language model", Assert.Throws<InvalidDataException>(() => LanguageModel<float>.Open(stream)).Message);
        using var other = new MemoryStream();
        new Linear<float>(2, 2).Save(other);
        other.Position = 0;
        Assert.Contains("is not a classifier that SequenceClassifier.Save wrote", Assert.Throws<InvalidDataException>(() => SequenceClassifier<float>.Open(other)).Message);
    }

    [Fact]
    public void Wrong_inputs_are_named()
    {
        var (tokens, features) = (Make<float>(PoolingKind.Last, false), new SequenceClassifier<float>(new Gru<float>(2, 3), Classes));
        Assert.Contains("reads tokens", Assert.Throws<InvalidOperationException>(() => tokens.Forward(Tensor<float>.Zeros(1, 2, 4))).Message);
        Assert.Contains("reads feature vectors", Assert.Throws<InvalidOperationException>(() => features.Forward(SequenceBatch.Pad(Sequences))).Message);
        Assert.Contains("no Vocabulary", Assert.Throws<InvalidOperationException>(() => tokens.Classify("text")).Message);
        Assert.Contains("InputSize (2)", Assert.Throws<ArgumentException>(() => features.Classify(Tensor<float>.Zeros(3, 5))).Message);
        Assert.Contains("got none", Assert.Throws<ArgumentException>(() => new SequenceClassifier<float>(new Gru<float>(2, 3), [])).Message);
        Assert.Contains("comes twice", Assert.Throws<ArgumentException>(() => new SequenceClassifier<float>(new Gru<float>(2, 3), ["a", "a"])).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new SequenceClassifier<float>(0, new Gru<float>(2, 3), Classes));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SequenceClassifierOptions { Dropout = 1 });
    }

    private static SequenceClassifier<T> Make<T>(PoolingKind pooling, bool bidirectional)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T> => new(
            vocabularySize: 5, new Gru<T>(4, 6, new() { Bidirectional = bidirectional, Seed = 1 }), Classes, new() { Pooling = pooling, Seed = 2 });
}
