using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Cells;
using Rnn.Kernels;
using Rnn.Layers;
using Rnn.UserTests.Cells;

namespace Rnn.Onnx.Tests.Export;

/// <summary>Recurrent layers in ONNX Runtime give what they give here.</summary>
public class RecurrentExportTests
{
    public static TheoryData<string> Cells => [.. CellCatalog.Names];

    public static TheoryData<string> NormalizedCells => [.. CellCatalog.Names.Select(name => $"{name}-layernorm")];

    public static TheoryData<string> Options => ["reverse", "sum", "mean", "separate", "residual", "residual-reverse", "residual-both", "residual-sum", "no-bias", "learned", "learned-both", "sizes", "dropouts"];

    // Those whose values stay small while a sequence runs.
    public static TheoryData<Activation> Functions => [.. Enum.GetValues<Activation>().Except([Activation.Exponential])];

    [Theory]
    [MemberData(nameof(Cells))]
    public void Every_cell_agrees_in_two_layers_and_directions(string cell)
    {
        RecurrentLayer<float> Layer() => RecurrentLayer<float>.Create(cell, 3, 4, new() { Layers = 2, Bidirectional = true });
        SequenceExport.Agrees(Layer(), lengths: false, states: false);
        SequenceExport.Agrees(Layer(), lengths: true, states: true);
    }

    [Theory]
    [MemberData(nameof(NormalizedCells))]
    public void Every_cell_agrees_with_layer_normalisation(string cell) => SequenceExport.Agrees(RecurrentLayer<float>.Create(cell, 3, 4), lengths: true, states: true);

    [Theory]
    [MemberData(nameof(Options))]
    public void Every_option_agrees_by_operator_and_by_loop(string option)
    {
        foreach (var cell in new[] { "lstm-peephole-coupled", "gru", "mgu" })
        {
            foreach (var lengths in new[] { false, true })
            {
                SequenceExport.Agrees(RecurrentLayer<float>.Create(cell, 4, 4, Of(option)), lengths, states: false);
                SequenceExport.LastAgrees(RecurrentLayer<float>.Create(cell, 4, 4, Of(option)), lengths);
            }

            SequenceExport.Agrees(RecurrentLayer<float>.Create(cell, 4, 4, Of(option)), lengths: true, states: true);
        }
    }

    [Theory]
    [InlineData("lstm")]
    [InlineData("lstm-noforget")]
    [InlineData("rnn-tanh")]
    [InlineData("slstm")]
    [InlineData("lstm-fullpeephole-coupled")]
    public void What_no_operator_says_agrees_as_a_loop(string cell)
    {
        SequenceExport.Agrees(RecurrentLayer<float>.Create(cell, 3, 6, new() { Bidirectional = true }, projectionSize: 2), lengths: true, states: true);
        SequenceExport.Agrees(RecurrentLayer<float>.Create(cell, 3, 6, new() { Heads = 2, Layers = 2 }), lengths: false, states: true);
        SequenceExport.Agrees(RecurrentLayer<float>.Create(cell, 3, 6, new() { Heads = 3 }, projectionSize: 3), lengths: true, states: false);
        SequenceExport.Agrees(RecurrentLayer<float>.Create(cell, 3, 4, new() { HiddenZoneout = 0.3, CellZoneout = cell.StartsWith("lstm", StringComparison.Ordinal) ? 0.2 : 0, Layers = 2 }), lengths: true, states: true);
        SequenceExport.Agrees(RecurrentLayer<float>.Create(cell, 3, 4, new() { Bias = false, LayerNormalization = true, Reverse = true }), lengths: true, states: true);
    }

    [Fact]
    public void Heads_and_zoneout_of_a_gru_agree_as_a_loop()
    {
        SequenceExport.Agrees(RecurrentLayer<float>.Create("gru-before-replacing", 3, 6, new() { Heads = 3, Bidirectional = true }), lengths: true, states: true);
        SequenceExport.Agrees(RecurrentLayer<float>.Create("gru", 3, 6, new() { HiddenZoneout = 0.4, Residual = true, Layers = 2 }), lengths: true, states: false);
    }

