using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Training;
using Rnn.UserTests.Layers;

namespace Rnn.Tests.Training;

/// <summary>Saturated gates and dead units against plain loops over the equations.</summary>
public class ActivityTests
{
    private static readonly int[] Lengths = [4, 0, 6, 1];

    [Fact]
    public void Gates_of_an_LSTM_are_those_of_its_equations()
    {
        var layer = new Lstm<double>(3, 5, new() { Seed = 1 });
        var x = Spread(layer);
        var counts = new Dictionary<string, List<double>>();
        Rows(x, (input, state) =>
        {
            var a = PreActivations(layer, "weight_hh_l0", input, state[0], 20);
            for (var unit = 0; unit < 5; unit++)
            {
                double i = Sigma(a[unit]), f = Sigma(a[5 + unit]), g = Math.Tanh(a[10 + unit]), o = Sigma(a[15 + unit]);
                state[1][unit] = (f * state[1][unit]) + (i * g);
                state[0][unit] = o * Math.Tanh(state[1][unit]);
                Count(counts, ("i", i), ("f", f), ("g", g), ("o", o));
            }
        });
        Check(layer, x, counts, "l0", ["i", "f", "g", "o"]);
    }

    [Fact]
    public void Gates_of_a_GRU_are_those_of_its_equations()
    {
        var layer = new Gru<double>(3, 5, new() { Seed = 1 });
        var x = Spread(layer);
        var (input, recurrent, bias) = (Values(layer, "weight_ih_l0"), Values(layer, "weight_hh_l0"), Values(layer, "bias_l0"));
        var counts = new Dictionary<string, List<double>>();
        Rows(x, (inputs, state) =>
        {
            var before = (double[])state[0].Clone();
            for (var unit = 0; unit < 5; unit++)
            {
                double Wx(int gate) => bias[(gate * 5) + unit] + Enumerable.Range(0, 3).Sum(k => input[(((gate * 5) + unit) * 3) + k] * inputs[k]);
                double Uh(int gate) => Enumerable.Range(0, 5).Sum(k => recurrent[(((gate * 5) + unit) * 5) + k] * before[k]);
                double r = Sigma(Wx(0) + Uh(0)), z = Sigma(Wx(1) + Uh(1)), n = Math.Tanh(Wx(2) + (r * (Uh(2) + bias[15 + unit])));
                state[0][unit] = ((1 - z) * n) + (z * before[unit]);
                Count(counts, ("r", r), ("z", z), ("n", n));
            }
        });
        Check(layer, x, counts, "l0", ["r", "z", "n"]);
    }

    [Theory]
    [InlineData(Activation.Tanh)]
    [InlineData(Activation.Sigmoid)]
    [InlineData(Activation.HardSigmoid)]
    public void The_outputs_of_a_plain_cell_saturate(Activation activation)
    {
        var layer = new SimpleRnn<double>(3, 5, new() { Seed = 1, Activation = activation });
        var x = Spread(layer);
        var counts = new Dictionary<string, List<double>>();
        Rows(x, (input, state) =>
        {
            var a = PreActivations(layer, "weight_hh_l0", input, state[0], 5);
            for (var unit = 0; unit < 5; unit++)
            {
                state[0][unit] = activation switch
                {
                    Activation.Tanh => Math.Tanh(a[unit]),
                    Activation.Sigmoid => Sigma(a[unit]),
                    _ => Math.Clamp((a[unit] / 6) + 0.5, 0, 1),
                };
                Count(counts, ("h", state[0][unit]));
            }
        });
        Check(layer, x, counts, "l0", ["h"], isTanh: activation == Activation.Tanh);
    }

    [Fact]
    public void What_cannot_be_known_is_left_out()
    {
        SequenceLayer<double>[] layers =
        [
            new SimpleRnn<double>(3, 5, new() { Activation = Activation.Relu }), new SimpleRnn<double>(3, 5, new() { ProjectionSize = 2 }), new SimpleRnn<double>(3, 5, new() { HiddenZoneout = 0.5 }), new MovingAverage<double>(3, 4),
        ];
        Assert.All(layers, layer => Assert.Empty(GradientFlow.Measure(layer, Tensor<double>.Ones(2, 3, 3)).Gates));
    }

