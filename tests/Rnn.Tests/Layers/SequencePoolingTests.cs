using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Layers;

public sealed class SequencePoolingTests
{
    private static readonly int[] Lengths = [4, 0, 6, 1];

    public static TheoryData<PoolingKind> Kinds => [.. Enum.GetValues<PoolingKind>()];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Pooling_is_that_of_plain_loops(PoolingKind kind)
    {
        var (layer, pooling, x) = Make(kind);
        var output = layer.Forward(x, Lengths);
        var pooled = pooling.Forward(output, Lengths);
        Assert.Equal("[4, 5]", pooled.Shape.ToString());
        for (var row = 0; row < 4; row++)
        {
            for (var i = 0; i < 5; i++)
            {
                var column = Enumerable.Range(0, Lengths[row]).Select(t => output.Output[row, t, i]).ToArray();
                var expected = column.Length == 0 ? 0 : kind switch
                {
                    PoolingKind.Last => column[^1],
                    PoolingKind.Mean => column.Average(),
                    PoolingKind.Max => column.Max(),
                    _ => column.Zip(Weights(pooling, output.Output, row), (value, weight) => value * weight).Sum(),
                };
                Assert.Equal(expected, pooled[row, i], 12);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Gradients_are_those_of_finite_differences(PoolingKind kind)
    {
        var (layer, pooling, x) = Make(kind);
        var check = GradientCheck.Run(pooling, () => pooling.Forward(layer.Forward(x, Lengths), Lengths).Tanh(), [("x", x)]);
        Assert.True(check.Passed, check.ToString());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Without_lengths_all_steps_count_and_without_steps_there_are_zeros(PoolingKind kind)
    {
        var (layer, pooling, x) = Make(kind);
        Assert.Equal(
            pooling.Forward(layer.Forward(x, [6, 6, 6, 6]), [6, 6, 6, 6]).ToArray(), pooling.Forward(layer.Forward(x, default(ReadOnlySpan<int>))).ToArray());
        Assert.Equal(new double[10], pooling.Forward(layer.Forward(Tensor<double>.Zeros(2, 0, 3), default(ReadOnlySpan<int>))).ToArray());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void It_is_saved_and_opened(PoolingKind kind)
    {
        var (layer, pooling, x) = Make(kind);
        using var stream = new MemoryStream();
        pooling.Save(stream);
        stream.Position = 0;
        var opened = Assert.IsType<SequencePooling<double>>(Module<double>.Open(stream));
        Assert.Equal(pooling.Forward(layer.Forward(x, Lengths), Lengths).ToArray(), opened.Forward(layer.Forward(x, Lengths), Lengths).ToArray());
    }

    [Fact]
    public void Wrong_inputs_are_named()
    {
        var (layer, _, x) = Make(PoolingKind.Mean);
        var other = new SequencePooling<double>(PoolingKind.Mean, size: 4);
        Assert.Contains("Size (4)", Assert.Throws<ArgumentException>(() => other.Forward(layer.Forward(x, Lengths))).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new SequencePooling<double>((PoolingKind)9, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SequencePooling<double>(PoolingKind.Last, 0));
    }

    private static (Gru<double> Layer, SequencePooling<double> Pooling, Tensor<double> X) Make(PoolingKind kind) => (
        new(3, 5, new() { Seed = 1 }), new(kind, 5, hiddenSize: 7, seed: 2), Tensor<double>.RandomNormal(new RandomSource(3), 0, 1, 4, 6, 3));

    private static double[] Weights(SequencePooling<double> pooling, Tensor<double> output, int row)
    {
        var parameters = pooling.NamedParameters.ToDictionary(pair => pair.Key, pair => pair.Value.Value);
        var (w, b, v) = (parameters["hidden.weight"], parameters["hidden.bias"], parameters["score"]);
        var scores = Enumerable.Range(0, Lengths[row]).Select(t => Math.Exp(Enumerable.Range(0, 7).Sum(
            a => v[a] * Math.Tanh(b[a] + Enumerable.Range(0, 5).Sum(i => w[a, i] * output[row, t, i]))))).ToArray();
        return [.. scores.Select(score => score / scores.Sum())];
    }
}