    [Fact]
    public void Cells_of_ones_own_are_recorded()
    {
        SequenceExport.Agrees(RecurrentLayer<float>.Create<LeakyCell>(3, 4, new() { Bidirectional = true }), lengths: true, states: true);
        SequenceExport.Agrees(RecurrentLayer<float>.Create<LightCell>(3, 4), lengths: true, states: true);
        SequenceExport.Agrees(RecurrentLayer<float>.Create<ThreeStateCell>(3, 4), lengths: true, states: true);
        SequenceExport.Agrees(RecurrentLayer<float>.Create<TwoLevelCell>(3, 4, new() { Layers = 2 }), lengths: true, states: true);
        SequenceExport.Agrees(RecurrentLayer<float>.Create<SimpleRnnCell<Squared>>(3, 4), lengths: true, states: true);
    }

    [Fact]
    public void Functions_that_are_polynomials_are_recorded_as_such()
    {
        SequenceExport.Agrees(RecurrentLayer<float>.Create<SimpleRnnCell<Renamed<Elu>>>(3, 4), lengths: false, states: true);
        SequenceExport.Agrees(RecurrentLayer<float>.Create<SimpleRnnCell<Renamed<Softplus>>>(3, 4), lengths: false, states: true);
        SequenceExport.Agrees(RecurrentLayer<float>.Create<SimpleRnnCell<Renamed<Gelu>>>(3, 4), lengths: false, states: true);
        SequenceExport.Agrees(RecurrentLayer<float>.Create<IndRnnCell<Renamed<Softsign>>>(3, 4), lengths: false, states: true);
    }

