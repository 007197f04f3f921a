using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Models;

public sealed class AdaptiveLanguageModelTests
{
    private static readonly LanguageModelOptions Options = new() { AdaptiveSoftmax = new() { Cutoffs = [3, 5], ProjectionDivisor = 2 }, Seed = 1 };
    private static readonly int[] Tokens = [.. Enumerable.Range(0, 61).Select(i => i % 6 == 5 ? 4 : i % 7)];

    [Fact]
    public async Task It_learns_a_sequence_and_writes_it()
    {
        var model = new LanguageModel<float>(7, new Gru<float>(8, 16, new() { Seed = 1 }), Options);
        var trainer = new Trainer<float>(model, new Adam<float> { LearningRate = 0.02 }) { BatchSize = 1, SequenceLength = 60 };
        var result = await trainer.FitAsync(Tokens, Tokens, epochs: 150);
        Assert.Equal(150, result.Updates);
        var score = model.Score(Tokens);
        Assert.InRange(score.Loss, 0, 0.05);
        Assert.Equal(score.Loss, result.ValidationLoss!.Value, 5);
        Assert.Equal(Tokens[8..30], model.Generate(Tokens[..8], 22, new() { Temperature = 0 }));
    }

    [Fact]
    public void Streams_steppers_beams_and_scores_read_one_distribution()
    {
        var model = new LanguageModel<double>(7, new Lstm<double>(4, 9, new() { Seed = 1 }), Options);
        var logits = model.Forward(Tokens, rows: 1).Logits;
        var (stream, stepper, scores) = (model.CreateStream(), model.CreateTokenStepper(2), new double[14]);
        var sum = 0.0;
        for (var t = 0; t < Tokens.Length - 1; t++)
        {
            var expected = Enumerable.Range(0, 7).Select(c => logits[0, t, c]).ToArray();
            Assert.Equal(1, expected.Sum(Math.Exp), 12);
            sum -= expected[Tokens[t + 1]];
            LanguageModelTests.AssertClose(expected, stream.Step(Tokens[t]), 1e-12);
            stepper.Step([Tokens[t], Tokens[t]], scores);
            LanguageModelTests.AssertClose(expected, scores.AsSpan(0, 7), 1e-12);
            LanguageModelTests.AssertClose(expected, scores.AsSpan(7), 1e-12);
        }

        Assert.Equal(sum, model.Score(Tokens, new TextScoreOptions { Steps = 13 }).NegativeLogLikelihood, 1e-10);
        var all = BeamSearch.Run(model.CreateTokenStepper(), [1], new() { Width = 400, MaximumLength = 3 })[0];
        Assert.Equal(343, all.Length);
        Assert.Equal(1, all.Sum(one => Math.Exp(one.LogProbability)), 10);
    }

    [Fact]
    public void A_step_allocates_nothing()
    {
        var model = new LanguageModel<float>(7, new Gru<float>(5, 9, new() { Seed = 1 }), Options);
        var (stepper, logits, tokens, stream) = (model.CreateTokenStepper(2), new float[14], new[] { 1, 2 }, model.CreateStream());
        stepper.Step(tokens, logits);
        stream.Step(1);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var t = 0; t < 100; t++)
        {
            stepper.Step(tokens, logits);
            stream.Step(1);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void It_comes_back_from_a_file()
    {
        var vocabulary = WordVocabulary.FromText("the cat saw the dog and the dog saw the cat");
        var model = new LanguageModel<double>(vocabulary, new Gru<double>(4, 6), Options);
        using var file = new MemoryStream();
        model.Save(file);
        file.Position = 0;
        var opened = LanguageModel<double>.Open(file);
        Assert.Equal([3, 5], ((AdaptiveSoftmax<double>)opened.Output).Cutoffs.ToArray());
        Assert.Equal(model.Score("the dog saw the cat"), opened.Score("the dog saw the cat"));
    }

    [Fact]
    public void Tied_weights_and_wrong_cutoffs_are_refused()
    {
        var tied = Assert.Throws<ArgumentException>(() => new LanguageModel<float>(7, new Gru<float>(4, 4), Options with { TieWeights = true }));
        Assert.Contains("AdaptiveSoftmax: its clusters", tied.Message, StringComparison.Ordinal);
        var wrong = Assert.Throws<ArgumentException>(() => new LanguageModel<float>(5, new Gru<float>(4, 4), Options));
        Assert.Contains("below 5, the number of classes, but got [3, 5]", wrong.Message, StringComparison.Ordinal);
    }
}
