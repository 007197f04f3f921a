using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Tests.Layers;

/// <summary>Chains of layers: with states, and with a last step and a head.</summary>
public sealed class SequenceChainTests
{
    [Theory]
    [InlineData(null)]
    [InlineData(new[] { 4, 0, 7, 1, 3 })]
    public void A_chain_is_its_layers_one_after_another(int[]? lengths)
    {
        var (lstm, norm, gru, head) = Parts();
        var chain = new SequenceChain<double>(lstm, norm, gru, head);
        Assert.Equal((3, 2, 4), (chain.InputSize, chain.OutputSize, chain.Count));
        var x = Tensor<double>.RandomNormal(new RandomSource(1), 0, 1, 5, 7, 3);
        var (first, second) = (chain.Forward(x, lengths), chain.Forward(x, lengths));
        var a = lstm.Forward(x, lengths);
        var b = gru.Forward(norm.Forward(a.Output), lengths);
        var y = head.Forward(b.Output).ToArray();
        for (var row = 0; row < 5; row++)
        {
            y.AsSpan(((row * 7) + (lengths?[row] ?? 7)) * 2, (7 - (lengths?[row] ?? 7)) * 2).Clear();
        }

        Assert.Equal(y, first.Output.ToArray());
        Assert.Equal(["0.h_l0", "0.c_l0", "2.h_l0"], first.FinalState.Names);
        Assert.Equal(a.FinalState.Cell().ToArray(), first.FinalState.Part("0").Cell().ToArray());
        Assert.Equal(b.FinalState.Hidden().ToArray(), first.FinalState.Part("2").Hidden().ToArray());
        var last = Enumerable.Range(0, 5).Select(row => lengths?[row] ?? 7).SelectMany((length, row) => length == 0 ? new double[2] : y.AsSpan((((row * 7) + length) - 1) * 2, 2).ToArray());
        Assert.Equal(last, first.Last.ToArray());
        Assert.Equal(first.Output.ToArray(), second.Output.ToArray());
    }