    [Fact]
    public void Layers_of_chains_and_stacks_have_names_of_their_own()
    {
        var chain = new SequenceChain<float>(new Gru<float>(3, 4, new() { Layers = 2 }), new Linear<float>(4, 2), new Lstm<float>(2, 3));
        var report = GradientFlow.Measure(chain, Tensor<float>.RandomNormal(new RandomSource(1), 0, 1, 3, 5, 3));
        Assert.Equal(["0.l0", "0.l1", "2.l0"], report.Units.Select(unit => unit.Layer));
        Assert.Equal([4, 4, 3], report.Units.Select(unit => unit.Units));
        Assert.Equal(["0.l0 r", "0.l0 z", "0.l0 n", "0.l1 r", "0.l1 z", "0.l1 n", "2.l0 i", "2.l0 f", "2.l0 g", "2.l0 o"], report.Gates.Select(gate => $"{gate.Layer} {gate.Gate}"));
    }

    [Fact]
    public void Units_that_never_move_are_dead()
    {
        var layer = new SimpleRnn<double>(3, 5, new() { Activation = Activation.Relu, Seed = 1 });
        GradientFlowTests.Edit(layer.NamedParameters.Single(pair => pair.Key == "bias_l0").Value.Value, (_, i) => i is 1 or 4 ? -100 : 1);
        var x = Tensor<double>.RandomNormal(new RandomSource(1), 0, 1, 3, 6, 3);
        var units = Assert.Single(GradientFlow.Measure(layer, x).Units);
        Assert.Equal(("l0", 5, 2), (units.Layer, units.Units, units.Dead));
        Assert.Equal(5, GradientFlow.Measure(layer, x, new() { DeadRange = 1e6 }).Units[0].Dead);

        // A single value never moves; of a layer of a user's own the outputs are looked at.
        Assert.Equal(5, GradientFlow.Measure(layer, x.Slice(0, ..1).Slice(1, ..1)).Units[0].Dead);
        var own = Assert.Single(GradientFlow.Measure(new MovingAverage<double>(3, 4), x).Units);
        Assert.Equal(("output", 3, 0), (own.Layer, own.Units, own.Dead));
    }

    // Weights so large that all parts of the curves are met.
    private static Tensor<double> Spread(Module<double> layer)
    {
        var random = new RandomSource(3);
        foreach (var parameter in layer.Parameters)
        {
            GradientFlowTests.Edit(parameter.Value, (_, _) => 1.5 * random.NextNormal());
        }

        return Tensor<double>.RandomNormal(random, 0, 1, Lengths.Length, 6, 3);
    }

    private static void Rows(Tensor<double> x, Action<double[], double[][]> step)
    {
        for (var row = 0; row < Lengths.Length; row++)
        {
            double[][] state = [new double[5], new double[5]];
            for (var t = 0; t < Lengths[row]; t++)
            {
                step([x[row, t, 0], x[row, t, 1], x[row, t, 2]], state);
            }
        }
    }

    private static double[] PreActivations(Module<double> layer, string weight, double[] x, double[] h, int count)
    {
        var (input, recurrent, bias) = (Values(layer, "weight_ih_l0"), Values(layer, weight), Values(layer, "bias_l0"));
        return
        [
            .. Enumerable.Range(0, count).Select(row =>
                bias[row] + Enumerable.Range(0, 3).Sum(k => input[(row * 3) + k] * x[k]) + Enumerable.Range(0, 5).Sum(k => recurrent[(row * 5) + k] * h[k])),
        ];
    }

    private static void Check(SequenceLayer<double> layer, Tensor<double> x, Dictionary<string, List<double>> counts, string name, string[] order, bool isTanh = true)
    {
        var gates = GradientFlow.Measure(layer, x, new() { Lengths = Lengths }).Gates;
        Assert.Equal(order, gates.Select(gate => gate.Gate));
        foreach (var gate in gates)
        {
            var (values, tanh) = (counts[gate.Gate], gate.Gate is "g" or "n" || (gate.Gate == "h" && isTanh));
            Assert.Equal(name, gate.Layer);
            Assert.Equal(11 * 5, values.Count);
            Assert.Equal(values.Count(value => value < (tanh ? -0.9 : 0.1)) / 55.0, gate.Low, 1e-12);
            Assert.Equal(values.Count(value => value > 0.9) / 55.0, gate.High, 1e-12);
            Assert.True(gate.Low > 0 && gate.High > 0, $"{gate.Gate} is not saturated, which would test nothing.");
        }
    }

    private static void Count(Dictionary<string, List<double>> counts, params (string Gate, double Value)[] values)
    {
        foreach (var (gate, value) in values)
        {
            if (!counts.TryGetValue(gate, out var list))
            {
                counts[gate] = list = [];
            }

            list.Add(value);
        }
    }

    private static double[] Values(Module<double> layer, string name) => layer.NamedParameters.Single(pair => pair.Key == name).Value.Value.ToArray();

    private static double Sigma(double a) => 1 / (1 + Math.Exp(-a));
}
