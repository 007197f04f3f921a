using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Models;

public sealed class EncoderDecoderTests
{
    private const int Size = 6;
    private static readonly CharVocabulary Source = CharVocabulary.FromText("abcd");
    private static readonly CharVocabulary Target = CharVocabulary.FromText("abcd", new() { BeginAndEnd = true });
    private static readonly string[] Sources = ["abc", "d", "bbda", "ca"];
    private static readonly string[] Targets = ["cba", "d", "adbb", "ac"];

    public static TheoryData<DecoderAttention, bool> Kinds()
    {
        var kinds = new TheoryData<DecoderAttention, bool>();
        foreach (var attention in Enum.GetValues<DecoderAttention>())
        {
            kinds.Add(attention, false);
            if (attention != DecoderAttention.None)
            {
                kinds.Add(attention, true);
            }
        }

        return kinds;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Gradients_are_those_of_finite_differences(DecoderAttention attention, bool feeding)
    {
        var model = Make<double>(attention, feeding);
        var batch = Batch(model);
        var check = GradientCheck.Run(model, () => model.Loss(batch));
        Assert.True(check.Passed, check.ToString());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Steps_give_the_scores_of_whole_targets(DecoderAttention attention, bool feeding)
    {
        var model = Make<double>(attention, feeding);
        var batch = Batch(model);
        var whole = model.Forward(batch);
        Assert.Equal($"[4, 5, {Target.Count}]", whole.Shape.ToString());
        var stepper = model.CreateTokenStepper(batch.Source);
        var logits = new double[4 * Target.Count];
        for (var u = 0; u < 5; u++)
        {
            stepper.Step([.. Enumerable.Range(0, 4).Select(row => batch.Inputs[(row * 5) + u])], logits);
            for (var row = 0; row < 4; row++)
            {
                for (var token = 0; token < Target.Count && u < batch.TargetLengths[row]; token++)
                {
                    Assert.Equal(whole[row, u, token], logits[(row * Target.Count) + token], 12);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_loss_is_the_cross_entropy_of_the_scores(DecoderAttention attention, bool feeding)
    {
        var model = Make<double>(attention, feeding);
        var batch = Batch(model);
        var expected = Loss.CrossEntropy(model.Forward(batch), batch.Targets);
        Assert.Equal(expected.Item(), model.Loss(batch).Item(), 12);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_few_pairs_are_learned_by_heart(DecoderAttention attention, bool feeding)
    {
        var model = Make<float>(attention, feeding);
        var trainer = new Trainer<float>(model, new Adam<float> { LearningRate = 0.03 });
        await trainer.FitAsync(model.Pairs(Sources, Targets, batchSize: 2, new RandomSource(1)), batch => model.Loss(batch), epochs: 120);
        Assert.Equal(Targets, model.Translate(Sources, new() { Width = 3, MaximumLength = 8 }));
        Assert.Equal(Targets[2], model.Translate(Sources[2], new() { Width = 1, MaximumLength = 8 }));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void It_is_saved_and_opened_by_one_call(DecoderAttention attention, bool feeding)
    {
        var model = Make<float>(attention, feeding);
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        var opened = EncoderDecoder<float>.Open(stream);
        Assert.Equal((attention, feeding, false), (opened.Options.Attention, opened.Options.InputFeeding, opened.IsTraining));
        Assert.Equal(model.Forward(Batch(model)).ToArray(), opened.Forward(Batch(opened)).ToArray());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Weights_of_attention_add_to_one_over_the_source(DecoderAttention attention, bool feeding)
    {
        var model = Make<double>(attention, feeding);
        var batch = Batch(model);
        if (attention == DecoderAttention.None)
        {
            Assert.Contains("no attention", Assert.Throws<InvalidOperationException>(() => model.AttentionWeights(batch)).Message);
            return;
        }

        var weights = model.AttentionWeights(batch);
        Assert.Equal("[4, 5, 4]", weights.Shape.ToString());
        for (var row = 0; row < 4; row++)
        {
            for (var u = 0; u < 5; u++)
            {
                Assert.Equal(1, Enumerable.Range(0, batch.Source.Lengths[row]).Sum(t => weights[row, u, t]), 12);
                Assert.All(Enumerable.Range(batch.Source.Lengths[row], 4 - batch.Source.Lengths[row]), t => Assert.Equal(0, weights[row, u, t]));
            }
        }
    }

    [Theory]
    [InlineData(DecoderAttention.None)]
    [InlineData(DecoderAttention.Bahdanau)]
    [InlineData(DecoderAttention.LuongGeneral)]
    public void Without_teacher_forcing_the_decoder_reads_what_it_would_write(DecoderAttention attention)
    {
        var model = Make<double>(attention, feeding: false);
        var batch = Batch(model);
        var stepper = model.CreateTokenStepper(batch.Source);
        var (logits, tokens, loss, count) = (new double[4 * Target.Count], Enumerable.Repeat(model.Begin, 4).ToArray(), 0.0, 0);
        for (var u = 0; u < 5; u++)
        {
            stepper.Step(tokens, logits);
            for (var row = 0; row < 4; row++)
            {
                var scores = logits.AsSpan(row * Target.Count, Target.Count).ToArray();
                tokens[row] = Array.IndexOf(scores, scores.Max());
                if (u < batch.TargetLengths[row])
                {
                    loss += Math.Log(scores.Sum(Math.Exp)) - scores[batch.Targets[(row * 5) + u]];
                    count++;
                }
            }
        }

        Assert.Equal(loss / count, model.Loss(batch, teacherForcing: 0).Item(), 12);
    }

    [Fact]
    public void Scheduled_sampling_lies_between_and_draws_the_same_from_the_same_seed()
    {
        var losses = Enumerable.Range(0, 2).Select(_ =>
        {
            var model = Make<double>(DecoderAttention.LuongGeneral, feeding: false);
            return new[] { model.Loss(Batch(model), 0.5).Item(), model.Loss(Batch(model), 0.5).Item() };
        }).ToArray();
        Assert.Equal(losses[0], losses[1]);
        Assert.NotEqual(losses[0][0], losses[0][1]);
    }

    [Theory]
    [InlineData(DecoderStart.Encoder)]
    [InlineData(DecoderStart.Projection)]
    [InlineData(DecoderStart.Own)]
    public void Every_start_has_its_gradients(DecoderStart start)
    {
        var model = new EncoderDecoder<double>(
            Source, Target, new Lstm<double>(3, 4, new() { Layers = 2, Seed = 1 }), new Lstm<double>(5, 4, new() { Layers = 2, Seed = 2 }), new() { Attention = DecoderAttention.LuongDot, Start = start, Seed = 3 });
        Assert.Equal(start == DecoderStart.Projection, model.NamedParameters.Any(pair => pair.Key.StartsWith("start_", StringComparison.Ordinal)));
        var batch = Batch(model);
        var check = GradientCheck.Run(model, () => model.Loss(batch));
        Assert.True(check.Passed, check.ToString());
    }

    [Fact]
    public void Pairs_are_padded_with_what_no_loss_counts()
    {
        var batch = SequencePairBatch.Pad([[1, 2], []], [[3], [4, 5]], begin: 8, end: 9);
        Assert.Equal([8, 3, 8, 8, 4, 5], batch.Inputs.ToArray());
        Assert.Equal([3, 9, -100, 4, 5, 9], batch.Targets.ToArray());
        Assert.Equal([2, 3], batch.TargetLengths.ToArray());
        Assert.Equal([2, 0], batch.Source.Lengths.ToArray());
        Assert.Equal((2, 3), (batch.Rows, batch.TargetSteps));
    }

    [Fact]
    public void Wrong_inputs_are_named()
    {
        static EncoderDecoder<float> New(IVocabulary target, int encoder, int decoderInput, int decoder, EncoderDecoderOptions options) =>
            new(Source, target, new Gru<float>(3, encoder), new Gru<float>(decoderInput, decoder), options);

        Assert.Contains("BeginAndEnd", Assert.Throws<ArgumentException>(() => New(Source, 4, 5, 4, new())).Message);
        Assert.Contains("LuongGeneral", Assert.Throws<ArgumentException>(() => New(Target, 4, 5, 6, new() { Attention = DecoderAttention.LuongDot })).Message);
        Assert.Contains("InputSize above 4", Assert.Throws<ArgumentException>(() => New(Target, 4, 4, 6, new() { Attention = DecoderAttention.Bahdanau })).Message);
        Assert.Contains("bidirectional", Assert.Throws<ArgumentException>(() => new EncoderDecoder<float>(
            Source, Target, new Gru<float>(3, 4), new Gru<float>(3, 4, new() { Bidirectional = true }))).Message);
        var model = Make<float>(DecoderAttention.None, false);
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Loss(Batch(model), teacherForcing: 1.5));
        Assert.Contains("one for each source", Assert.Throws<ArgumentException>(() => model.Pairs(["a"], [], 2)).Message);
        Assert.Empty(model.Translate([]));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void An_empty_text_is_a_source_too(DecoderAttention attention, bool feeding)
    {
        var model = Make<float>(attention, feeding);
        var options = new BeamSearchOptions { Width = 2, MaximumLength = 4 };
        Assert.Equal(model.Translate(["abc", string.Empty], options)[1], model.Translate(string.Empty, options));
    }

    private static EncoderDecoder<T> Make<T>(DecoderAttention attention, bool feeding)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var fed = (attention == DecoderAttention.Bahdanau ? Size : 0) + (feeding ? Size : 0);
        return new(
            Source, Target, new Gru<T>(3, Size / 2, new() { Bidirectional = true, Seed = 1 }), new Lstm<T>(5 + fed, Size, new() { Seed = 2 }),
            new() { Attention = attention, InputFeeding = feeding, Seed = 3 });
    }

    private static SequencePairBatch Batch<T>(EncoderDecoder<T> model)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T> => SequencePairBatch.Pad(
            [.. Sources.Select(text => Source.Encode(text))], [.. Targets.Select(text => Target.Encode(text))], model.Begin, model.End);

    [Fact]
    public void Options_that_would_do_nothing_are_refused()
    {
        Refuses("InputFeeding: there is no attentional vector", new() { Attention = DecoderAttention.None, InputFeeding = true });
        Refuses("Start: without attention the decoder knows the source", new() { Attention = DecoderAttention.None, Start = DecoderStart.Own });
        static void Refuses(string message, EncoderDecoderOptions options) => Assert.Contains(
            message, Assert.Throws<ArgumentException>(() => new EncoderDecoder<float>(Source, Target, new Gru<float>(3, 4), new Gru<float>(3, 4), options)).Message, StringComparison.Ordinal);
    }
}
