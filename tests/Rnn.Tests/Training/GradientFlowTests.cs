using System.Globalization;
using MathNet.Numerics.LinearAlgebra;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Training;
using Rnn.UserTests.Layers;

namespace Rnn.Tests.Training;

public class GradientFlowTests
{
    public static TheoryData<string> Layers { get; } =
    [
        "rnn-tanh", "rnn-identity", "indrnn-tanh", "lstm", "lstm-fullpeephole", "lstm-layernorm", "lstm-coupled", "gru", "gru-before", "mgu", "projected", "stack", "residual", "zoneout", "chain", "tail", "own",
    ];

    // ‖∂h_t/∂h_k‖ of h = W h₋ + V x is ‖W^(t−k)‖, which falls or grows by the spectral radius a step over long spans, whatever the norm of W.
    [Theory]
    [InlineData(1, 0.9)]
    [InlineData(3, 0.5)]
    [InlineData(17, 1.1)]
    [InlineData(37, 0.97)]
    public void Norms_of_a_linear_cell_decay_by_the_spectral_radius(int size, double radius)
    {
        const int Steps = 600, Span = 300;
        var layer = Linear(size, radius);
        var report = GradientFlow.Measure(layer, Input(1, Steps, 2));
        var spectrum = Assert.Single(report.Spectra);
        Assert.Equal(radius, spectrum.SpectralRadius!.Value, 1e-12);
        Assert.True(size == 1 || spectrum.Norm > 1.02 * radius, $"A norm of {spectrum.Norm} tells nothing of the radius.");
        var decay = Math.Pow(report.JacobianNorms[0] / report.JacobianNorms[Span], 1.0 / Span);
        Assert.InRange(decay, 0.99 * spectrum.SpectralRadius.Value, 1.01 * spectrum.SpectralRadius.Value);

        // And every one of them is the norm of a power of the matrix.
        var power = Matrix<double>.Build.DenseIdentity(size);
        var weights = Weights(layer);
        for (var k = Steps; k >= Steps - 20; k--)
        {
            AssertRelative(power.Svd().S[0], report.JacobianNorms[k], 1e-12);
            power *= weights;
        }
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void Norms_are_those_of_products_of_the_Jacobians_of_single_steps(string name)
    {
        const int Steps = 12;
        var layer = Make(name);
        var x = Input(2, Steps, layer.InputSize);
        var report = GradientFlow.Measure(layer, x, new() { JacobianRow = 1, JacobianStep = Steps - 1 });
        Assert.Equal(Steps, report.JacobianNorms.Count);
        Assert.Equal(1, report.JacobianNorms[^1], 1e-15);
        var states = new List<SequenceState<double>> { layer.InitialState(1) };
        using (NoGradient.Enter())
        {
            layer.Evaluate();
            for (var t = 0; t < Steps; t++)
            {
                states.Add(layer.Step(x.Slice(0, 1..2).Select(1, t), states[^1]).State);
            }
        }

        var product = Matrix<double>.Build.DenseIdentity(report.StateSize);
        for (var k = Steps - 2; k >= 0; k--)
        {
            product *= GradientFlow.Jacobian(layer, x.Slice(0, 1..2).Slice(1, k..(k + 1)).Reshape(1, layer.InputSize), states[k]).ToMatrix();
            AssertRelative(product.Svd().S[0], report.JacobianNorms[k], 1e-9);
        }
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void A_Jacobian_is_that_of_differences(string name)
    {
        var layer = Make(name);
        layer.Evaluate();
        var x = Input(1, 3, layer.InputSize);
        var state = RandomState(layer);
        var jacobian = GradientFlow.Jacobian(layer, x.Reshape(3, layer.InputSize), state);
        var values = Flat(state);
        Assert.Equal(new Shape(values.Length, values.Length), jacobian.Shape);
        for (var j = 0; j < values.Length; j++)
        {
            var (above, below) = (After(j, 1e-5), After(j, -1e-5));
            for (var i = 0; i < values.Length; i++)
            {
                Assert.Equal((above[i] - below[i]) / 2e-5, jacobian[i, j], 1e-8);
            }
        }

        double[] After(int index, double change)
        {
            double[] changed = [.. values];
            changed[index] += change;
            return Flat(layer.Forward(x, default, Unflat(state, changed)).FinalState);
        }
    }

    // The loss looks at all outputs: what a state gets from its own step counts where the output is the state, and not in a layer of a user's own.
    [Theory]
    [MemberData(nameof(Layers))]
    public void Gradients_of_states_are_those_of_differences(string name)
    {
        const int Steps = 5;
        var layer = Make(name);
        layer.Evaluate();
        var x = Input(2, Steps, layer.InputSize);
        var weights = Tensor<double>.RandomNormal(new RandomSource(5), 0, 1, 2, Steps, layer.OutputSize);
        var report = GradientFlow.Measure(layer, x, new() { Loss = y => (y.Square() * weights).Sum() });
        Assert.Equal(Steps + 1, report.StateGradients.Count);
        for (var t = 0; t <= Steps; t++)
        {
            var (norms, parts) = (0.0, new double[report.Tensors.Count]);
            for (var row = 0; row < 2; row++)
            {
                var gradient = Differences(layer, x.Slice(0, row..(row + 1)), weights.Slice(0, row..(row + 1)), t, Decodes(name));
                norms += Math.Sqrt(gradient.Sum(value => value * value)) / 2;
                for (int i = 0, at = 0; i < parts.Length; at += report.Tensors[i++].Size)
                {
                    parts[i] += Math.Sqrt(gradient.AsSpan(at, report.Tensors[i].Size).ToArray().Sum(value => value * value)) / 2;
                }
            }

            Assert.Equal(norms, report.StateGradients[t], 1e-7);
            Assert.Equal(parts.Length, report.Tensors.Count);
            Assert.All(parts.Zip(report.Tensors), pair => Assert.Equal(pair.First, pair.Second.Norms[t], 1e-7));
        }
    }

    [Fact]
    public void Without_a_loss_each_row_begins_with_a_gradient_of_length_one_at_its_last_step()
    {
        int[] lengths = [4, 0, 7, 1];
        var layer = Make("gru");
        var x = Input(4, 7, layer.InputSize);
        var report = GradientFlow.Measure(layer, x, new() { Lengths = lengths, Seed = 3 });
        Assert.Equal(1, report.StateGradients[7], 1e-12);

        // Each row by itself, its norms taken together where it has as many steps.
        var alone = lengths.Select((length, row) => length == 0 ? null : GradientFlow.Measure(layer, x.Slice(0, row..(row + 1)).Slice(1, ..length), new() { Seed = 3 })).ToArray();
        for (var t = 0; t <= 7; t++)
        {
            var norms = alone.Where((_, row) => lengths[row] >= Math.Max(1, t)).Select(each => each!.StateGradients[t]).ToArray();
            AssertRelative(norms.Average(), report.StateGradients[t], 1e-12);
        }

        AssertSame(alone[0]!.JacobianNorms, report.JacobianNorms, 1e-12);
        AssertSame(alone[2]!.JacobianNorms, GradientFlow.Measure(layer, x, new() { Lengths = lengths, JacobianRow = 2 }).JacobianNorms, 1e-12);
    }

    [Fact]
    public void Steps_that_no_row_reaches_have_no_norm()
    {
        var layer = Make("lstm");
        var x = Input(2, 6, layer.InputSize);
        x[0, 5, 0] = x[1, 2, 0] = double.NaN;
        var report = GradientFlow.Measure(layer, x, new() { Lengths = [3, 2] });
        Assert.All([4, 5, 6], t => Assert.Equal(double.NaN, report.StateGradients[t]));
        Assert.All([0, 1, 2, 3], t => Assert.InRange(report.StateGradients[t], 1e-6, 1e3));
        Assert.Equal(4, report.JacobianNorms.Count);
        Assert.DoesNotContain("NaN", report.ToString(), StringComparison.Ordinal);
    }

    // In single precision: 0.5^400 and 2^400 are beyond it, and the engine takes what is below 1e-30 for zero.
    [Theory]
    [InlineData(0.5)]
    [InlineData(2)]
    public void Neither_vanishing_nor_exploding_gradients_leave_the_range_of_single_precision(double gain)
    {
        var layer = new SimpleRnn<float>(1, 17, new() { Activation = Activation.Identity, Seed = 1 });
        Edit(layer.Parameters.ElementAt(1).Value, (value, _) => (float)(value * gain));
        var report = GradientFlow.Measure(layer, Tensor<float>.Zeros(1, 400, 1));
        AssertRelative(Math.Pow(gain, 400), report.JacobianNorms[0], 1e-4);
        AssertRelative(Math.Pow(gain, 400), report.StateGradients[0], 1e-4);
        AssertRelative(gain, report.JacobianFactor, 1e-6);
    }

    [Fact]
    public void A_tensor_of_the_state_is_measured_along_all_ways()
    {
        var layer = Make("lstm");
        var x = Input(1, 9, layer.InputSize);
        var whole = GradientFlow.Jacobian(layer, x.Reshape(9, layer.InputSize)).ToMatrix();
        foreach (var (name, start) in new[] { ("h_l0", 0), ("c_l0", 5) })
        {
            var report = GradientFlow.Measure(layer, x, new() { JacobianState = name });
            AssertRelative(whole.SubMatrix(start, 5, start, 5).Svd().S[0], report.JacobianNorms[0], 1e-12);
        }
    }

    [Fact]
    public void Measuring_changes_neither_gradients_nor_random_numbers_nor_what_is_frozen()
    {
        var layer = new Lstm<double>(3, 5, new() { Dropout = 0.5, Layers = 2, RecurrentDropout = 0.3, LearnedInitialState = true, Seed = 1 });
        var head = new Linear<double>(5, 2);
        var frozen = layer.Parameters.ElementAt(2);
        frozen.Frozen = true;
        var x = Input(2, 4, 3);
        head.Forward(layer.Forward(x)).Sum().Backward();
        var gradients = layer.Parameters.Concat(head.Parameters).Select(parameter => parameter.Gradient?.ToArray()).ToArray();
        var random = layer.Random.GetState();
        Tensor<double>? seen = null;
        GradientFlow.Measure(layer, x, new() { Loss = y => (seen = head.Forward(y) * head.Weight.Value.Transpose().Mean()).Sum() });
        GradientFlow.Jacobian(layer, x.Select(0, 0));
        Assert.Equal(gradients, layer.Parameters.Concat(head.Parameters).Select(parameter => parameter.Gradient?.ToArray()));
        Assert.Equal(random, layer.Random.GetState());
        Assert.Equal([frozen], layer.Parameters.Concat(head.Parameters).Where(parameter => parameter.Frozen));
        Assert.True(layer.IsTraining);
        Assert.False(x.RequiresGradient);
        Assert.NotNull(seen);
    }

    [Fact]
    public void It_measures_where_recording_is_off_and_inside_a_scope()
    {
        var layer = Make("gru");
        var x = Input(2, 4, layer.InputSize);
        var expected = GradientFlow.Measure(layer, x);
        using (NoGradient.Enter())
        using (TensorScope.Enter())
        {
            var report = GradientFlow.Measure(layer, x);
            Assert.Equal(expected.StateGradients, report.StateGradients);
            Assert.Equal(expected.JacobianNorms, report.JacobianNorms);
            Assert.Equal(GradientFlow.Jacobian(layer, Input(1, 1, 3).Reshape(1, 3)).ToArray(), GradientFlow.Jacobian(layer, Input(1, 1, 3).Reshape(1, 3)).ToArray());
        }
    }

    [Fact]
    public void A_report_is_a_table()
    {
        var text = GradientFlow.Measure(Linear(3, 0.5), Input(2, 9, 2)).ToString();
        var lines = text.Split('\n');
        Assert.StartsWith("gradient flow through SimpleRnn", lines[0], StringComparison.Ordinal);
        Assert.EndsWith("a state of 3 numbers", lines[0], StringComparison.Ordinal);
        Assert.Matches(@"^norm of the gradient +t = 0 +t = 2 +t = 4 +t = 6 +t = 9$", lines[2]);
        Assert.Matches(@"^loss by state( +\d\.\d\de-\d){4} +1\.00e\+0$", lines[3]);
        Assert.Contains(lines, line => line.StartsWith("weight_hh_l0", StringComparison.Ordinal) && line.Contains(" 0.5 ", StringComparison.Ordinal));
        Assert.EndsWith("l0                         3          0", text, StringComparison.Ordinal);
        Assert.Contains("loss by state after t steps", GradientFlow.Measure(Linear(3, 0.5), Input(2, 9, 2)).ToChart().ToString(), StringComparison.Ordinal);
    }

    // dL/ds_t by differences: the sequence up to t, a change of the state, and the rest from there. Where the output is the hidden state of the top layer, the output of step t changes with it.
    private static double[] Differences(SequenceLayer<double> layer, Tensor<double> x, Tensor<double> weights, int t, Func<SequenceState<double>, SequenceLayer<double>, Tensor<double>, Tensor<double>>? output)
    {
        var (steps, state) = (x.Shape[1], layer.InitialState(1));
        state = t > 0 ? layer.Forward(x.Slice(1, ..t), default, state).FinalState : state;
        var values = Flat(state);

        // Extrapolated from two steps.
        return [.. values.Select((_, i) => ((4 * Slope(i, 5e-6)) - Slope(i, 1e-5)) / 3)];

        double Slope(int index, double change) => (LossOf(index, change) - LossOf(index, -change)) / (2 * change);

        double LossOf(int index, double change)
        {
            double[] changed = [.. values];
            changed[index] += change;
            var moved = Unflat(state, changed);
            var sum = t < steps ? (layer.Forward(x.Slice(1, t..), default, moved).Output.Square() * weights.Slice(1, t..)).Sum().Item() : 0;
            return t > 0 && output is not null ? sum + (output(moved, layer, x.Select(1, t - 1)).Square() * weights.Select(1, t - 1)).Sum().Item() : sum;
        }
    }

    private static Func<SequenceState<double>, SequenceLayer<double>, Tensor<double>, Tensor<double>>? Decodes(string name) => name switch
    {
        "own" => null,
        "residual" => (state, _, x) => state.Hidden() + state.Hidden(0) + x,
        "chain" => (state, _, _) => state.Part("2").Hidden(),
        "tail" => (state, layer, _) => ((SequenceChain<double>)layer)[1].Forward(state.Part("0").Hidden()).Tanh(),
        _ => (state, _, _) => state.Hidden(),
    };

    private static SequenceLayer<double> Make(string name)
    {
        SequenceLayer<double> layer = name switch
        {
            "projected" => new Lstm<double>(3, 5, new() { ProjectionSize = 2, Seed = 1 }),
            "stack" => new Lstm<double>(3, 5, new() { HiddenSizes = [4, 3], Dropout = 0.5, Seed = 1 }),
            "residual" => new Gru<double>(5, 5, new() { Layers = 2, Residual = true, Seed = 1 }),
            "zoneout" => new Gru<double>(3, 5, new() { HiddenZoneout = 0.3, RecurrentDropout = 0.2, Seed = 1 }),
            "chain" => new SequenceChain<double>(new Gru<double>(3, 4, new() { Seed = 1 }), new LayerNorm<double>(4), new Lstm<double>(4, 2, new() { Seed = 2 })),
            "tail" => new SequenceChain<double>(new Lstm<double>(3, 4, new() { Seed = 1 }), new Linear<double>(4, 3), new ActivationLayer<double>(Activation.Tanh)),
            "own" => new MovingAverage<double>(2, 3),
            _ => RecurrentLayer<double>.Create(name, 3, 5, new() { Seed = 1, LearnedInitialState = name == "gru" }),
        };
        var random = new RandomSource(7);
        foreach (var parameter in layer.Parameters)
        {
            Edit(parameter.Value, (value, _) => value + (0.4 * random.NextNormal()));
        }

        return layer;
    }

    private static SimpleRnn<double> Linear(int size, double radius)
    {
        var layer = new SimpleRnn<double>(2, size, new() { Activation = Activation.Identity, Seed = 1 });
        var random = new RandomSource(11);
        Edit(layer.Parameters.ElementAt(1).Value, (_, _) => random.NextNormal());
        var largest = Weights(layer).Evd().EigenValues.Max(value => value.Magnitude);
        Edit(layer.Parameters.ElementAt(1).Value, (value, _) => value * radius / largest);
        return layer;
    }

    private static Matrix<double> Weights(Module<double> layer) => layer.NamedParameters.Single(pair => pair.Key == "weight_hh_l0").Value.Value.ToMatrix();

    private static Tensor<double> Input(int rows, int steps, int width) => Tensor<double>.RandomNormal(new RandomSource(2), 0, 1, rows, steps, width);

    private static SequenceState<double> RandomState(SequenceLayer<double> layer)
    {
        var zero = layer.ZeroState(1);
        return Unflat(zero, [.. Tensor<double>.RandomNormal(new RandomSource(3), 0, 0.7, Flat(zero).Length).ToArray()]);
    }

    private static double[] Flat(SequenceState<double> state) => [.. state.Tensors.SelectMany(tensor => tensor.ToArray())];

    private static SequenceState<double> Unflat(SequenceState<double> like, double[] values)
    {
        var tensors = new List<(string, Tensor<double>)>();
        var at = 0;
        for (var i = 0; i < like.Names.Count; i++)
        {
            tensors.Add((like.Names[i], Tensor<double>.From(values.AsSpan(at, like.Tensors[i].Length), like.Tensors[i].Shape)));
            at += like.Tensors[i].Length;
        }

        return new(1, [.. tensors]);
    }

    internal static void Edit<T>(Tensor<T> tensor, Func<T, int, T> change)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        using var edit = tensor.Edit();
        for (var i = 0; i < edit.Span.Length; i++)
        {
            edit.Span[i] = change(edit.Span[i], i);
        }
    }

    private static void AssertSame(IReadOnlyList<double> expected, IReadOnlyList<double> actual, double tolerance)
    {
        Assert.Equal(expected.Count, actual.Count);
        Assert.All(expected.Zip(actual), pair => AssertRelative(pair.First, pair.Second, tolerance));
    }

    private static void AssertRelative(double expected, double actual, double tolerance) =>
        Assert.True(Math.Abs(actual - expected) <= tolerance * Math.Abs(expected), string.Create(CultureInfo.InvariantCulture, $"{actual} is not {expected} to {tolerance}."));
}
