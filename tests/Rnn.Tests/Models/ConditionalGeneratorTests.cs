using System.Numerics;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Models;

public sealed class ConditionalGeneratorTests
{
    private const int Features = 3;
    private static readonly CharVocabulary Vocabulary = CharVocabulary.FromText("abcd", new() { BeginAndEnd = true });
    private static readonly string[] Classes = ["up", "down", "flat", "none"];
    private static readonly string[] Texts = ["abcd", "dcb", "aaaaa", string.Empty];

    /// <summary>What a model is made of: conditions that are vectors or classes, fed or not, and the decoder.</summary>
    public enum Decoder
    {
        Gru,
        StackedLstm,
        Chain,
        OwnState,
    }

    public static TheoryData<bool, bool, Decoder> Kinds()
    {
        var kinds = new TheoryData<bool, bool, Decoder>();
        foreach (var decoder in Enum.GetValues<Decoder>())
        {
            kinds.Add(true, true, decoder);
            kinds.Add(false, false, decoder);
        }

        kinds.Add(true, false, Decoder.StackedLstm);
        kinds.Add(false, true, Decoder.StackedLstm);
        return kinds;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Gradients_are_those_of_finite_differences(bool classes, bool feed, Decoder decoder)
    {
        var model = Make<double>(classes, feed, decoder);
        var batch = Batch(model);
        var check = GradientCheck.Run(model, () => model.Loss(batch));
        Assert.True(check.Passed, check.ToString());
        Assert.All(model.Parameters, parameter => Assert.Contains(parameter.Value.Gradient!.ToArray(), value => value != 0));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Steps_give_the_scores_of_whole_sequences(bool classes, bool feed, Decoder decoder)
    {
        var model = Make<double>(classes, feed, decoder);
        var batch = Batch(model);
        var whole = model.Forward(batch);
        Assert.Equal($"[4, 6, {Vocabulary.Count}]", whole.Shape.ToString());
        var (stepper, logits, order) = (model.CreateTokenStepper(batch.Conditions), new double[4 * Vocabulary.Count], new[] { 0, 1, 2, 3 });
        Assert.Equal((4, Vocabulary.Count), (stepper.Rows, stepper.VocabularySize));
        for (var u = 0; u < batch.Steps; u++)
        {
            // Rows in another order go on as they would have.
            int[] chosen = [3, 1, 0, 2];
            stepper.SelectRows(chosen);
            order = [.. chosen.Select(row => order[row])];
            stepper.Step([.. order.Select(row => batch.Inputs[(row * batch.Steps) + u])], logits);
            for (var row = 0; row < 4; row++)
            {
                for (var token = 0; token < Vocabulary.Count && u < batch.Lengths[order[row]]; token++)
                {
                    Assert.Equal(whole[order[row], u, token], logits[(row * Vocabulary.Count) + token], 12);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_loss_is_the_cross_entropy_of_the_scores(bool classes, bool feed, Decoder decoder)
    {
        var model = Make<double>(classes, feed, decoder);
        var batch = Batch(model);
        var scores = model.Forward(batch);
        var (sum, count) = (0.0, 0);
        for (var row = 0; row < batch.Rows; row++)
        {
            for (var u = 0; u < batch.Lengths[row]; u++)
            {
                var values = Enumerable.Range(0, Vocabulary.Count).Select(token => scores[row, u, token]).ToArray();
                sum += Math.Log(values.Sum(Math.Exp)) - values[batch.Targets[(row * batch.Steps) + u]];
                count++;
            }
        }

        Assert.Equal(4 + 3 + 5 + 0 + 4, count);
        Assert.Equal(sum / count, model.Loss(batch).Item(), 12);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_few_pairs_are_learned_by_heart(bool classes, bool feed, Decoder decoder)
    {
        if (decoder == Decoder.OwnState && !feed)
        {
            // A decay without products does not count what it has written.
            return;
        }

        var model = Make<float>(classes, feed, decoder, size: 24);
        var conditions = Conditions(model);
        var trainer = new Trainer<float>(model, new Adam<float> { LearningRate = 0.02 });
        await trainer.FitAsync(model.Pairs(conditions, Texts, batchSize: 3, new RandomSource(1)), batch => model.Loss(batch), epochs: 150);
        Assert.Equal(Texts, model.GenerateText(conditions, new() { Width = 3, MaximumLength = 8 }));
        Assert.Equal(Texts, model.GenerateText(conditions, new() { Width = 1, MaximumLength = 8 }));
        Assert.Equal(Texts, model.Sample(conditions, 8, new() { Temperature = 0 }).Select(tokens => Vocabulary.Decode(tokens)));
        Assert.Equal("dcb", model.GenerateText(conditions.IndexSelect(0, [1]))[0]);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void It_is_saved_and_opened_by_one_call(bool classes, bool feed, Decoder decoder)
    {
        if (decoder == Decoder.OwnState)
        {
            ModuleCatalog.Register("decay-of-tests", reader => new Decay<float>(reader.GetInt32("input_size")));
        }

        var model = Make<float>(classes, feed, decoder);
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        var opened = ConditionalGenerator<float>.Open(stream);
        Assert.Equal((feed, false), (opened.Options.FeedCondition, opened.IsTraining));
        Assert.Equal(model.Classes, opened.Classes);
        Assert.Equal(Vocabulary.ToMetadata(), opened.Vocabulary.ToMetadata());
        Assert.Equal(model.Forward(Batch(model)).ToArray(), opened.Forward(Batch(opened)).ToArray());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_step_and_a_choice_of_rows_allocate_nothing(bool feed)
    {
        var model = Make<float>(classes: false, feed, Decoder.StackedLstm);
        var (stepper, logits, tokens, rows) = (model.CreateTokenStepper(Conditions(model)), new float[4 * Vocabulary.Count], new[] { 1, 2, 3, 4 }, new[] { 0, 0, 2, 1 });
        for (var t = 0; t < 3; t++)
        {
            stepper.Step(tokens, logits);
            stepper.SelectRows(rows);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var t = 0; t < 100; t++)
        {
            stepper.Step(tokens, logits);
            stepper.SelectRows(rows);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Samples_of_a_row_do_not_depend_on_the_others_and_follow_the_probabilities()
    {
        var model = Make<double>(classes: true, feed: true, Decoder.Gru);
        var options = new SamplingOptions { Seed = 5 };
        var all = model.Sample(model.Conditions("up", "down", "up"), 12, options);
        Assert.Equal(all[..1], model.Sample(model.Conditions("up"), 12, options));
        Assert.Equal(all, model.Sample(model.Conditions("up", "down", "up"), 12, options));
        Assert.NotEqual(all[0], all[2]);
        Assert.Empty(model.Sample(model.Conditions([]), 12));
        Assert.Empty(model.GenerateText(model.Conditions([])));
        Assert.All(model.Sample(model.Conditions("up"), 0), Assert.Empty);

        // The share of each first token among many draws is its probability.
        const int Draws = 4000;
        var logits = new double[Vocabulary.Count];
        model.CreateTokenStepper(model.Conditions("flat")).Step([model.Begin], logits);
        var drawn = model.Sample(model.Conditions([.. Enumerable.Repeat("flat", Draws)]), 1, new() { Seed = 1 });
        for (var token = 0; token < logits.Length; token++)
        {
            var share = drawn.Count(tokens => token == model.End ? tokens.Length == 0 : tokens is [var first] && first == token) / (double)Draws;
            Assert.Equal(Math.Exp(logits[token]) / logits.Sum(Math.Exp), share, 0.03);
        }
    }

    [Fact]
    public void Dropout_acts_in_training_alone()
    {
        var encoder = new Sequential<float>(new Linear<float>(Features, 4, new() { Seed = 1 }));
        var model = new ConditionalGenerator<float>(Vocabulary, Features, encoder, new Gru<float>(5, 6, new() { Seed = 2 }), new() { Dropout = 0.5, EmbeddingDropout = 0.5, Seed = 3 });
        var batch = Batch(model);
        Assert.NotEqual(model.Loss(batch).Item(), model.Loss(batch).Item());
        model.Evaluate();
        Assert.Equal(model.Loss(batch).Item(), model.Loss(batch).Item());
    }

    [Fact]
    public void Batches_hold_the_conditions_of_their_rows()
    {
        var conditions = Tensor<float>.From([1, 2, 3, 4, 5, 6], 3, 2);
        var batch = ConditionedBatch<float>.Pad(conditions, [[1, 2], [], [3]], begin: 8, end: 9);
        Assert.Equal([8, 1, 2, 8, 8, 8, 8, 3, 8], batch.Inputs.ToArray());
        Assert.Equal([1, 2, 9, 9, -100, -100, 3, 9, -100], batch.Targets.ToArray());
        Assert.Equal([3, 1, 2], batch.Lengths.ToArray());
        Assert.Equal((3, 3), (batch.Rows, batch.Steps));
        foreach (var part in ConditionedBatch<float>.Bucket(conditions, [[1, 2], [], [3]], 2, 8, 9, new RandomSource(1)))
        {
            for (var row = 0; row < part.Rows; row++)
            {
                Assert.Equal(part.Indices[row] switch { 0 => 3, 1 => 1, _ => 2 }, part.Lengths[row]);
                Assert.Equal((part.Indices[row] * 2) + 1, part.Conditions[row, 0]);
            }
        }
    }

    [Fact]
    public void Wrong_inputs_are_named()
    {
        static ConditionalGenerator<float> New(SequenceLayer<float> decoder, IVocabulary? vocabulary = null, ConditionalGeneratorOptions? options = null, Layer<float>? encoder = null) =>
            new(vocabulary ?? Vocabulary, Features, encoder ?? new Sequential<float>(), decoder, options);

        Assert.Contains("BeginAndEnd", Assert.Throws<ArgumentException>(() => New(new Gru<float>(4, 5), CharVocabulary.FromText("ab"))).Message);
        Assert.Contains("bidirectional", Assert.Throws<ArgumentException>(() => New(new Gru<float>(4, 5, new() { Bidirectional = true }))).Message);
        Assert.Contains("InputSize above 3", Assert.Throws<ArgumentException>(() => New(new Gru<float>(3, 5), options: new() { FeedCondition = true })).Message);
        Assert.Contains("no state", Assert.Throws<ArgumentException>(() => New(new SequenceChain<float>(4, new Linear<float>(4, 5)))).Message);
        Assert.Contains("one vector of each", Assert.Throws<ArgumentException>(() => New(new Gru<float>(4, 5), encoder: new Lambda<float>(x => x.Unsqueeze(1)))).Message);
        Assert.Contains("InputSize (7)", Assert.Throws<ArgumentException>(() => New(new Gru<float>(4, 5), encoder: new Linear<float>(7, 2))).Message);
        Assert.Contains("at least", Assert.Throws<ArgumentException>(() => ConditionedBatch<float>.Pad(Tensor<float>.Zeros(0, 2), [], 0, 1)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new ConditionalGenerator<float>(Vocabulary, 0, new Sequential<float>(), new Gru<float>(4, 5)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ConditionalGeneratorOptions { ClassSize = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new ConditionalGeneratorOptions { Dropout = 1 });
        Assert.Contains("comes twice", Assert.Throws<ArgumentException>(() => new ConditionalGenerator<float>(Vocabulary, ["a", "a"], new Gru<float>(4, 5))).Message);
        Assert.Contains("got none", Assert.Throws<ArgumentException>(() => new ConditionalGenerator<float>(Vocabulary, Array.Empty<string>(), new Gru<float>(4, 5))).Message);

        var vectors = Make<float>(classes: false, feed: false, Decoder.Gru);
        Assert.Contains("[rows, 3] but got [2, 4]", Assert.Throws<ArgumentException>(() => vectors.GenerateText(Tensor<float>.Zeros(2, 4))).Message);
        Assert.Contains("vectors, not classes", Assert.Throws<ArgumentException>(() => vectors.Conditions("up")).Message);
        Assert.Contains("one row or more", Assert.Throws<ArgumentException>(() => vectors.CreateTokenStepper(Tensor<float>.Zeros(0, 3))).Message);
        Assert.Contains("one row for each", Assert.Throws<ArgumentException>(() => vectors.Pairs(Tensor<float>.Zeros(2, 3), ["a"], 2)).Message);
        Assert.Throws<ArgumentException>(() => vectors.Pairs(Tensor<float>.Zeros(1, 3), ["x"], 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => vectors.Sample(Tensor<float>.Zeros(1, 3), -1));
        var stepper = vectors.CreateTokenStepper(Tensor<float>.Zeros(2, 3));
        Assert.Contains("expected 2 tokens", Assert.Throws<ArgumentException>(() => stepper.Step([1], new float[12])).Message);
        Assert.Contains("row 1 has 9", Assert.Throws<ArgumentOutOfRangeException>(() => stepper.Step([1, 9], new float[2 * Vocabulary.Count])).Message);

        var classes = Make<float>(classes: true, feed: false, Decoder.Gru);
        Assert.Contains("up, down", Assert.Throws<ArgumentException>(() => classes.Conditions("sideways")).Message);
        Assert.Contains("numbers of classes", Assert.Throws<ArgumentException>(() => classes.GenerateText(Tensor<float>.Zeros(2, 4))).Message);
        Assert.Contains("from 0 to 3", Assert.Throws<ArgumentException>(() => classes.GenerateText(Tensor<float>.From([4], 1))).Message);
    }

    private static ConditionalGenerator<T> Make<T>(bool classes, bool feed, Decoder kind, int size = 6)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        const int Encoded = 4;
        var input = 5 + (feed ? Encoded : 0);
        SequenceLayer<T> decoder = kind switch
        {
            Decoder.Gru => new Gru<T>(input, size, new() { Seed = 1 }),
            Decoder.StackedLstm => new Lstm<T>(input, size, new() { Layers = 2, Seed = 1, LearnedInitialState = false }),
            Decoder.Chain => new SequenceChain<T>(new Gru<T>(input, size, new() { Seed = 1 }), new LayerNorm<T>(size), new Lstm<T>(size, size, new() { ProjectionSize = size - 1, Seed = 2 })),
            _ => new Decay<T>(input),
        };
        var options = new ConditionalGeneratorOptions { FeedCondition = feed, ClassSize = Encoded, Seed = 3 };
        return classes
            ? new(Vocabulary, Classes, decoder, options)
            : new(Vocabulary, Features, new Sequential<T>(new Linear<T>(Features, Encoded, new() { Seed = 4 }), new ActivationLayer<T>(Activation.Tanh)), decoder, options);
    }

    private static Tensor<T> Conditions<T>(ConditionalGenerator<T> model)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        model.Classes.Count > 0 ? model.Conditions(Classes) : Tensor<T>.RandomNormal(new RandomSource(9), 0, 1, 4, Features);

    private static ConditionedBatch<T> Batch<T>(ConditionalGenerator<T> model)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        ConditionedBatch<T>.Pad(Conditions(model), [.. Texts.Select(text => Vocabulary.Encode(text))], model.Begin, model.End);

    /// <summary>A layer that is no recurrent one, whose state [N, 1, I] has a name of its own: s = w⊙s₋ + x.</summary>
    private sealed class Decay<T> : SequenceLayer<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly Parameter<T> _weight;

        internal Decay(int size) => _weight = AddParameter("weight", Tensor<T>.Full(T.CreateChecked(0.5), size));

        public override int InputSize => _weight.Length;

        public override int OutputSize => _weight.Length;

        protected override string FileType => "decay-of-tests";

        public override SequenceState<T> ZeroState(int rows) => new(rows, ("own.s", Tensor<T>.Zeros(rows, 1, InputSize)));

        public override SequenceLayerOutput<T> Forward(Tensor<T> input, ReadOnlySpan<int> lengths, SequenceState<T>? initialState = null)
        {
            var rows = input.Shape[0];
            var s = CheckBatch(input, lengths, initialState)["own.s"].Reshape(rows, InputSize);
            var outputs = new Tensor<T>[input.Shape[1]];
            for (var t = 0; t < outputs.Length; t++)
            {
                outputs[t] = s = (_weight.Value * s) + input.Select(1, t);
            }

            return new(Tensor<T>.Stack(outputs, 1), new(rows, ("own.s", s.Reshape(rows, 1, InputSize))), lengths);
        }

        protected override void Describe(DescriptionWriter writer) => writer.Write("input_size", InputSize);
    }
}
