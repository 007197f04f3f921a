using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Cells;
using Rnn.Tests.Oracles;
using Rnn.Training;

namespace Rnn.Tests.Layers;

/// <summary>LSTM, GRU and plain networks with activations of choice: against composed ones, by finite differences, in streams, from files.</summary>
public sealed class ActivationOptionTests
{
    private const int Inputs = 5;
    private const int Hidden = 7;

    // Every activation, with numbers at odd values where it has some.
    private static readonly ActivationFunction[] Functions =
    [
        .. Enum.GetValues<Activation>().Select(ActivationFunction.FromActivation),
        ActivationFunction.Affine(0.3, 0.4), ActivationFunction.LeakyRelu(0.37), ActivationFunction.LeakyRelu(1.3), ActivationFunction.ThresholdedRelu(-0.2),
        ActivationFunction.ThresholdedRelu(0.15), ActivationFunction.Elu(0.6), ActivationFunction.ScaledTanh(0.7, 1.4), ActivationFunction.HardSigmoid(0.2, 0.5),
        ActivationFunction.HardSigmoid(0.35, 0.45),
    ];

    private static readonly Dictionary<string, LayerCase> Runs = new()
    {
        ["plain"] = new(),
        ["zeros nobias ragged"] = new(new() { Bias = false }) { IsRagged = true, StartsFromZeros = true },
        ["both stacked ragged"] = new(new() { Bidirectional = true, Layers = 2 }) { IsRagged = true },
        ["reverse residual ragged"] = new(new() { Layers = 3, Residual = true, Reverse = true }) { IsRagged = true },
        ["masks both stacked ragged"] = new(new() { HiddenZoneout = 0.2, RecurrentDropout = 0.4, Bidirectional = true, Layers = 2 }) { IsRagged = true },
        ["heads ragged"] = new(new() { HiddenSizes = [6, 34], Heads = 2 }) { IsRagged = true },
        ["layernorm stacked ragged"] = new(new() { LayerNormalization = true, HiddenSizes = [17, 4, 9] }) { IsRagged = true },
    };

    // Each function in each place, beside others that are not the usual ones either.
    public static TheoryData<int> FunctionNumbers() => [.. Enumerable.Range(0, Functions.Length)];

    public static TheoryData<string, string> CellRuns()
    {
        var data = new TheoryData<string, string>();
        foreach (var cell in Makers.Keys)
        {
            foreach (var run in Runs.Keys)
            {
                data.Add(cell, run);
            }
        }

        return data;
    }

    public static TheoryData<string> CellNames() => [.. Makers.Keys];

