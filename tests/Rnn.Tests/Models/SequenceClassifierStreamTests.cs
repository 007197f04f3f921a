using Rnn.Layers;
using Rnn.Models;
using Rnn.Tensors;

namespace Rnn.Tests.Models;

public sealed class SequenceClassifierStreamTests
{
    private static readonly string[] Classes = ["a", "b", "c"];

    public static TheoryData<PoolingKind> Kinds => [.. Enum.GetValues<PoolingKind>()];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void After_each_step_it_says_what_the_steps_so_far_are_classified_as(PoolingKind pooling)
    {
        var model = MakeFeatures<double>(pooling);
        var (stream, random) = (model.CreateStream(), new RandomSource(3));
        for (var sequence = 0; sequence < 2; sequence++)
        {
            var x = Tensor<double>.RandomNormal(random, 0, 2, 9, 4);
            for (var t = 0; t < 9; t++)
            {
                var probabilities = stream.Step(x.Select(0, t).ToArray()).ToArray();
                Assert.Equal(model.Classify(x.Slice(0, ..(t + 1))).Probabilities, probabilities, (a, b) => Math.Abs(a - b) < 1e-13);
            }

            stream.Reset();
        }
    }

    [Fact]
    public void A_state_counts_more_steps_than_single_precision_has_whole_numbers()
    {
        var stepper = new PoolingStepper<float>(MakeFeatures<float>(PoolingKind.Mean).Pooling);
        var saved = stepper.Save();
        (saved[0], saved[1]) = (1, 5);
        stepper.Restore(saved);
        Assert.Equal(saved, stepper.Save());
        _ = stepper.Step(new float[saved.Length - 4]);
        Assert.Equal((2, 5), (stepper.Save()[0], stepper.Save()[1]));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Tokens_are_read_too(PoolingKind pooling)
    {
        var model = MakeTokens<float>(pooling);
        var stream = model.CreateStream();
        int[] tokens = [3, 1, 4, 1, 0, 2];
        for (var t = 0; t < tokens.Length; t++)
        {
            var probabilities = stream.Step(tokens[t]).ToArray();
            Assert.Equal(model.Classify(tokens[..(t + 1)]).Probabilities, probabilities.Select(value => (double)value), (a, b) => Math.Abs(a - b) < 1e-6);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_step_allocates_nothing(PoolingKind pooling)
    {
        var features = MakeFeatures<float>(pooling).CreateStream();
        var tokens = MakeTokens<float>(pooling).CreateStream();
        float[] frame = [1, 2, 3, 4];
        features.Step(frame);
        tokens.Step(1);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var t = 0; t < 100; t++)
        {
            features.Step(frame);
            tokens.Step(t % 5);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_long_stream_stays_finite_and_settles(PoolingKind pooling)
    {
        var stream = MakeFeatures<float>(pooling).CreateStream();
        float[] frame = [0.5f, -1, 0.25f, 1], later = [], now = [];
        for (var t = 0; t < 20_000; t++)
        {
            now = stream.Step(frame).ToArray();
            later = t == 15_000 ? now : later;
        }

        Assert.All(now, value => Assert.InRange(value, 0, 1));
        Assert.Equal(later, now, (a, b) => Math.Abs(a - b) < 1e-4);
    }

    [Fact]
    public void Wrong_uses_are_named()
    {
        var (features, tokens) = (MakeFeatures<float>(PoolingKind.Last).CreateStream(), MakeTokens<float>(PoolingKind.Last).CreateStream());
        Assert.Contains("reads feature vectors", Assert.Throws<InvalidOperationException>(() => features.Step(1)).Message, StringComparison.Ordinal);
        Assert.Contains("reads tokens", Assert.Throws<InvalidOperationException>(() => tokens.Step([1f, 2f])).Message, StringComparison.Ordinal);
        Assert.Contains("InputSize", Assert.Throws<ArgumentException>(() => features.Step([1f, 2f])).Message, StringComparison.Ordinal);
        Assert.Contains("from 0 to 4 but got 5", Assert.Throws<ArgumentOutOfRangeException>(() => tokens.Step(5)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => tokens.Step(-1));
        var bidirectional = new SequenceClassifier<float>(new Gru<float>(4, 6, new() { Bidirectional = true }), Classes);
        Assert.Contains("needs the whole sequence", Assert.Throws<InvalidOperationException>(bidirectional.CreateStream).Message, StringComparison.Ordinal);
    }

    private static SequenceClassifier<T> MakeFeatures<T>(PoolingKind pooling)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T> => new(
            new SequenceChain<T>(
                new Standardization<T>(Tensor<T>.Ones(4), Tensor<T>.Full(T.CreateChecked(2), 4)), new Gru<T>(4, 6, new() { Layers = 2, Seed = 1 }), new Linear<T>(6, 7, new() { Seed = 3 })),
            Classes,
            new() { Pooling = pooling, InputDropout = 0.5, Dropout = 0.5, Seed = 2 });

    private static SequenceClassifier<T> MakeTokens<T>(PoolingKind pooling)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T> =>
        new(vocabularySize: 5, new Lstm<T>(4, 6, new() { Seed = 1 }), Classes, new() { Pooling = pooling, Seed = 2 });
}
