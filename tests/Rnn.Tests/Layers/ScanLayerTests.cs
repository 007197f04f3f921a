using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Training;
using static Rnn.Tests.Layers.LayerSteps;

namespace Rnn.Tests.Layers;

/// <summary>minGRU, minLSTM and RG-LRU against the formulas of their papers in composed operations.</summary>
public sealed class ScanLayerTests
{
    public static TheoryData<string> Kinds => [.. Makers.Keys];

    private static readonly Dictionary<string, Func<int, ScanLayer<double>>> Makers = new(StringComparer.Ordinal)
    {
        ["minGRU"] = size => new MinGru<double>(3, size, new() { Seed = 1, ForgetBias = 0.5 }),
        ["minGRU identity"] = size => new MinGru<double>(3, size, new() { Seed = 1, Candidate = ScanCandidate.Identity }),
        ["minGRU tanh"] = size => new MinGru<double>(3, size, new() { Seed = 1, Candidate = ScanCandidate.Tanh, Bias = false }),
        ["minLSTM"] = size => new MinLstm<double>(3, size, new() { Seed = 1, ForgetBias = 0.5 }),
        ["minLSTM identity"] = size => new MinLstm<double>(3, size, new() { Seed = 1, Candidate = ScanCandidate.Identity, Bias = false }),
        ["minLSTM tanh"] = size => new MinLstm<double>(3, size, new() { Seed = 1, Candidate = ScanCandidate.Tanh }),
        ["RG-LRU"] = size => new RgLru<double>(size, new() { Seed = 1 }),
        ["RG-LRU short"] = size => new RgLru<double>(size, new() { Seed = 1, Exponent = 2, MinDecay = 0.1, MaxDecay = 0.6, Bias = false }),
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void States_and_gradients_are_those_of_the_formulas(string kind)
    {
        foreach (var size in new[] { 1, 3, 17, 37, 129 })
        {
            var layer = Make(kind, size);
            int[] lengths = [5, 0, 7, 1];
            var x = Leaf(2, 4, 7, layer.InputSize);
            var h = Leaf(3, 4, size);
            for (var step = 5; step < 7; step++)
            {
                x.AsSpan().Slice(step * layer.InputSize, layer.InputSize).Fill(double.NaN);
            }

            var weight = Tensor<double>.RandomNormal(new RandomSource(4), 0, 1, 4, 7, size);
            Tensor<double>[] leaves = [x, h, .. layer.Parameters.Select(parameter => parameter.Value)];
            var (output, state) = layer.Forward(x, lengths, new SequenceState<double>(4, ("h", h)));
            ((output * weight).Sum() + state["h"].Square().Sum()).Backward();
            var actual = Take(leaves);
            var (expected, last) = Composed(layer, x, lengths, h);
            Close(expected.ToArray(), output.ToArray());
            Close(last.ToArray(), state["h"].ToArray());
            ((expected * weight).Sum() + last.Square().Sum()).Backward();
            foreach (var (wanted, found) in Take(leaves).Zip(actual))
            {
                Close(wanted, found);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Gradients_agree_with_finite_differences(string kind)
    {
        var layer = Make(kind, 5);
        var x = Leaf(2, 2, 4, layer.InputSize);
        var result = GradientCheck.Run(() => layer.Forward(x, [4, 2]).Output.Square().Sum(), [("x", x), .. layer.NamedParameters.Select(pair => (pair.Key, pair.Value.Value))]);
        Assert.True(result.Passed, result.ToString());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Steps_have_the_bits_of_the_whole_sequence(string kind)
    {
        var layer = Make(kind, 19);
        var x = Tensor<double>.RandomNormal(new RandomSource(2), 0, 1, 4, 6, layer.InputSize);
        var initial = new SequenceState<double>(4, ("h", Tensor<double>.RandomNormal(new RandomSource(3), 0, 1, 4, 19)));
        var (output, state) = layer.Forward(x, initial);
        var stepper = layer.CreateStepper(2);
        stepper.SetState(initial);
        var next = initial;
        for (var step = 0; step < 6; step++)
        {
            Assert.Equal(output.Select(1, step).ToArray(), Step(stepper, x.Select(1, step)));
            (var y, next) = layer.Step(x.Select(1, step), next);
            Assert.Equal(output.Select(1, step).ToArray(), y.ToArray());
        }

        Assert.Equal(state["h"].ToArray(), stepper.GetState()["h"].ToArray());
        Assert.Equal(state["h"].ToArray(), next["h"].ToArray());

        // Rows in another order, one of them twice; then one begins anew.
        var saved = stepper.GetState();
        stepper.SelectRows(2, 0, 2, 1, 3);
        var input = x.Select(1, 0).IndexSelect(0, [1, 1, 1, 1, 1]);
        Assert.Equal(layer.Step(input, saved.SelectRows(2, 0, 2, 1, 3)).Output.ToArray(), Step(stepper, input));
        stepper.ResetRows([true, false, false, false, true]);
        var cleared = stepper.GetState()["h"];
        Assert.All(cleared.Slice(0, ..1).ToArray().Concat(cleared.Slice(0, 4..).ToArray()), value => Assert.Equal(0, value));
        stepper.Reset();
        Assert.Equal(layer.Step(input, null).Output.ToArray(), Step(stepper, input));

        // A step follows the parameters when they change.
        foreach (var parameter in layer.Parameters)
        {
            parameter.Value.AsSpan()[0] += 0.5;
        }

        stepper.Reset();
        Assert.Equal(layer.Step(input, null).Output.ToArray(), Step(stepper, input));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Steps_allocate_nothing(string kind)
    {
        var stepper = Make(kind, 19).CreateStepper(3);
        var (input, output) = (new double[3 * stepper.InputSize], new double[3 * 19]);
        stepper.Step(input, output);
        stepper.Step(input, output);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var step = 0; step < 20; step++)
        {
            stepper.Step(input, output);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Open_and_closed_gates_give_numbers(string kind)
    {
        var layer = Make(kind, 4);
        foreach (var scale in new[] { 1e3, 1e30, 1e-30 })
        {
            foreach (var sign in new[] { 1.0, -1.0 })
            {
                // All gates far beyond the range of the exponential function, or so small that nothing moves.
                layer.Gates.Weight.Value.AsSpan().Fill(sign * scale);
                foreach (var last in new[] { sign, -sign })
                {
                    layer.Gates.Weight.Value.AsSpan()[(layer.Gates.Weight.Value.Length / 2)..].Fill(last * scale);
                    var x = Leaf(2, 2, 9, layer.InputSize);
                    var output = layer.Forward(x);
                    output.Sum().Backward();
                    Assert.All(output.ToArray(), value => Assert.True(double.IsFinite(value), $"{value}"));
                    foreach (var parameter in layer.Parameters)
                    {
                        Assert.All(parameter.Value.Gradient!.ToArray(), value => Assert.True(double.IsFinite(value), $"{value} for a scale of {scale}"));
                        parameter.Value.ZeroGradient();
                    }
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_number_of_threads_changes_no_bit(string kind)
    {
        SameForThreads(Run);

        double[] Run()
        {
            var layer = Make(kind, 77);
            var x = Leaf(2, 9, 60, layer.InputSize);
            var output = layer.Forward(x);
            output.Square().Sum().Backward();
            return [.. output.ToArray(), .. x.Gradient!.ToArray(), .. layer.Parameters.SelectMany(parameter => parameter.Value.Gradient!.ToArray())];
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Files_bring_the_layer_back(string kind)
    {
        var layer = new SequenceChain<double>(Make(kind, 3), new LayerNorm<double>(3), new MinGru<double>(3, 4, new() { Seed = 2 }));
        using var memory = new MemoryStream();
        layer.Save(memory);
        memory.Position = 0;
        var opened = (SequenceChain<double>)Module<double>.Open(memory);
        var x = Tensor<double>.RandomNormal(new RandomSource(2), 0, 1, 2, 5, layer.InputSize);
        Assert.Equal(layer.Forward(x).ToArray(), opened.Forward(x).ToArray());
        Assert.Equal(layer[0].ToString(), opened[0].ToString());
    }

    [Fact]
    public void Batches_without_rows_or_steps_pass()
    {
        foreach (var layer in Makers.Keys.Select(kind => Make(kind, 3)))
        {
            Assert.Equal(new Shape(0, 4, 3), layer.Forward(Tensor<double>.Zeros(0, 4, 3)).Shape);
            var (output, state) = layer.Forward(Tensor<double>.Zeros(2, 0, 3), new SequenceState<double>(2, ("h", Tensor<double>.Ones(2, 3))));
            Assert.Equal(new Shape(2, 0, 3), output.Shape);
            Assert.Equal([1, 1, 1, 1, 1, 1], state["h"].ToArray());
        }
    }

    [Fact]
    public void The_decay_starts_between_its_bounds()
    {
        var layer = new RgLru<double>(500, new() { Seed = 3, MinDecay = 0.9, MaxDecay = 0.99 });
        var kept = layer.Decay.Value.ToArray().Select(value => Math.Pow(1 / (1 + Math.Exp(-value)), 8)).ToArray();
        Assert.All(kept, value => Assert.InRange(value, 0.9, 0.99));
        Assert.InRange(kept.Average(), 0.94, 0.95);
        var slow = new MinGru<double>(2, 3, new() { ForgetBias = 3 });
        Assert.Equal([-3, -3, -3, 0, 0, 0], slow.Gates.Bias!.Value.ToArray());
        Assert.Equal([3, 3, 3, 0, 0, 0, 0, 0, 0], new MinLstm<double>(2, 3, new() { ForgetBias = 3 }).Gates.Bias!.Value.ToArray());
    }

    [Fact]
    public void Mistakes_are_named()
    {
        Assert.Contains("Candidate: expected a ScanCandidate", Assert.Throws<ArgumentOutOfRangeException>(() => new ScanOptions { Candidate = (ScanCandidate)7 }).Message, StringComparison.Ordinal);
        Assert.Contains("ForgetBias: expected a finite number", Assert.Throws<ArgumentOutOfRangeException>(() => new ScanOptions { ForgetBias = double.NaN }).Message, StringComparison.Ordinal);
        Assert.Contains("MinDecay: expected a number between 0 and 1 but got 1", Assert.Throws<ArgumentOutOfRangeException>(() => new RgLruOptions { MinDecay = 1 }).Message, StringComparison.Ordinal);
        Assert.Contains("Exponent", Assert.Throws<ArgumentOutOfRangeException>(() => new RgLruOptions { Exponent = 0 }).Message, StringComparison.Ordinal);
        Assert.Contains("MinDecay: expected at most MaxDecay (0.5) but got 0.9", Assert.Throws<ArgumentException>(() => new RgLru<float>(3, new() { MaxDecay = 0.5 })).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new MinGru<float>(0, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MinLstm<float>(3, 0));
        var layer = new MinGru<float>(3, 4);
        Assert.Contains("input", Assert.Throws<ArgumentException>(() => layer.Forward(Tensor<float>.Zeros(2, 5, 4))).Message, StringComparison.Ordinal);
        Assert.Contains("lengths", Assert.ThrowsAny<ArgumentException>(() => layer.Forward(Tensor<float>.Zeros(2, 5, 3), [6, 1])).Message, StringComparison.Ordinal);
        Assert.Contains("expected a state of h", Assert.Throws<ArgumentException>(() => layer.Forward(Tensor<float>.Zeros(2, 5, 3), new Gru<float>(3, 4).ZeroState(2))).Message, StringComparison.Ordinal);
    }

    private static ScanLayer<double> Make(string kind, int size)
    {
        var layer = Makers[kind](size);
        if (layer.Gates.Bias is { } bias)
        {
            new RandomSource(9).FillNormal(bias.Value.AsSpan());
        }

        return layer;
    }

    private static (Tensor<double> Output, Tensor<double> Last) Composed(ScanLayer<double> layer, Tensor<double> x, int[] lengths, Tensor<double> h)
    {
        var rows = new List<Tensor<double>>();
        var lasts = new List<Tensor<double>>();
        for (var row = 0; row < lengths.Length; row++)
        {
            var state = h.Select(0, row);
            var steps = new List<Tensor<double>>();
            for (var step = 0; step < x.Shape[1]; step++)
            {
                if (step < lengths[row])
                {
                    state = Next(layer, x.Select(0, row).Select(0, step), state);
                }

                steps.Add(step < lengths[row] ? state : Tensor<double>.Zeros(layer.HiddenSize));
            }

            rows.Add(Tensor<double>.Stack([.. steps]));
            lasts.Add(state);
        }

        return (Tensor<double>.Stack([.. rows]), Tensor<double>.Stack([.. lasts]));
    }

    private static Tensor<double> Next(ScanLayer<double> layer, Tensor<double> x, Tensor<double> h)
    {
        var size = layer.HiddenSize;
        var all = layer.Gates.Weight.Value.MatMul(x.Unsqueeze(-1)).Squeeze(-1);
        all = layer.Gates.Bias is { } bias ? all + bias.Value : all;
        Tensor<double> Gate(int index) => all.Slice(0, (index * size)..((index + 1) * size));
        switch (layer)
        {
            case MinGru<double> gru:
                var update = Gate(0).Sigmoid();
                return ((1.0 - update) * h) + (update * Candidate(gru.Options.Candidate, Gate(1)));
            case MinLstm<double> lstm:
                var (forget, input) = (Gate(0).Sigmoid(), Gate(1).Sigmoid());
                return ((forget * h) + (input * Candidate(lstm.Options.Candidate, Gate(2)))) / (forget + input);
            default:
                var decay = ((RgLru<double>)layer).Decay.Value.Sigmoid().Log() * ((RgLru<double>)layer).Options.Exponent;
                var a = (decay * Gate(0).Sigmoid()).Exp();
                return (a * h) + ((1.0 - a.Square()).Sqrt() * Gate(1).Sigmoid() * x);
        }
    }

    private static Tensor<double> Candidate(ScanCandidate candidate, Tensor<double> x) => candidate switch
    {
        ScanCandidate.Identity => x,
        ScanCandidate.Tanh => x.Tanh(),
        _ => Tensor<double>.Where(x.LessThan(Tensor<double>.Scalar(0)), x.Sigmoid(), x + 0.5),
    };
}