    [Theory]
    [MemberData(nameof(FunctionNumbers))]
    public void Every_activation_in_every_place_agrees_with_the_composed_one(int number)
    {
        var function = Functions[number];
        // Where nothing bounds them numbers grow beyond what a sum in another order can be compared with.
        double? clip = function.Kind is Activation.Exponential or Activation.Selu or Activation.Elu or Activation.LeakyRelu ? 1.3 : null;
        var usual = new CellActivations { Clip = clip };
        var unusual = new CellActivations { Gate = ActivationFunction.HardSigmoid(0.2, 0.5), Candidate = Activation.Softsign, Output = Activation.Identity, Clip = clip };
        foreach (var cell in new[] { "lstm", "lstm-peephole", "gru", "gru-before", "rnn" })
        {
            foreach (var others in new[] { usual, unusual })
            {
                foreach (var activations in new[] { others with { Gate = function }, others with { Candidate = function }, others with { Output = function } })
                {
                    var (layer, oracle) = Makers[cell](activations, new() { Seed = 0 });
                    FusedLayerTests.Check(layer, oracle, new() { IsRagged = true });
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(CellRuns))]
    public void Every_cell_with_every_option_agrees_with_the_composed_one(string cell, string run)
    {
        var activations = new CellActivations { Gate = ActivationFunction.HardSigmoid(0.31, 0.45), Candidate = Activation.Gelu, Output = ActivationFunction.ScaledTanh(0.8, 1.1), Clip = 0.9 };
        var (layer, oracle) = Makers[cell](activations, Runs[run].Options with { Seed = 0 });
        FusedLayerTests.Check(layer, Runs[run].Options.LayerNormalization ? oracle with { Normalized = true } : oracle, Runs[run]);
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(37, 3, 2)]
    [InlineData(64, 33, 5)]
    [InlineData(129, 1, 40)]
    public void Odd_sizes_agree_with_the_composed_ones(int hidden, int batch, int steps)
    {
        var activations = new CellActivations { Gate = Activation.HardSigmoid, Candidate = Activation.Silu, Output = Activation.Mish, Clip = 1.2 };
        foreach (var cell in Makers.Keys)
        {
            var (layer, oracle) = Makers[cell](activations, new() { HiddenSizes = [hidden], Seed = 0 });
            FusedLayerTests.Check(layer, oracle, new(), batch, steps);
        }
    }

    [Fact]
    public void A_projection_works_with_activations_of_choice()
    {
        var activations = new CellActivations { Gate = Activation.HardSigmoid, Candidate = Activation.Softsign, Output = Activation.Silu, Clip = 2 };
        var layer = new Lstm<double>(Inputs, Hidden, Options(activations) with { ProjectionSize = 3, Layers = 2, Seed = 0, Peepholes = Peepholes.Diagonal });
        FusedLayerTests.Check(layer, new ActivatedLstmOracle(activations, Seeing.OwnCell, Forgetting.Separate, Projected: true), new(new() { Layers = 2 }) { IsRagged = true });
    }

    [Theory]
    [MemberData(nameof(CellNames))]
    public void Gradients_agree_with_finite_differences(string cell)
    {
        foreach (var run in new[] { "plain", "both stacked ragged", "layernorm stacked ragged" })
        {
            var activations = new CellActivations { Gate = ActivationFunction.ScaledTanh(0.7, 0.8), Candidate = Activation.Mish, Output = Activation.GeluTanh };
            var (layer, _) = Makers[cell](activations, Runs[run].Options with { Seed = 0 });
            var random = new RandomSource(11);
            TestCells.FillParameters(random, layer, 0.6);
            var input = Tensor<double>.RandomNormal(random, 0, 1, 3, 4, Inputs);
            var state = layer.ZeroState(3);
            TestCells.FillStates(random, state);
            var weights = Tensor<double>.RandomNormal(random, 0, 1, 3, 4, layer.OutputSize);
            var leaves = new List<(string, Tensor<double>)> { ("input", input) };
            leaves.AddRange(state.Names.Select(name => (name, state[name])));
            leaves.AddRange(layer.NamedParameters.Select(pair => (pair.Key, pair.Value.Value)));
            var result = GradientCheck.Run(
                () => (layer.Forward(input, Runs[run].IsRagged ? [2, 4, 0] : [], state).Output * weights).Sum(), leaves, new() { MaximumEntries = 5, Step = 1e-4 });
            Assert.True(result.WorstError < 1e-7, result.ToString());
        }
    }

    [Theory]
    [MemberData(nameof(CellNames))]
    public void Streams_and_steppers_give_what_the_layer_gives_and_allocate_nothing(string cell)
    {
        var activations = new CellActivations { Gate = Activation.HardSigmoid, Candidate = Activation.Gelu, Output = Activation.Softsign, Clip = 1.1 };
        foreach (var hidden in new[] { 3, 8, 21 })
        {
            var (layer, _) = Makers[cell](activations, new() { HiddenSizes = [hidden, hidden], Residual = true, Seed = 1 });
            TestCells.FillParameters(new RandomSource(2), layer, 0.7);
            layer.Evaluate();
            foreach (var rows in new[] { 1, 3 })
            {
                var x = Tensor<double>.RandomNormal(new RandomSource(3), 0, 1, rows, 9, Inputs);
                var expected = layer.Forward(x);
                var stepper = layer.CreateStepper(rows);
                var output = new double[rows * hidden];
                var bytes = 0L;
                for (var step = 0; step < 9; step++)
                {
                    var now = x.Select(1, step);
                    var before = GC.GetAllocatedBytesForCurrentThread();
                    stepper.Step(now.AsReadOnlySpan(), output);
                    bytes += step > 0 ? GC.GetAllocatedBytesForCurrentThread() - before : 0;
                    LayerSteps.Close(expected.Select(1, step).ToArray(), output);
                }

                Assert.Equal(0, bytes);
            }
        }
    }

    [Theory]
    [MemberData(nameof(CellNames))]
    public void A_saved_layer_opens_with_its_activations(string cell)
    {
        var activations = new CellActivations { Gate = ActivationFunction.HardSigmoid(0.2, 0.5), Candidate = ActivationFunction.Elu(0.123456789), Output = ActivationFunction.ScaledTanh(1.7159, 2.0 / 3), Clip = 0.1 + 0.2 };
        foreach (var options in new RecurrentOptions[] { new() { Bidirectional = true, Layers = 2, Seed = 5 }, new() { LayerNormalization = true, Reverse = true, Seed = 5 } })
        {
            var (layer, _) = Makers[cell](activations, options);
            var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.safetensors");
            try
            {
                layer.Save(path);
                var opened = (RecurrentLayer<double>)Module<double>.Open(path);
                Assert.Equal(layer.Activations, opened.Activations);
                Assert.Equal(layer.Layout.Name, opened.Layout.Name);
                var x = Tensor<double>.RandomNormal(new RandomSource(3), 0, 1, 2, 5, Inputs);
                Assert.Equal(layer.Forward(x).ToArray(), opened.Forward(x).ToArray());

                // The same weights in a layer of other activations would be other numbers.
                var (other, _) = Makers[cell](activations with { Candidate = Activation.Softsign }, options);
                Assert.Throws<InvalidDataException>(() => other.Load(path));
            }
            finally
            {
                File.Delete(path);
            }
        }
    }

    [Fact]
    public void The_cell_state_that_the_next_step_reads_is_not_cut()
    {
        var layer = new Lstm<double>(1, 1, new() { ActivationClip = 0.5, CandidateActivation = Activation.Identity, OutputActivation = Activation.Identity, GateActivation = ActivationFunction.Affine(0, 1) });
        foreach (var (name, parameter) in layer.NamedParameters)
        {
            parameter.Value.AsSpan().Fill(name == "weight_ih_l0" ? 1 : 0);
        }

        var output = layer.Forward(Tensor<double>.Ones(1, 4, 1), []);

        // Every gate is 1, the candidate 1 cut to ½: c = ½, 1, 1½, 2, of which the output reads ½.
        Assert.Equal([0.5, 0.5, 0.5, 0.5], output.Output.ToArray());
        Assert.Equal(2.0, output.FinalState["c_l0"].ToArray()[0]);
    }

    [Fact]
    public void The_activations_that_a_cell_has_anyway_change_nothing()
    {
        var plain = new Lstm<float>(3, 4, new() { Seed = 1 });
        var named = new Lstm<float>(3, 4, new() { Seed = 1, GateActivation = Activation.Sigmoid, CandidateActivation = Activation.Tanh, OutputActivation = Activation.Tanh });
        Assert.Equal("lstm", named.Layout.Name);
        Assert.Null(named.Activations);
        var x = Tensor<float>.RandomNormal(new RandomSource(1), 0, 1, 2, 5, 3);
        Assert.Equal(plain.Forward(x).ToArray(), named.Forward(x).ToArray());
        Assert.Equal("gru", new Gru<float>(3, 4, new() { GateActivation = Activation.Sigmoid }).Layout.Name);
        Assert.Equal("rnn-relu", new SimpleRnn<float>(3, 4, new() { Activation = Activation.Relu }).Layout.Name);
        Assert.Equal("rnn-activations", new SimpleRnn<float>(3, 4, new() { Activation = Activation.Silu }).Layout.Name);
        Assert.Equal("lstm-peephole-inputcoupled-activations", new Lstm<float>(3, 4, new() { Peepholes = Peepholes.Diagonal, ForgetFromInput = true }).Layout.Name);
        Assert.Equal("gru-before-activations-layernorm", new Gru<float>(3, 4, new() { ResetAfter = false, CandidateActivation = Activation.Relu, LayerNormalization = true }).Layout.Name);
    }

    [Fact]
    public void Impossible_activations_are_refused_by_name()
    {
        Assert.Contains("ActivationClip", Assert.Throws<ArgumentException>(() => new Lstm<float>(3, 4, new() { ActivationClip = 0 })).Message, StringComparison.Ordinal);
        Assert.Contains("ActivationClip", Assert.Throws<ArgumentException>(() => new Gru<float>(3, 4, new() { ActivationClip = double.NaN })).Message, StringComparison.Ordinal);
        Assert.Contains("ForgetFromInput", Assert.Throws<ArgumentException>(() => new Lstm<float>(3, 4, new() { ForgetFromInput = true, CoupledGates = true })).Message, StringComparison.Ordinal);
        Assert.Contains("Silu", Assert.Throws<ArgumentException>(() => new IndRnn<float>(3, 4, new() { Activation = Activation.Silu })).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => ActivationFunction.Elu(double.NaN));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ActivationFunction((Activation)99));
    }

    [Fact]
    public void The_text_of_an_activation_is_read_back()
    {
        foreach (var function in Functions)
        {
            Assert.Equal(function, ActivationFunction.Parse(function.ToString()));
        }

        Assert.Equal("HardSigmoid(0.2, 0.5)", ActivationFunction.HardSigmoid(0.2, 0.5).ToString());
        foreach (var text in new[] { "", "Nothing", "3", "Elu(", "Elu(x)", "Elu(1", "Affine(1, 2, 3)", "Elu(NaN)", "tanh" })
        {
            Assert.Throws<FormatException>(() => ActivationFunction.Parse(text));
        }
    }

    [Fact]
    public void The_layer_of_an_activation_agrees_with_the_composed_one()
    {
        foreach (var function in Functions)
        {
            var x = LayerSteps.Leaf(4, 5, 7);
            var same = LayerSteps.Leaf(4, 5, 7);
            var weights = Tensor<double>.RandomNormal(new RandomSource(9), 0, 1, 5, 7);
            var (expected, actual) = (ActivatedOracle.Apply(function, same), new ActivationLayer<double>(function).Forward(x));
            LayerSteps.Close(expected.ToArray(), actual.ToArray());
            (expected * weights).Sum().Backward();
            (actual * weights).Sum().Backward();
            LayerSteps.Close(same.Gradient!.ToArray(), x.Gradient!.ToArray());
        }
    }

    [Fact]
    public void Limits_of_activations_are_no_NaN()
    {
        foreach (var kind in new[] { Activation.Silu, Activation.Mish, Activation.GeluTanh, Activation.Selu, Activation.Elu, Activation.HardSigmoid, Activation.Exponential })
        {
            var values = new ActivationLayer<float>(kind).Forward(Tensor<float>.From([float.NegativeInfinity, -1e30f, -200, 200, 1e30f], 5)).ToArray();
            Assert.All(values, value => Assert.False(float.IsNaN(value), $"{kind}"));
            Assert.True(float.IsNaN(new ActivationLayer<float>(kind).Forward(Tensor<float>.From([float.NaN], 1)).ToArray()[0]), $"{kind}");
        }
    }

    private static Dictionary<string, Func<CellActivations, RecurrentOptions, (RecurrentLayer<double> Layer, CellOracle Oracle)>> Makers => new()
    {
        ["lstm"] = (activations, options) => Lstm(activations, options, Peepholes.None, Forgetting.Separate),
        ["lstm-coupled"] = (activations, options) => Lstm(activations, options, Peepholes.None, Forgetting.Coupled),
        ["lstm-noforget"] = (activations, options) => Lstm(activations, options, Peepholes.None, Forgetting.Never),
        ["lstm-inputcoupled"] = (activations, options) => Lstm(activations, options, Peepholes.None, Forgetting.Never, fromInput: true),
        ["lstm-peephole"] = (activations, options) => Lstm(activations, options, Peepholes.Diagonal, Forgetting.Separate),
        ["lstm-peephole-coupled"] = (activations, options) => Lstm(activations, options, Peepholes.Diagonal, Forgetting.Coupled),
        ["lstm-peephole-noforget"] = (activations, options) => Lstm(activations, options, Peepholes.Diagonal, Forgetting.Never),
        ["lstm-peephole-inputcoupled"] = (activations, options) => Lstm(activations, options, Peepholes.Diagonal, Forgetting.Never, fromInput: true),
        ["lstm-fullpeephole"] = (activations, options) => Lstm(activations, options, Peepholes.Full, Forgetting.Separate),
        ["lstm-fullpeephole-coupled"] = (activations, options) => Lstm(activations, options, Peepholes.Full, Forgetting.Coupled),
        ["lstm-fullpeephole-inputcoupled"] = (activations, options) => Lstm(activations, options, Peepholes.Full, Forgetting.Never, fromInput: true),
        ["gru"] = (activations, options) => Gru(activations, options, true, true),
        ["gru-before"] = (activations, options) => Gru(activations, options, false, true),
        ["gru-replacing"] = (activations, options) => Gru(activations, options, true, false),
        ["gru-before-replacing"] = (activations, options) => Gru(activations, options, false, false),
        ["rnn"] = (activations, options) =>
            (Copy(new SimpleRnnOptions { Activation = activations.Candidate, ActivationClip = activations.Clip ?? 100 }, options, made => new SimpleRnn<double>(Inputs, Hidden, made)),
                new ActivatedRnnOracle(activations)),
    };

    private static LstmOptions Options(CellActivations activations) => new()
    {
        GateActivation = activations.Gate,
        CandidateActivation = activations.Candidate,
        OutputActivation = activations.Output,
        ActivationClip = activations.Clip,
    };

    private static (RecurrentLayer<double> Layer, CellOracle Oracle) Lstm(CellActivations activations, RecurrentOptions options, Peepholes peepholes, Forgetting forget, bool fromInput = false)
    {
        var made = Options(activations) with
        {
            Peepholes = peepholes,
            CoupledGates = forget == Forgetting.Coupled,
            ForgetGate = forget != Forgetting.Never || fromInput,
            ForgetFromInput = fromInput,
        };
        var seeing = peepholes switch { Peepholes.None => Seeing.Nothing, Peepholes.Diagonal => Seeing.OwnCell, _ => Seeing.AllCells };
        return (Copy(made, options, all => new Lstm<double>(Inputs, Hidden, all)), new ActivatedLstmOracle(activations, seeing, forget, fromInput));
    }

    private static (RecurrentLayer<double> Layer, CellOracle Oracle) Gru(CellActivations activations, RecurrentOptions options, bool resetAfter, bool keepsState)
    {
        var made = new GruOptions
        {
            ResetAfter = resetAfter,
            UpdateGateKeepsState = keepsState,
            GateActivation = activations.Gate,
            CandidateActivation = activations.Candidate,
            ActivationClip = activations.Clip,
        };
        return (Copy(made, options, all => new Gru<double>(Inputs, Hidden, all)), new ActivatedGruOracle(activations, resetAfter, keepsState));
    }

    // The options of a cell with the general ones.
    private static RecurrentLayer<double> Copy<TOptions>(TOptions cell, RecurrentOptions options, Func<TOptions, RecurrentLayer<double>> make)
        where TOptions : RecurrentOptions => make(cell with
        {
            Layers = options.Layers,
            HiddenSizes = options.HiddenSizes,
            Bidirectional = options.Bidirectional,
            Reverse = options.Reverse,
            Bias = options.Bias,
            HiddenZoneout = options.HiddenZoneout,
            RecurrentDropout = options.RecurrentDropout,
            LayerNormalization = options.LayerNormalization,
            Heads = options.Heads,
            Residual = options.Residual,
            Seed = options.Seed,
        });
}