    [Fact]
    public void A_cell_that_looks_at_lanes_is_refused_by_what_it_calls()
    {
        var layer = RecurrentLayer<float>.Create<SimpleRnnCell<Summing>>(3, 4);
        var message = Assert.Throws<NotSupportedException>(() => layer.ToOnnx()).Message;
        Assert.Contains("Sum", message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Functions))]
    public void Chosen_activations_agree_by_operator_and_by_loop(Activation kind)
    {
        foreach (var clip in new double?[] { null, 0.6 })
        {
            SequenceExport.Agrees(new SimpleRnn<float>(3, 4, new() { Activation = kind, ActivationClip = clip, Bidirectional = true }), lengths: true, states: true);
            SequenceExport.Agrees(new Gru<float>(3, 4, new() { CandidateActivation = kind, GateActivation = Activation.HardSigmoid, ActivationClip = clip }), lengths: true, states: true);
            SequenceExport.Agrees(new Lstm<float>(3, 4, new() { CandidateActivation = kind, OutputActivation = Activation.Softsign, ActivationClip = clip, Bidirectional = true }), lengths: true, states: true);
        }
    }

    [Fact]
    public void Numbers_of_activations_agree()
    {
        foreach (var (gate, candidate, output) in new (ActivationFunction, ActivationFunction, ActivationFunction)[]
        {
            (ActivationFunction.HardSigmoid(0.2, 0.5), ActivationFunction.ScaledTanh(1.2, 0.7), ActivationFunction.LeakyRelu(0.3)),
            (ActivationFunction.Affine(0.3, 0.1), ActivationFunction.Elu(0.5), ActivationFunction.ThresholdedRelu(0.1)),
        })
        {
            foreach (var peepholes in Enum.GetValues<Peepholes>())
            {
                LstmOptions Options(bool coupled = false, bool fromInput = false, bool forget = true) => new()
                {
                    GateActivation = gate,
                    CandidateActivation = candidate,
                    OutputActivation = output,
                    Peepholes = peepholes,
                    CoupledGates = coupled,
                    ForgetFromInput = fromInput,
                    ForgetGate = forget,
                };
                SequenceExport.Agrees(new Lstm<float>(3, 4, Options() with { Bidirectional = true, Layers = 2 }), lengths: true, states: true);
                SequenceExport.Agrees(new Lstm<float>(3, 4, Options(coupled: true)), lengths: false, states: true);
                SequenceExport.Agrees(new Lstm<float>(3, 4, Options(fromInput: true)), lengths: true, states: false);
                SequenceExport.Agrees(new Lstm<float>(3, 4, Options(forget: false)), lengths: false, states: true);
                SequenceExport.Agrees(new Lstm<float>(3, 4, Options(fromInput: true) with { ProjectionSize = 2, LayerNormalization = true }), lengths: true, states: true);
            }

            foreach (var (after, keeps) in new[] { (true, true), (true, false), (false, true), (false, false) })
            {
                var options = new GruOptions { GateActivation = gate, CandidateActivation = candidate, ResetAfter = after, UpdateGateKeepsState = keeps };
                SequenceExport.Agrees(new Gru<float>(3, 4, options), lengths: true, states: true);
                SequenceExport.Agrees(new Gru<float>(3, 4, options with { Heads = 2, GateActivation = Activation.Silu }), lengths: false, states: true);
            }
        }
    }

    [Fact]
    public void Chosen_activations_of_a_normalised_cell_agree()
    {
        foreach (var peepholes in Enum.GetValues<Peepholes>())
        {
            SequenceExport.Agrees(new Lstm<float>(3, 4, new() { Peepholes = peepholes, LayerNormalization = true, OutputActivation = Activation.Mish, ActivationClip = 2 }), lengths: true, states: true);
        }
    }

    [Theory]
    [InlineData(14)]
    [InlineData(17)]
    [InlineData(18)]
    [InlineData(20)]
    [InlineData(22)]
    public void Every_version_of_the_operators_agrees(int opset)
    {
        foreach (var cell in new[] { "lstm-peephole", "gru", "rnn-leaky_relu", "lstm-layernorm", "rnn-gelu", "slstm" })
        {
            SequenceExport.Agrees(RecurrentLayer<float>.Create(cell, 3, 4, new() { Bidirectional = true, Merge = DirectionMerge.Sum }), lengths: true, states: true, opset);
        }
    }

    // With 8-bit weights the layer rounds what it multiplies them with too, which a file does not.
    [Fact]
    public void Compressed_weights_are_written_as_the_numbers_they_stand_for()
    {
        var layer = Numbers.Fill(new Lstm<float>(16, 16));
        layer.Compress(WeightFormat.BFloat16);
        using var file = new RuntimeModel(layer);
        var x = Numbers.Random(3, 2, 5, 16);
        Numbers.Agree(layer.Forward(x), file.With("input", x).Run()["output"], "16-bit weights");
    }

    [Fact]
    public void A_cell_with_chosen_activations_is_not_visited()
    {
        var layer = new Lstm<float>(3, 4, new() { OutputActivation = Activation.Relu });
        Assert.Contains("lstm-activations", Assert.Throws<InvalidOperationException>(() => layer.VisitCell(new NameOfCell())).Message, StringComparison.Ordinal);
        Assert.Equal("gru", new Gru<float>(3, 4).VisitCell(new NameOfCell()));
        Assert.Equal("leaky", RecurrentLayer<float>.Create<LeakyCell>(3, 4).VisitCell(new NameOfCell()));
    }

    [Fact]
    public void Operators_are_used_where_they_say_all()
    {
        Assert.Equal(["LSTM", "LSTM"], Recurrent(new Lstm<float>(3, 4, new() { Layers = 2, Bidirectional = true, Peepholes = Peepholes.Diagonal })));
        Assert.Equal(["LSTM"], Recurrent(new Lstm<float>(3, 4, new() { CoupledGates = true })));
        Assert.Equal(["GRU"], Recurrent(new Gru<float>(3, 4, new() { ResetAfter = false, UpdateGateKeepsState = false })));
        Assert.Equal(["RNN"], Recurrent(new SimpleRnn<float>(3, 4, new() { Activation = Activation.HardSigmoid })));
        Assert.Equal(["Scan"], Recurrent(new Lstm<float>(3, 4, new() { ProjectionSize = 2 })));
        Assert.Equal(["Scan"], Recurrent(new Mgu<float>(3, 4)));
    }

    private static string[] Recurrent(Module<float> layer) =>
        [.. Schema.ModelProto.Parser.ParseFrom(layer.ToOnnx()).Graph.Node.Select(node => node.OpType).Where(name => name is "RNN" or "GRU" or "LSTM" or "Scan" or "Loop")];

    private static RecurrentOptions Of(string option) => option switch
    {
        "reverse" => new() { Reverse = true, Layers = 2 },
        "sum" => new() { Bidirectional = true, Merge = DirectionMerge.Sum, Layers = 2 },
        "mean" => new() { Bidirectional = true, Merge = DirectionMerge.Mean },
        "separate" => new() { Bidirectional = true, Merge = DirectionMerge.Separate },
        "residual" => new() { Residual = true, Layers = 2 },
        "residual-reverse" => new() { Residual = true, Reverse = true },
        "residual-both" => new() { Residual = true, Bidirectional = true, Layers = 2 },
        "residual-sum" => new() { Residual = true, Bidirectional = true, Merge = DirectionMerge.Mean, Layers = 2 },
        "no-bias" => new() { Bias = false },
        "learned" => new() { LearnedInitialState = true },
        "learned-both" => new() { LearnedInitialState = true, Bidirectional = true, Layers = 2 },
        "sizes" => new() { HiddenSizes = [5, 3] },
        _ => new() { Layers = 2, Dropout = 0.5, RecurrentDropout = 0.5, WeightDrop = 0.5 },
    };

    private sealed class NameOfCell : ICellVisitor<string>
    {
        public string Visit<TCell>()
            where TCell : struct, ICell => TCell.Layout.Name;
    }

    /// <summary>A function under a name that the exporter does not know.</summary>
    private readonly struct Renamed<TActivation> : IActivation
        where TActivation : struct, IActivation
    {
        public static string Name => $"my-{TActivation.Name}";

        public static bool DerivativeFromOutput => TActivation.DerivativeFromOutput;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Apply<V, T>(V x)
            where V : struct, IVector<V, T>
            where T : unmanaged, IFloatingPointIeee754<T> => TActivation.Apply<V, T>(x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Derivative<V, T>(V x, V y)
            where V : struct, IVector<V, T>
            where T : unmanaged, IFloatingPointIeee754<T> => TActivation.Derivative<V, T>(x, y);
    }

    /// <summary>min(1, |x|)·σ(x) with a step: comparisons, selections, roots.</summary>
    private readonly struct Squared : IActivation
    {
        public static string Name => "squared";

        public static bool DerivativeFromOutput => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Apply<V, T>(V x)
            where V : struct, IVector<V, T>
            where T : unmanaged, IFloatingPointIeee754<T> =>
            V.Select(V.LessThanOrEqual(V.Zero, x), V.Sqrt(V.Min(V.One, V.Abs(x))) * V.Sigmoid(x), V.CopySign(V.Exp(x), x) - V.Constant(0.25)) / V.Constant(2);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Derivative<V, T>(V x, V y)
            where V : struct, IVector<V, T>
            where T : unmanaged, IFloatingPointIeee754<T> => V.One;
    }

    private readonly struct Summing : IActivation
    {
        public static string Name => "summing";

        public static bool DerivativeFromOutput => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Apply<V, T>(V x)
            where V : struct, IVector<V, T>
            where T : unmanaged, IFloatingPointIeee754<T> => V.Broadcast(V.Sum(x));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Derivative<V, T>(V x, V y)
            where V : struct, IVector<V, T>
            where T : unmanaged, IFloatingPointIeee754<T> => V.One;
    }
}
