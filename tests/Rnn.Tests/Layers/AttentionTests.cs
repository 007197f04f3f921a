using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Layers;

public sealed class AttentionTests
{
    private const int Size = 4;

    public static TheoryData<AttentionKind> Kinds => [.. Enum.GetValues<AttentionKind>()];

    public enum AttentionKind
    {
        Additive,
        Dot,
        ScaledDot,
        General,
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Weights_and_contexts_are_those_of_plain_loops(AttentionKind kind)
    {
        var (attention, random) = (Make(kind), new RandomSource(3));
        var memory = Tensor<double>.RandomNormal(random, 0, 1, 3, 5, Size);
        var query = Tensor<double>.RandomNormal(random, 0, 1, 3, Size);
        int[] lengths = [5, 2, 0];
        var (context, weights) = attention.Forward(query, attention.Prepare(memory, lengths));
        Assert.Equal("[3, 4]", context.Shape.ToString());
        for (var row = 0; row < 3; row++)
        {
            var scores = Enumerable.Range(0, lengths[row]).Select(t => Score(attention, kind, Row(query, row), Row(memory, row, t))).ToArray();
            var total = scores.Sum(Math.Exp);
            var means = new double[Size];
            for (var t = 0; t < 5; t++)
            {
                var weight = t < lengths[row] ? Math.Exp(scores[t]) / total : 0;
                Assert.Equal(weight, weights[row, t], 12);
                for (var i = 0; i < Size; i++)
                {
                    means[i] += weight * memory[row, t, i];
                }
            }

            for (var i = 0; i < Size; i++)
            {
                Assert.Equal(means[i], context[row, i], 12);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Several_queries_of_a_row_are_as_one_after_the_other(AttentionKind kind)
    {
        var (attention, random) = (Make(kind), new RandomSource(3));
        var memory = attention.Prepare(Tensor<double>.RandomNormal(random, 0, 1, 2, 5, Size), [4, 5]);
        var queries = Tensor<double>.RandomNormal(random, 0, 1, 2, 3, Size);
        var (contexts, weights) = attention.Forward(queries, memory);
        for (var u = 0; u < 3; u++)
        {
            var (context, weight) = attention.Forward(queries.Select(1, u), memory);
            Assert.Equal(context.ToArray(), contexts.Select(1, u).ToArray(), Close);
            Assert.Equal(weight.ToArray(), weights.Select(1, u).ToArray(), Close);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Gradients_are_those_of_finite_differences(AttentionKind kind)
    {
        var (attention, random) = (Make(kind), new RandomSource(3));
        var memory = Tensor<double>.RandomNormal(random, 0, 1, 3, 4, Size);
        var query = Tensor<double>.RandomNormal(random, 0, 1, 3, Size);
        var factors = Tensor<double>.RandomNormal(random, 0, 1, 3, Size);
        (memory.RequiresGradient, query.RequiresGradient) = (true, true);
        var check = GradientCheck.Run(
            () => (attention.Forward(query, attention.Prepare(memory, [4, 1, 0])).Context * factors).Sum(),
            [("memory", memory), ("query", query), .. attention.NamedParameters.Select(pair => (pair.Key, pair.Value.Value))]);
        Assert.True(check.Passed, check.ToString());
    }

    [Fact]
    public void Selected_rows_attend_to_their_own_memories()
    {
        var (attention, random) = (Make(AttentionKind.Additive), new RandomSource(3));
        var memory = attention.Prepare(Tensor<double>.RandomNormal(random, 0, 1, 2, 5, Size), [4, 5]);
        var query = Tensor<double>.RandomNormal(random, 0, 1, 2, Size);
        var (context, _) = attention.Forward(query, memory);
        var (chosen, _) = attention.Forward(query.IndexSelect(0, [1, 0, 1]), memory.SelectRows(1, 0, 1));
        Assert.Equal(context.IndexSelect(0, [1, 0, 1]).ToArray(), chosen.ToArray(), Close);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void It_is_saved_and_opened(AttentionKind kind)
    {
        var (attention, random) = (Make(kind), new RandomSource(3));
        using var stream = new MemoryStream();
        attention.Save(stream);
        stream.Position = 0;
        var opened = Assert.IsType<Attention<double>>(Module<double>.Open(stream), exactMatch: false);
        var (memory, query) = (Tensor<double>.RandomNormal(random, 0, 1, 2, 5, Size), Tensor<double>.RandomNormal(random, 0, 1, 2, Size));
        Assert.Equal(attention.GetType(), opened.GetType());
        Assert.Equal(
            attention.Forward(query, attention.Prepare(memory)).Context.ToArray(), opened.Forward(query, opened.Prepare(memory)).Context.ToArray());
    }

    [Fact]
    public void Wrong_inputs_are_named()
    {
        var attention = new GeneralAttention<float>(querySize: 3, memorySize: 5);
        Assert.Contains("memory: expected [batch, steps, 5]", Assert.Throws<ArgumentException>(() => attention.Prepare(Tensor<float>.Zeros(2, 4, 3))).Message);
        Assert.Contains("expected 2 lengths", Assert.Throws<ArgumentException>(() => attention.Prepare(Tensor<float>.Zeros(2, 4, 5), [1])).Message);
        var memory = attention.Prepare(Tensor<float>.Zeros(2, 4, 5));
        Assert.Contains("QuerySize (3)", Assert.Throws<ArgumentException>(() => attention.Forward(Tensor<float>.Zeros(2, 5), memory)).Message);
        Assert.Contains("[2, 3]", Assert.Throws<ArgumentException>(() => attention.Forward(Tensor<float>.Zeros(3, 3), memory)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new DotAttention<float>(0));
    }

    private static bool Close(double a, double b) => Math.Abs(a - b) <= 1e-13;

    private static Attention<double> Make(AttentionKind kind) => kind switch
    {
        AttentionKind.Additive => new AdditiveAttention<double>(Size, Size, hiddenSize: 7, seed: 1),
        AttentionKind.Dot => new DotAttention<double>(Size),
        AttentionKind.ScaledDot => new DotAttention<double>(Size, scaled: true),
        _ => new GeneralAttention<double>(Size, Size, seed: 1),
    };

    private static double[] Row(Tensor<double> tensor, params int[] at) => [.. Enumerable.Range(0, Size).Select(i => tensor[[.. at, i]])];

    private static double Score(Attention<double> attention, AttentionKind kind, double[] query, double[] key)
    {
        switch (kind)
        {
            case AttentionKind.Additive:
                var (wq, wk, b) = (attention.NamedParameters.Single(p => p.Key == "query.weight").Value.Value, attention.NamedParameters.Single(p => p.Key == "memory.weight").Value.Value, attention.NamedParameters.Single(p => p.Key == "memory.bias").Value.Value);
                var v = ((AdditiveAttention<double>)attention).Score.Value;
                return Enumerable.Range(0, 7).Sum(a => v[a] * Math.Tanh(b[a] + Enumerable.Range(0, Size).Sum(i => (wq[a, i] * query[i]) + (wk[a, i] * key[i]))));
            case AttentionKind.General:
                var w = ((GeneralAttention<double>)attention).Weight.Value;
                return Enumerable.Range(0, Size).Sum(i => Enumerable.Range(0, Size).Sum(j => query[i] * w[i, j] * key[j]));
            default:
                return Enumerable.Range(0, Size).Sum(i => query[i] * key[i]) / (kind == AttentionKind.ScaledDot ? Math.Sqrt(Size) : 1);
        }
    }

    [Fact]
    public void What_lies_past_an_end_may_be_anything()
    {
        var attention = new DotAttention<double>(3);
        var memory = Tensor<double>.RandomNormal(new RandomSource(1), 0, 1, 2, 4, 3);
        var query = Tensor<double>.RandomNormal(new RandomSource(2), 0, 1, 2, 3);
        int[] lengths = [4, 2];
        var expected = attention.Forward(query, attention.Prepare(memory, lengths)).Context.ToArray();
        memory.AsSpan()[(6 * 3)..].Fill(double.NaN);
        memory.RequiresGradient = true;
        var context = attention.Forward(query, attention.Prepare(memory, lengths)).Context;
        Assert.Equal(expected, context.ToArray());
        context.Sum().Backward();
        Assert.All(memory.Gradient!.ToArray(), value => Assert.True(double.IsFinite(value)));
    }

    [Fact]
    public void Scaled_and_plain_dot_attention_do_not_take_each_others_files()
    {
        using var file = new MemoryStream();
        new DotAttention<double>(3).Save(file);
        file.Position = 0;
        Assert.Throws<InvalidDataException>(() => new DotAttention<double>(3, scaled: !new DotAttention<double>(3).IsScaled).Load(file));
    }
}