    [Fact]
    public void States_carry_a_chain_from_window_to_window()
    {
        var (lstm, norm, gru, head) = Parts();
        var chain = new SequenceChain<double>(lstm, norm, gru, head);
        var x = Tensor<double>.RandomNormal(new RandomSource(1), 0, 1, 2, 9, 3);
        var whole = chain.Forward(x);
        var (start, state) = chain.Forward(x.Slice(1, ..4), initialState: null);
        var end = chain.Forward(x.Slice(1, 4..), state);
        Assert.Equal(whole.ToArray(), Tensor<double>.Concat([start, end.Output], 1).ToArray());
        Assert.Equal("initialState", Assert.Throws<ArgumentException>(() => chain.Forward(x, lstm.ZeroState(2))).ParamName);
        Assert.True(new SequenceChain<double>(new Gru<double>(3, 3, new() { LearnedInitialState = true })).HasLearnedInitialState);
        Assert.Empty(new SequenceChain<double>(4, new LayerNorm<double>(4)).ZeroState(3).Names);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(new[] { 4, 0, 7, 1, 3 })]
    public void A_residual_connection_adds_the_input(int[]? lengths)
    {
        var chain = new SequenceChain<double>(new RmsNorm<double>(3), new Gru<double>(3, 3, new() { Seed = 2 }));
        var residual = new Residual<double>(chain);
        var x = Tensor<double>.RandomNormal(new RandomSource(1), 0, 1, 5, 7, 3);
        x.RequiresGradient = true;
        var (inner, outer) = (chain.Forward(x, lengths), residual.Forward(x, lengths));
        Assert.Equal(inner.FinalState.Names, outer.FinalState.Names);
        for (var row = 0; row < 5; row++)
        {
            var length = lengths?[row] ?? 7;
            for (var i = 0; i < 3; i++)
            {
                Assert.Equal(length == 0 ? inner.Last[row, i] : inner.Last[row, i] + x[row, length - 1, i], outer.Last[row, i]);
                for (var step = 0; step < 7; step++)
                {
                    Assert.Equal(step < length ? inner.Output[row, step, i] + x[row, step, i] : 0, outer.Output[row, step, i]);
                }
            }
        }

        outer.Output.Sum().Backward();
        var expected = x.Gradient!.ToArray();
        x.ZeroGradient();
        inner.Output.Sum().Backward();
        Assert.Equal(expected, x.Gradient!.ToArray().Select((gradient, i) => gradient + (i / 3 % 7 < (lengths?[i / 21] ?? 7) ? 1 : 0)), (a, b) => Math.Abs(a - b) < 1e-13);
        var error = Assert.Throws<ArgumentException>(() => new Residual<double>(new Gru<double>(3, 4)));
        Assert.StartsWith("layers: expected an output of the input's size, 3, to which it is added, but they give 4.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Layers_that_do_not_fit_are_named()
    {
        Assert.Contains("layer 1 reads 4 features but gets 5", Assert.Throws<ArgumentException>(() => new SequenceChain<float>(new Gru<float>(3, 5), new Gru<float>(4, 5))).Message, StringComparison.Ordinal);
        Assert.Contains("layer 1 turns two steps", Assert.Throws<ArgumentException>(() => new SequenceChain<float>(new Gru<float>(3, 5), new LastStep<float>())).Message, StringComparison.Ordinal);
        Assert.Contains("the size of the input cannot be told", Assert.Throws<ArgumentException>(() => new SequenceChain<float>(new Dropout<float>(0.5))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new SequenceChain<float>(new Gru<float>(3, 5), new Linear<float>(4, 5)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SequenceChain<float>(0, new Dropout<float>(0.5)));
        Assert.Equal(6, new SequenceChain<float>(new Dropout<float>(0.5), new Linear<float>(2, 6)).OutputSize);
    }

    [Fact]
    public void Sequential_takes_the_end_of_each_row()
    {
        var lstm = new Lstm<double>(3, 5, new() { Bidirectional = true, Seed = 1 });
        var head = new Linear<double>(10, 2, new() { Seed = 2 });
        var network = new Sequential<double>(lstm, new LastStep<double>(), new ActivationLayer<double>(Activation.Relu), head, new Lambda<double>(y => y * 2));
        var x = Tensor<double>.RandomNormal(new RandomSource(1), 0, 1, 4, 6, 3);
        int[] lengths = [3, 6, 0, 1];
        Assert.Equal((head.Forward(lstm.Forward(x, lengths).Last.Relu()) * 2.0).ToArray(), network.Forward(x, lengths).ToArray());
        Assert.Equal((head.Forward(lstm.Forward(x, []).Last.Relu()) * 2.0).ToArray(), network.Forward(x).ToArray());

        // Behind another layer it is the last valid step.
        var plain = new Sequential<double>(new Gru<double>(3, 4, new() { Seed = 3 }), new LayerNorm<double>(4), new LastStep<double>());
        var y = plain[1].Forward(plain[0].Forward(x));
        Assert.Equal([.. y.Row(0, 2), .. y.Row(1, 5), 0, 0, 0, 0, .. y.Row(3, 0)], plain.Forward(x, lengths).ToArray());
        Assert.Equal(y.Select(1, 5).ToArray(), plain.Forward(x).ToArray());
        Assert.Throws<ArgumentException>(() => new LastStep<double>().Forward(Tensor<double>.Zeros(2, 0, 3)));
        Assert.Throws<ArgumentException>(() => new LastStep<double>().Forward(Tensor<double>.Zeros(2, 3)));
    }

    [Theory]
    [InlineData(Activation.Tanh)]
    [InlineData(Activation.Gelu)]
    [InlineData(Activation.HardSigmoid)]
    [InlineData(Activation.Identity)]
    public void Activations_are_those_of_the_cells(Activation activation)
    {
        // Without recurrence and with the identity for weights a plain network is its activation.
        var network = new SimpleRnn<double>(7, 7, new() { Activation = activation, Seed = 1 });
        foreach (var (name, parameter) in network.NamedParameters)
        {
            using var edit = parameter.Value.Edit();
            edit.Span.Clear();
            for (var i = 0; i < 7 && name == "weight_ih_l0"; i++)
            {
                edit.Span[i * 8] = 1;
            }
        }

        var x = Tensor<double>.RandomNormal(new RandomSource(1), 0, 2, 3, 1, 7);
        Assert.True(new ActivationLayer<double>(activation).Forward(x).AllClose(network.Forward(x), 1e-15, 1e-15));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ActivationLayer<double>((Activation)99));
    }

    private static (Lstm<double> Lstm, LayerNorm<double> Norm, Gru<double> Gru, Linear<double> Head) Parts() =>
        (new(3, 5, new() { Seed = 1 }), new(5), new(5, 4, new() { Seed = 2 }), new(4, 2, new() { Seed = 3 }));

    [Fact]
    public void The_last_output_of_a_chain_has_seen_the_whole_row_in_both_directions()
    {
        var both = new Lstm<double>(3, 4, new() { Bidirectional = true, Seed = 1 });
        var linear = new Linear<double>(8, 5, new() { Seed = 2 });
        var x = Tensor<double>.RandomNormal(new RandomSource(3), 0, 1, 3, 6, 3);
        int[] lengths = [6, 1, 4];
        var expected = linear.Forward(both.Forward(x, lengths).Last);
        var chain = new SequenceChain<double>(both, new Dropout<double>(0.5), linear) { IsTraining = false };
        Assert.Equal(expected.ToArray(), chain.Forward(x, lengths).Last.ToArray());

        // A chain within a sequence of layers reads no further than its rows go.
        x.AsSpan().Slice(8 * 3, 4 * 3).Fill(double.NaN);
        Assert.All(new Sequential<double>(new Sequential<double>(both), new LastStep<double>()).Forward(x, lengths).ToArray(), value => Assert.True(double.IsFinite(value)));
    }
}
