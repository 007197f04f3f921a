using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Tests.Layers;

/// <summary>sLSTM against its equations as the paper has them, without stabiliser, and far outside the range in which those can be computed.</summary>
public sealed class SLstmTests
{
    public static TheoryData<bool, int> Forgets() => new() { { false, 1 }, { true, 1 }, { false, 3 }, { true, 3 } };

    [Theory]
    [MemberData(nameof(Forgets))]
    public void The_stabilised_layer_has_the_outputs_of_the_plain_equations(bool exponential, int heads)
    {
        const int Inputs = 4, Hidden = 9, Steps = 12;
        var layer = new SLstm<double>(Inputs, Hidden, new() { ExponentialForget = exponential, Heads = heads, Seed = 1 });
        var x = Tensor<double>.RandomNormal(new RandomSource(2), 0, 2, 1, Steps, Inputs);
        var output = layer.Forward(x, []).Output;
        var (w, u, b) = (Values("weight_ih_l0"), Values("weight_hh_l0"), Values("bias_l0"));
        var (h, c, n) = (new double[Hidden], new double[Hidden], new double[Hidden]);
        var width = Hidden / heads;
        for (var step = 0; step < Steps; step++)
        {
            var before = h.ToArray();
            for (var unit = 0; unit < Hidden; unit++)
            {
                var (i, z, o) = (Math.Exp(Gate(0)), Math.Tanh(Gate(2)), Sigmoid(Gate(3)));
                var f = exponential ? Math.Exp(Gate(1)) : Sigmoid(Gate(1));
                c[unit] = (f * c[unit]) + (i * z);
                n[unit] = (f * n[unit]) + i;
                h[unit] = o * c[unit] / n[unit];
                Assert.Equal(h[unit], output[0, step, unit], 1e-12);

                double Gate(int gate)
                {
                    var row = (gate * Hidden) + unit;
                    var sum = b[row];
                    for (var k = 0; k < Inputs; k++)
                    {
                        sum += w[(row * Inputs) + k] * x[0, step, k];
                    }

                    for (var k = 0; k < width; k++)
                    {
                        sum += u[(row * width) + k] * before[(unit / width * width) + k];
                    }

                    return sum;
                }
            }
        }

        double[] Values(string name) => layer.NamedParameters.Single(pair => pair.Key == name).Value.Value.ToArray();
    }

    [Theory]
    [MemberData(nameof(Forgets))]
    public void Gate_inputs_of_a_thousand_neither_overflow_nor_vanish(bool exponential, int heads)
    {
        // Logarithms of the weights are numbers near 1000 and have their digits: half an ulp, 3e-5 in float, a step.
        CheckExtremes<float>(exponential, heads, 9 * 3e-5);
        CheckExtremes<double>(exponential, heads, 1e-12);
    }

    [Fact]
    public void The_normaliser_is_one_or_more_and_the_output_within_one()
    {
        var layer = new SLstm<double>(3, 5, new() { Seed = 4 });
        var state = layer.Forward(Tensor<double>.RandomNormal(new RandomSource(5), 0, 30, 7, 40, 3), []).FinalState;
        Assert.Equal(["h_l0", "c_l0", "n_l0", "m_l0"], state.Names);
        Assert.All(state["n_l0"].ToArray(), n => Assert.InRange(n, 1, 41));
        Assert.All(state["h_l0"].ToArray(), h => Assert.InRange(h, -1, 1));
    }

    [Fact]
    public void Zoneout_of_the_cell_state_alone_is_refused()
    {
        var error = Assert.Throws<ArgumentException>(() => new SLstm<float>(2, 4, new() { CellZoneout = 0.1 }));
        Assert.StartsWith("CellZoneout: the memory of the cell 'slstm' is several states that belong together; use HiddenZoneout.", error.Message, StringComparison.Ordinal);
    }

    // Every combination of input and forget pre-activations of −1000, 0 and 1000, step after step, with a cell input near 1 at the first step and near −1 afterwards.
    private static void CheckExtremes<T>(bool exponential, int heads, double tolerance)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        const int Steps = 9;
        var layer = new SLstm<T>(4, 3, new() { ExponentialForget = exponential, Heads = heads, Seed = 1 });
        foreach (var (name, parameter) in layer.NamedParameters)
        {
            using (var edit = parameter.Value.Edit())
            {
                edit.Span.Clear();
            }

            for (var row = 0; row < 12 && name == "weight_ih_l0"; row++)
            {
                parameter.Value[row, row / 3] = T.One;
            }
        }

        double[] levels = [-1000, 0, 1000];
        foreach (var (first, forget, input) in levels.SelectMany(a => levels.SelectMany(b => levels.Select(c => (a, b, c)))))
        {
            var x = Tensor<T>.Zeros(1, Steps, 4);
            for (var step = 0; step < Steps; step++)
            {
                x[0, step, 0] = T.CreateTruncating(step == 0 ? first : input);
                x[0, step, 1] = T.CreateTruncating(forget);
                x[0, step, 2] = T.CreateTruncating(step == 0 ? 0.5 : -0.5);
                x[0, step, 3] = T.CreateTruncating(1000);
            }

            x.RequiresGradient = true;
            var output = layer.Forward(x, []);
            output.Output.Sum().Backward();
            Assert.All(x.Gradient!.ToArray(), g => Assert.True(T.IsFinite(g)));
            Assert.All(output.FinalState.Tensors, state => Assert.All(state.ToArray(), value => Assert.True(T.IsFinite(value))));

            // What outweighs all else stands in the output: by logarithms, exactly.
            var logForget = exponential ? forget : forget < 0 ? forget : forget == 0 ? -Math.Log(2) : 0;
            for (var step = 0; step < Steps; step++)
            {
                double[] logWeights = [.. Enumerable.Range(0, step + 1).Select(k => (k == 0 ? first : input) + ((step - k) * logForget))];
                var largest = logWeights.Max();
                var weights = logWeights.Select(log => Math.Exp(log - largest)).ToArray();
                var mean = weights.Select((weight, k) => weight * (k == 0 ? 1 : -1)).Sum() / weights.Sum() * Math.Tanh(0.5);
                Assert.Equal(mean, double.CreateTruncating(output.Output[0, step, 1]), tolerance);
            }
        }
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
