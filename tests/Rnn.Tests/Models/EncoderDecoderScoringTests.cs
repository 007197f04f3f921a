using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Models;

public sealed class EncoderDecoderScoringTests
{
    private static readonly CharVocabulary Source = CharVocabulary.FromText("abcd");
    private static readonly CharVocabulary Target = CharVocabulary.FromText("abcd", new() { BeginAndEnd = true, Unknown = true });
    private static readonly string[] Sources = ["abc", "d", "bbda", "ca"];
    private static readonly string[] Targets = ["cba", "d", "adbb", "ac"];

    [Fact]
    public async Task What_is_learned_by_heart_scores_full_marks_and_one_wrong_reference_costs_its_part()
    {
        var model = Make<float>();
        var trainer = new Trainer<float>(model, new Adam<float> { LearningRate = 0.03 });
        await trainer.FitAsync(model.Pairs(Sources, Targets, batchSize: 2, new RandomSource(1)), batch => model.Loss(batch), epochs: 120);
        var options = new BeamSearchOptions { Width = 2, MaximumLength = 8 };
        var score = model.Score(Sources, Targets, options);
        Assert.Equal((4, 4, 1.0, 0.0, 14L), (score.Count, score.Exact, score.Accuracy, score.ErrorRate, score.Tokens));
        Assert.Equal(Targets, score.Texts);
        Assert.Equal(Targets, score.Hypotheses.Select(hypothesis => Target.Decode(hypothesis.Tokens)));
        Assert.InRange(score.Loss, 0, 0.2);
        Assert.Equal(100, score.Bleu.Score, 9);
        Assert.StartsWith("exact 100.0 %, error rate 0.0 %", score.ToString());

        // The third of four differs in one of the ten characters that are right.
        var other = model.Score(Sources, ["cba", "d", "adbc", "ac"], options);
        Assert.Equal((3, 0.75, 0.1), (other.Exact, other.Accuracy, other.ErrorRate));

        // A second reference mends it; of the two it is the closer one.
        var mended = model.Score(Sources, [["cba"], ["d", "dd"], ["adbc", "adbb"], ["ac"]], options);
        Assert.Equal((4, 0.0, 22L), (mended.Exact, mended.ErrorRate, mended.Tokens));
    }

    [Fact]
    public void The_loss_is_the_mean_over_the_tokens_of_all_references()
    {
        var model = Make<double>();
        var score = model.Score(Sources, Targets, new() { Width = 1, MaximumLength = 5 });
        var (sum, tokens) = (0.0, 0);
        for (var i = 0; i < Sources.Length; i++)
        {
            var batch = SequencePairBatch.Pad([Source.Encode(Sources[i])], [Target.Encode(Targets[i])], model.Begin, model.End);
            sum += model.Loss(batch).Item() * (Targets[i].Length + 1);
            tokens += Targets[i].Length + 1;
            Assert.Equal(Targets[i].Length + 1, batch.TargetTokens);
        }

        Assert.Equal(sum / tokens, score.Loss, 12);
        Assert.Equal(Math.Exp(score.Loss), score.Perplexity, 12);
        Assert.Equal(model.Translate(Sources, new() { Width = 1, MaximumLength = 5 }), score.Texts);
        Assert.True(model.IsTraining);
    }

    [Fact]
    public async Task An_unknown_token_is_never_right()
    {
        var model = Make<float>();
        var trainer = new Trainer<float>(model, new Adam<float> { LearningRate = 0.03 });
        string[] targets = ["cba", "?", "adbb", "ac"];
        await trainer.FitAsync(model.Pairs(Sources, targets, batchSize: 2, new RandomSource(1)), batch => model.Loss(batch), epochs: 120);
        var score = model.Score(Sources, targets, new() { Width = 1, MaximumLength = 8 });
        Assert.Equal("\uFFFD", score.Texts[1]);
        Assert.Equal((3, 0.1), (score.Exact, score.ErrorRate));
    }

    [Fact]
    public void Empty_references_and_wrong_inputs_are_named()
    {
        var model = Make<float>();
        Assert.Contains("1 sources and references of 2", Assert.Throws<ArgumentException>(() => model.Score(["a"], ["a", "b"])).Message);
        Assert.Contains("0 sources", Assert.Throws<ArgumentException>(() => model.Score([], Array.Empty<string>())).Message);
        Assert.Contains("source 1 has none", Assert.Throws<ArgumentException>(() => model.Score(["a", "b"], [["a"], []])).Message);
        Assert.Throws<OperationCanceledException>(() => model.Score(Sources, Targets, cancellationToken: new(canceled: true)));
        var score = model.Score([""], [""], new() { Width = 1, MaximumLength = 3 });
        Assert.Equal((1, 1L), (score.Count, score.Tokens));
        Assert.Equal(score.Texts[0].Length == 0 ? 0 : double.PositiveInfinity, score.ErrorRate);
    }

    private static EncoderDecoder<T> Make<T>()
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T> => new(
            Source, Target, new Gru<T>(3, 4, new() { Bidirectional = true, Seed = 1 }), new Lstm<T>(5, 8, new() { Seed = 2 }), new() { Seed = 3 });
}
