using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Tests.Layers;

/// <summary>How recurrent layers start, gate by gate.</summary>
public sealed class RecurrentInitializerTests
{
    private const int I = 9;
    private const int H = 17;

    [Fact]
    public void By_default_each_gate_is_orthogonal_input_weights_are_Glorot_and_only_forget_biases_are_raised()
    {
        var layer = new Lstm<double>(I, H, new() { Seed = 1, Peepholes = Peepholes.Diagonal });
        var (ih, hh, bias) = (Find(layer, "weight_ih_l0"), Find(layer, "weight_hh_l0"), Find(layer, "bias_l0"));
        for (var gate = 0; gate < 4; gate++)
        {
            var u = hh.Slice(0, (gate * H)..((gate + 1) * H));
            Assert.True(u.MatMul(u.Transpose()).AllClose(Tensor<double>.Identity(H), 0, 1e-12));
            AssertUniform(ih.Slice(0, (gate * H)..((gate + 1) * H)), Math.Sqrt(6.0 / (I + H)));
            Assert.All(bias.Slice(0, (gate * H)..((gate + 1) * H)).ToArray(), value => Assert.Equal(gate == 1 ? 1 : 0, value));
        }

        AssertUniform(Find(layer, "weight_peephole_l0"), 1 / Math.Sqrt(H));
        Assert.NotEqual(hh.Row(0).ToArray(), hh.Row(H).ToArray());
    }

    [Fact]
    public void The_forget_bias_is_an_option_and_a_GRU_has_none()
    {
        Assert.Equal(2.5, Find(new Lstm<double>(I, H, new() { ForgetBias = 2.5 }), "bias_l0")[H]);
        Assert.All(Find(new Gru<double>(I, H), "bias_l0").ToArray(), value => Assert.Equal(0, value));
    }

    [Fact]
    public void Uniform_is_that_of_PyTorch()
    {
        var layer = new Lstm<double>(I, H, new() { Initialization = RecurrentInitialization.Uniform, Layers = 2, ProjectionSize = 5, Seed = 1 });
        Assert.All(layer.NamedParameters, pair => AssertUniform(pair.Value.Value, 1 / Math.Sqrt(H)));
        Assert.Contains(layer.NamedParameters, pair => pair.Key == "weight_hr_l1");
    }

    [Fact]
    public void Glorot_counts_each_gate_by_itself()
    {
        var layer = new Gru<double>(I, H, new() { Initialization = RecurrentInitialization.Glorot, Seed = 1 });
        AssertUniform(Find(layer, "weight_ih_l0"), Math.Sqrt(6.0 / (I + H)));
        AssertUniform(Find(layer, "weight_hh_l0"), Math.Sqrt(6.0 / (H + H)));
        Assert.All(Find(layer, "bias_l0").ToArray(), value => Assert.Equal(0, value));
    }

    [Fact]
    public void Identity_makes_an_IRNN()
    {
        var layer = new SimpleRnn<double>(I, H, new() { Activation = Activation.Relu, Initialization = RecurrentInitialization.Identity, Seed = 1 });
        Assert.Equal(Tensor<double>.Identity(H).ToArray(), Find(layer, "weight_hh_l0").ToArray());
        var input = Find(layer, "weight_ih_l0").ToArray();
        Assert.Equal(0.001, Math.Sqrt(input.Average(value => value * value)), 2e-4);
        Assert.Equal(Enumerable.Repeat(1.0, H), Find(new IndRnn<double>(I, H, new() { Initialization = RecurrentInitialization.Identity }), "weight_v_l0").ToArray());
    }

    [Fact]
    public void Chrono_spreads_time_scales_up_to_the_longest()
    {
        var options = new LstmOptions { Initialization = RecurrentInitialization.Chrono, ChronoSteps = 784, Seed = 2 };
        var bias = Find(new Lstm<double>(I, 500, options), "bias_l0").ToArray();
        var (i, f) = (bias[..500], bias[500..1000]);
        Assert.Equal(f.Select(value => -value), i);
        Assert.All(bias[1000..], value => Assert.Equal(0, value));

        // log u with u even between 1 and 783: half of all below log 392.
        Assert.All(f, value => Assert.InRange(value, 0, Math.Log(783)));
        Assert.InRange(f.Count(value => value < Math.Log(392)), 215, 285);

        // z keeps: as a forget gate; z lets in: the other sign.
        var keeps = Find(new Gru<double>(I, 50, new() { Initialization = RecurrentInitialization.Chrono, Seed = 1 }), "bias_l0").ToArray();
        var replaces = Find(new Gru<double>(I, 50, new() { Initialization = RecurrentInitialization.Chrono, UpdateGateKeepsState = false, Seed = 1 }), "bias_l0").ToArray();
        Assert.All(keeps[50..100], value => Assert.InRange(value, 0, Math.Log(99)));
        Assert.Equal(keeps[50..100].Select(value => -value), replaces[50..100]);
        Assert.All(keeps[..50].Concat(keeps[100..]), value => Assert.Equal(0, value));
    }

    [Fact]
    public void Gains_start_at_one_and_normalised_states_without_bias()
    {
        foreach (var initialization in Enum.GetValues<RecurrentInitialization>())
        {
            var layer = new Lstm<double>(I, H, new() { LayerNormalization = true, Initialization = initialization });
            Assert.All(Find(layer, "norm_ih_l0").ToArray(), value => Assert.Equal(1, value));
            Assert.All(Find(layer, "norm_hh_l0").ToArray(), value => Assert.Equal(1, value));
            Assert.Equal([.. Enumerable.Repeat(1.0, H), .. Enumerable.Repeat(0.0, H)], Find(layer, "norm_c_l0").ToArray());
        }
    }

    [Fact]
    public void Weights_of_independent_units_start_between_zero_and_one()
    {
        var u = Find(new IndRnn<double>(I, 200, new() { Seed = 1 }), "weight_v_l0").ToArray();
        Assert.All(u, value => Assert.InRange(value, 0, 1));
        Assert.Equal(0.5, u.Average(), 0.08);
    }

    [Fact]
    public void A_seed_gives_the_same_weights_and_another_seed_others()
    {
        double[] Weights(ulong seed) => [.. new Lstm<double>(I, H, new() { Seed = seed }).Parameters.SelectMany(p => p.Value.ToArray())];
        Assert.Equal(Weights(1), Weights(1));
        Assert.NotEqual(Weights(1), Weights(2));
    }

    private static Tensor<double> Find(Module<double> layer, string name) => layer.NamedParameters.Single(pair => pair.Key == name).Value.Value;

    private static void AssertUniform(Tensor<double> tensor, double limit)
    {
        var values = tensor.ToArray();
        Assert.All(values, value => Assert.InRange(value, -limit, limit));
        Assert.True(values.Max() > 0.8 * limit && values.Min() < -0.8 * limit);
    }
}
