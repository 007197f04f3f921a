using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Models;

public class LanguageModelTests
{
    [Fact]
    public void Scores_are_those_of_its_three_layers()
    {
        var model = SmallModel(new() { Seed = 3 });
        int[,] tokens = { { 1, 0, 4 }, { 2, 2, 3 } };
        var output = model.Forward(tokens);
        var expected = model.Output.Forward(model.SequenceLayer.Forward(model.Embedding.Forward(tokens)));
        Assert.Equal([2, 3, 5], output.Logits.Shape);
        Assert.Equal(expected.ToArray(), output.Logits.ToArray());
        Assert.Equal(expected.ToArray(), model.Forward([1, 0, 4, 2, 2, 3], rows: 2).Logits.ToArray());
    }

    [Fact]
    public void State_is_carried_from_window_to_window()
    {
        var model = SmallModel();
        int[,] tokens = { { 1, 0, 4, 4, 3 }, { 2, 2, 3, 0, 1 } };
        var whole = model.Forward(tokens).Logits;
        var first = model.Forward(new[,] { { 1, 0 }, { 2, 2 } });
        var second = model.Forward(new[,] { { 4, 4, 3 }, { 3, 0, 1 } }, first.State.Detach());
        for (var row = 0; row < 2; row++)
        {
            for (var step = 0; step < 5; step++)
            {
                var part = step < 2 ? first.Logits.Row(row, step) : second.Logits.Row(row, step - 2);
                AssertClose(whole.Row(row, step), part, 1e-13);
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Gradients_agree_with_finite_differences(bool tied)
    {
        var model = new LanguageModel<double>(5, new Lstm<double>(3, 4, new() { ProjectionSize = tied ? 3 : 0, Seed = 1 }), new() { TieWeights = tied, Seed = 2 });
        int[] targets = [0, 4, 4, 1, 2, 3];
        var result = GradientCheck.Run(model, () => Loss.CrossEntropy(model.Forward([1, 0, 4, 2, 2, 3], rows: 2).Logits, targets));
        Assert.True(result.WorstError <= 1e-7, result.ToString());
    }

    [Fact]
    public void Tied_weights_are_one_parameter()
    {
        var model = new LanguageModel<float>(7, new Gru<float>(4, 4), new() { TieWeights = true });
        Assert.Same(model.Embedding.Weight, ((Linear<float>)model.Output).Weight);
        Assert.DoesNotContain("output.weight", model.NamedParameters.Select(pair => pair.Key));
        Assert.Contains("output.bias", model.NamedParameters.Select(pair => pair.Key));
        var error = Assert.Throws<ArgumentException>(() => new LanguageModel<float>(7, new Lstm<float>(4, 6), new() { TieWeights = true }));
        Assert.Contains("TieWeights: expected a layer whose OutputSize equals its InputSize (4)", error.Message, StringComparison.Ordinal);
        Assert.Contains("ProjectionSize 4", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Dropout_acts_in_training_only()
    {
        var model = SmallModel(new() { Dropout = 0.5, EmbeddingDropout = 0.25, Seed = 0 });
        int[,] tokens = { { 1, 0, 4 } };
        model.Evaluate();
        var expected = SmallModel().Forward(tokens).Logits.ToArray();
        Assert.Equal(expected, model.Forward(tokens).Logits.ToArray());
        model.Train();
        Assert.NotEqual(expected, model.Forward(tokens).Logits.ToArray());
    }

    [Fact]
    public void Impossible_models_are_refused()
    {
        Assert.Contains("would see it", Error(() => new LanguageModel<float>(5, new Lstm<float>(3, 4, new() { Bidirectional = true }))), StringComparison.Ordinal);
        Assert.Contains("would see it", Error(() => new LanguageModel<float>(5, new Lstm<float>(3, 4, new() { Reverse = true }))), StringComparison.Ordinal);
        Assert.Contains("vocabularySize: expected 1 or more but got 0", Error(() => new LanguageModel<float>(0, new Lstm<float>(3, 4))), StringComparison.Ordinal);
        Assert.Contains("Dropout: expected a number from 0 up to but not including 1 but got 1", Error(() => new LanguageModelOptions { Dropout = 1 }), StringComparison.Ordinal);
        Assert.Contains("EmbeddingDropout", Error(() => new LanguageModelOptions { EmbeddingDropout = -0.1 }), StringComparison.Ordinal);
        var model = SmallModel();
        Assert.Contains("Vocabulary: expected 5 tokens", Error(() => model.Vocabulary = CharVocabulary.FromText("abc")), StringComparison.Ordinal);
        Assert.Contains("5 tokens do not divide among 2 rows", Error(() => model.Forward([1, 2, 3, 4, 0], rows: 2)), StringComparison.Ordinal);
        Assert.Contains("expected 0 to 4", Error(() => model.Forward(new[,] { { 5 } })), StringComparison.Ordinal);
        static string Error(Func<object?> make) => Assert.ThrowsAny<ArgumentException>(make).Message;
    }

    [Fact]
    public void It_learns_a_sequence()
    {
        int[] tokens = [.. Enumerable.Range(0, 61).Select(i => i % 6 == 5 ? 4 : i % 3)];
        var model = new LanguageModel<float>(5, new Gru<float>(8, 16, new() { Seed = 1 }), new() { Seed = 1 });
        var optimizer = new Adam<float>(model) { LearningRate = 0.02 };
        for (var step = 0; step < 60; step++)
        {
            Loss.CrossEntropy(model.Forward(tokens.AsSpan(0, 60), rows: 1).Logits, tokens.AsSpan(1)).Backward();
            optimizer.Step();
            optimizer.ZeroGradients();
        }

        Assert.InRange(model.Score(tokens).Loss, 0, 0.05);
        Assert.Equal(tokens[6..30], model.Generate(tokens[..6], 24, new() { Temperature = 0 }));
    }

    internal static LanguageModel<double> SmallModel(LanguageModelOptions? options = null) =>
        new(5, new Lstm<double>(3, 4, new() { Layers = 2, Seed = 1 }), options ?? new() { Seed = 0 });

    internal static void AssertClose(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.InRange(actual[i], expected[i] - tolerance, expected[i] + tolerance);
        }
    }
}
