using System.Numerics;
using Rnn.Formats;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Golden;

namespace Rnn.Tests.Layers;

/// <summary>State dicts of PyTorch into layers and out of them.</summary>
public class PyTorchLayerTests
{
    private static readonly WeightFile Arrays = WeightFile.Read(GoldenFile.Resource("layers.npz"));
    private static readonly WeightFile State = WeightFile.Read(GoldenFile.Resource("layers.pt"));

    [Fact]
    public void A_model_of_every_kind_of_layer_computes_what_PyTorch_computes()
    {
        foreach (var file in new[] { Arrays, State })
        {
            var model = Read(file);
            GoldenAssert.Close(Arrays.Get<double>("output").ToArray(), Run(model), 1e-6, "output");
        }
    }

    [Fact]
    public void Recurrent_layers_are_found_by_their_names_and_shapes()
    {
        var projected = new Lstm<double>(4, 6, new() { ProjectionSize = 3, Seed = 1 });
        var plain = new SimpleRnn<double>(3, 5, new() { Activation = Activation.Relu, Seed = 2 });
        var cell = new Gru<double>(3, 2, new() { Seed = 3 });
        var path = Path.Combine(Directory.CreateTempSubdirectory().FullName, "layers.npz");
        WeightFile.Write(path, [.. projected.ToPyTorch("a."), .. plain.ToPyTorch("b.rnn."), .. cell.ToPyTorchCell(), KeyValuePair.Create("c.weight_ih_l0", Tensor<double>.Ones(8, 3))]);
        var file = WeightFile.Read(File.ReadAllBytes(path));
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        Assert.Equal([("a.", "LSTM"), ("b.rnn.", "RNN"), (string.Empty, "GRU")], PyTorchLayers.FindRecurrent(file));
        Assert.IsType<Lstm<double>>(PyTorchLayers.ReadRecurrent<double>(file, "a."));
        Assert.IsType<Gru<double>>(PyTorchLayers.ReadRecurrent<double>(file, string.Empty));
        var read = PyTorchLayers.ReadRecurrent<double>(file, "b.rnn.", Activation.Relu);
        var input = Tensor<double>.RandomNormal(new RandomSource(1), 0, 1, 2, 4, 3);
        Assert.Equal(plain.Forward(input).ToArray(), read.Forward(input).ToArray());
        Assert.Contains("'a.', 'b.rnn.', ''", Assert.Throws<ArgumentException>(() => PyTorchLayers.ReadRecurrent<double>(file)).Message, StringComparison.Ordinal);
        Assert.Contains("below 'd.'; there are some with the prefix 'a.'", Assert.Throws<InvalidDataException>(() => PyTorchLayers.ReadRecurrent<double>(file, "d.")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_writes_what_it_has_read()
    {
        var model = Read(State);
        var written = model.ToPyTorch().ToDictionary(pair => pair.Key, pair => pair.Value);
        Assert.Equal(State.Entries.Select(entry => entry.Name).Order(), written.Keys.Order());
        foreach (var (name, tensor) in written)
        {
            Assert.Equal(State[name].Shape, tensor.Shape);
            if (!name.Contains("bias_", StringComparison.Ordinal))
            {
                Assert.Equal(State.Get<double>(name).AsReadOnlySpan(), tensor.AsReadOnlySpan());
            }
        }

        // The sum of both biases, then zeros; for the candidate of the GRU each its own.
        var (input, recurrent) = (State.Get<double>("gru.bias_ih_l0").ToArray(), State.Get<double>("gru.bias_hh_l0").ToArray());
        Assert.Equal(input.Select((value, i) => i < 8 ? value + recurrent[i] : value), written["gru.bias_ih_l0"].ToArray());
        Assert.Equal(recurrent.Select((value, i) => i < 8 ? 0 : value), written["gru.bias_hh_l0"].ToArray());

        var other = new Model<double>(new(7, 4), new(4, 5, new() { KernelSize = 3, Dilation = 2 }), new(5), new(5, 6, new() { Layers = 2, Bidirectional = true, ProjectionSize = 3 }), new(6, 4),
            new(4, 3, new() { Bias = false, Activation = Activation.Relu }), new(new Linear<double>(3, 4), new ActivationLayer<double>(Activation.Relu), new Linear<double>(4, 2, new() { Bias = false })));
        other.LoadPyTorch(WeightFile.Read(Bytes(model.ToPyTorch("any.prefix."))), "any.prefix.");
        Assert.Equal(Run(model), Run(other));
    }

    [Theory]
    [InlineData("lstm")]
    [InlineData("gru")]
    [InlineData("rnn")]
    public void A_cell_computes_what_PyTorch_computes(string kind)
    {
        var prefix = $"cell.{kind}.";
        RecurrentLayer<double> layer = kind switch
        {
            "lstm" => Lstm<double>.FromPyTorch(Arrays, prefix),
            "gru" => Gru<double>.FromPyTorch(Arrays, prefix),
            _ => SimpleRnn<double>.FromPyTorch(Arrays, prefix),
        };
        Tensor<double>[] states = kind == "lstm" ? [Arrays.Get<double>("h"), Arrays.Get<double>("c")] : [Arrays.Get<double>("h")];
        var (output, _) = layer.Step(Arrays.Get<double>("x"), layer.CreateState(states));
        GoldenAssert.Close(Arrays.Get<double>($"{prefix}output").ToArray(), output.AsReadOnlySpan(), 1e-6, kind);
        Assert.Equal(["c.weight_ih", "c.weight_hh", "c.bias_ih", "c.bias_hh"], layer.ToPyTorchCell("c.").Select(pair => pair.Key));
        var copy = RecurrentLayer<double>.Create(layer.Layout.Name, 4, 5);
        copy.LoadPyTorch(WeightFile.Read(Bytes(layer.ToPyTorchCell())));
        Assert.Equal(output.AsReadOnlySpan(), copy.Step(Arrays.Get<double>("x"), copy.CreateState(states)).Output.AsReadOnlySpan());
    }

    // h = (1−z)⊙h₋ + z⊙n with −a in place of a: the same layer.
    [Fact]
    public void An_update_gate_of_the_other_sense_changes_its_sign()
    {
        var plain = Gru<double>.FromPyTorch(Arrays, "gru.");
        var replacing = Gru<double>.FromPyTorch(Arrays, "gru.", new() { UpdateGateKeepsState = false });
        Assert.Equal("gru-replacing", replacing.Layout.Name);
        var x = Tensor<double>.RandomNormal(new RandomSource(3), 0, 1, 2, 5, 6);
        GoldenAssert.Close(plain.Forward(x).ToArray(), replacing.Forward(x).AsReadOnlySpan(), 1e-14, "output");
        foreach (var ((name, expected), (_, actual)) in plain.ToPyTorch().Zip(replacing.ToPyTorch()))
        {
            Assert.Equal(expected.AsReadOnlySpan(), actual.AsReadOnlySpan());
        }
    }

    [Fact]
    public void Sizes_and_options_come_from_file_and_caller()
    {
        var lstm = Lstm<float>.FromPyTorch(State, "lstm.", new() { Dropout = 0.25, Layers = 7 });
        Assert.Equal((5, 6, 3, 2, 2, 6), (lstm.InputSize, lstm.HiddenSize, lstm.ProjectionSize, lstm.LayerCount, lstm.Directions, lstm.OutputSize));
        Assert.Equal(0.25, lstm.Options.Dropout);
        var rnn = SimpleRnn<float>.FromPyTorch(State, "rnn.", new() { Activation = Activation.Relu });
        Assert.Equal(("rnn-relu", false), (rnn.Layout.Name, rnn.Options.Bias));
        Assert.Equal((3, 2), (CausalConvolution<float>.FromPyTorch(State, "convolution.", new() { Dilation = 2 }).Options.KernelSize, Embedding<float>.FromPyTorch(State, "embedding.", new() { PaddingIndex = 2 }).PaddingIndex!.Value));
        Assert.Null(Linear<float>.FromPyTorch(State, "head.2.").Bias);
        Assert.Equal(1e-3, LayerNorm<float>.FromPyTorch(State, "norm.", new() { Epsilon = 1e-3 }).Epsilon);
    }

    [Fact]
    public void A_layer_is_made_of_a_torch_sharp_file()
    {
        var lstm = Lstm<float>.FromPyTorch(WeightFile.Read(Convert.FromHexString(Formats.WeightFileTests.TorchSharpLstm)));
        Assert.Equal((3, 2, 1, 1), (lstm.InputSize, lstm.HiddenSize, lstm.LayerCount, lstm.Directions));
        Assert.Equal(0.3228366f - 0.2312987f, lstm.NamedParameters[2].Value.Value[0]);
    }

    [Fact]
    public void Layers_in_sequence_have_numbers()
    {
        var model = new Sequential<float>(new Lstm<float>(3, 4), new LastStep<float>(), new Linear<float>(4, 2));
        Assert.Equal(
            ["0.weight_ih_l0", "0.weight_hh_l0", "0.bias_ih_l0", "0.bias_hh_l0", "2.weight", "2.bias"], model.ToPyTorch().Select(pair => pair.Key));
        var copy = new Sequential<float>(new Lstm<float>(3, 4), new LastStep<float>(), new Linear<float>(4, 2));
        copy.LoadPyTorch(WeightFile.Read(Bytes(model.ToPyTorch())));
        var x = Tensor<float>.RandomNormal(new RandomSource(1), 0, 1, 2, 5, 3);
        Assert.Equal(model.Forward(x).AsReadOnlySpan(), copy.Forward(x).AsReadOnlySpan());
    }

    [Fact]
    public void Tied_weights_are_written_twice_and_read_from_either_name()
    {
        var model = new Tied();
        var written = model.ToPyTorch();
        Assert.Equal(["embedding.weight", "head.weight", "head.bias"], written.Select(pair => pair.Key));
        foreach (var left in new[] { "embedding.weight", "head.weight" })
        {
            var copy = new Tied();
            copy.LoadPyTorch(WeightFile.Read(Bytes(written.Where(pair => pair.Key != left))));
            Assert.Equal(model.Embedding.Weight.Value.AsReadOnlySpan(), copy.Embedding.Weight.Value.AsReadOnlySpan());
        }

        Assert.Contains("missing: embedding.weight [5, 3], head.weight [5, 3]", Assert.Throws<InvalidDataException>(() =>
            model.LoadPyTorch(WeightFile.Read(Bytes(written.Where(pair => pair.Key == "head.bias"))))).Message);
    }

    [Fact]
    public void Compressed_weights_are_rounded_when_they_are_loaded()
    {
        var layer = new Lstm<float>(5, 6);
        layer.Compress(WeightFormat.BFloat16);
        var source = new Lstm<float>(5, 6);
        layer.LoadPyTorch(WeightFile.Read(Bytes(source.ToPyTorch())));
        var (rounded, exact) = (layer.Parameters.First().Value.ToArray(), source.Parameters.First().Value.ToArray());
        Assert.All(rounded, value => Assert.Equal(0u, BitConverter.SingleToUInt32Bits(value) & 0xFFFF));
        Assert.All(rounded.Zip(exact), pair => Assert.InRange(pair.First, pair.Second - Math.Abs(pair.Second / 256), pair.Second + Math.Abs(pair.Second / 256)));
    }

    public static TheoryData<string, string> Refused => new()
    {
        { "lstm-peephole", "no cell 'lstm-peephole'" }, { "lstm-coupled", "no cell 'lstm-coupled'" }, { "lstm-noforget", "no cell 'lstm-noforget'" }, { "lstm-layernorm", "no cell 'lstm-layernorm'" },
        { "gru-before", "no cell 'gru-before'" }, { "mgu", "no cell 'mgu'" }, { "rnn-elu", "no cell 'rnn-elu'" }, { "slstm", "no cell 'slstm'" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_PyTorch_has_no_cell_for_is_refused(string cell, string message)
    {
        var layer = RecurrentLayer<float>.Create(cell, 3, 4);
        Assert.Contains(message, Assert.Throws<NotSupportedException>(() => layer.ToPyTorch()).Message);
        Assert.Contains(message, Assert.Throws<NotSupportedException>(() => layer.LoadPyTorch(State, "lstm.")).Message);
        var model = new Sequential<float>(new Linear<float>(3, 3), layer);
        Assert.Contains("1. PyTorch cannot hold this", Assert.Throws<NotSupportedException>(() => model.ToPyTorch()).Message);
    }

    [Fact]
    public void What_PyTorch_does_not_do_is_refused_with_the_reason()
    {
        (LstmOptions Options, string Message)[] cases =
        [
            (new() { Heads = 2 }, "it has no heads"), (new() { HiddenSizes = [4, 6] }, "one hidden size, not 4, 6"), (new() { Reverse = true }, "only runs back in time"),
            (new() { Bidirectional = true, Merge = DirectionMerge.Sum }, "Merge is Sum"), (new() { Bidirectional = true, Merge = DirectionMerge.Mean }, "Merge is Mean"), (new() { Residual = true }, "no residual connections"),
            (new() { HiddenZoneout = 0.1 }, "no zoneout"), (new() { CellZoneout = 0.1 }, "no zoneout"), (new() { LearnedInitialState = true }, "no learned initial state"),
        ];
        foreach (var (options, message) in cases)
        {
            Assert.Contains(message, Assert.Throws<NotSupportedException>(() => new Lstm<float>(4, 4, options).ToPyTorch()).Message);
        }

        Assert.Contains("projects the hidden state of an LSTM only", Assert.Throws<NotSupportedException>(() => new SimpleRnn<float>(4, 4, new() { ProjectionSize = 2 }).ToPyTorch()).Message);
        Assert.Contains("a cell of PyTorch is one layer", Assert.Throws<NotSupportedException>(() => new Gru<float>(4, 4, new() { Layers = 2 }).ToPyTorchCell()).Message);
        Assert.Equal(16, new Lstm<float>(4, 4, new() { Layers = 2, Bidirectional = true, Merge = DirectionMerge.Separate, Dropout = 0.5, RecurrentDropout = 0.5, WeightDrop = 0.5 }).ToPyTorch().Count);

        // Around the same weights a layer may do more.
        var more = new Gru<float>(6, 4, new() { HiddenZoneout = 0.5, LearnedInitialState = true });
        more.LoadPyTorch(State, "gru.");
        Assert.Equal(State.Get<float>("gru.weight_ih_l0").AsReadOnlySpan(), more.Parameters.First().Value.AsReadOnlySpan());
    }

    [Fact]
    public void What_does_not_fit_is_listed_and_changes_nothing()
    {
        var layer = new Lstm<double>(5, 6, new() { Bidirectional = true, ProjectionSize = 3, Bias = false });
        var before = layer.Parameters.Select(parameter => parameter.Value.ToArray()).ToList();
        var error = Assert.Throws<InvalidDataException>(() => layer.LoadPyTorch(State, "lstm."));
        Assert.Contains("unexpected: lstm.bias_ih_l0 F32 [24], lstm.bias_hh_l0 F32 [24], ", error.Message);
        Assert.Contains("lstm.weight_ih_l1 F32 [24, 6]", error.Message);
        error = Assert.Throws<InvalidDataException>(() => layer.LoadPyTorch(State, "encoder."));
        Assert.Contains("missing: encoder.weight_ih_l0 [24, 5], ", error.Message);
        Assert.Contains("The file has embedding.weight, ", error.Message);
        Assert.Contains("of another shape: rnn.weight_ih_l0 expected [5, 4] but is [3, 4], ", Assert.Throws<InvalidDataException>(() => new SimpleRnn<double>(4, 5, new() { Bias = false }).LoadPyTorch(State, "rnn.")).Message);
        Assert.Contains("of another type than F64, F32, F16 or BF16: weight is I64", Assert.Throws<InvalidDataException>(() =>
            new Linear<double>(2, 3, new() { Bias = false }).LoadPyTorch(WeightFile.Read(OtherFiles("<i8")))).Message);
        Assert.Equal(before, layer.Parameters.Select(parameter => parameter.Value.ToArray()).ToList());
        layer.LoadPyTorch(State, "lstm.", strict: false);
        Assert.Equal(State.Get<double>("lstm.weight_ih_l0").AsReadOnlySpan(), layer.Parameters.First().Value.AsReadOnlySpan());

        static byte[] OtherFiles(string type) => Formats.OtherFiles.Zip(("weight.npy", Formats.OtherFiles.Npy($"{{'descr': '{type}', 'fortran_order': False, 'shape': (3, 2)}}", new byte[48])));
    }

    [Fact]
    public void A_layer_that_is_not_there_is_named_with_those_that_are()
    {
        Assert.Contains("There are some with the prefix \"lstm.\", \"gru.\", \"rnn.\"", Assert.Throws<InvalidDataException>(() => Lstm<float>.FromPyTorch(State)).Message);
        Assert.Contains("expected [4·H, I] for a cell of 4 gates", Assert.Throws<InvalidDataException>(() => Lstm<float>.FromPyTorch(State, "rnn.")).Message);
        Assert.Contains("'gru.weight_hh_l0' is [12, 4]; expected [12, 3]", Assert.Throws<InvalidDataException>(() => Lstm<float>.FromPyTorch(State, "gru.")).Message);
        Assert.Contains("there is no 'x.weight'; the file has embedding.weight, ", Assert.Throws<InvalidDataException>(() => Linear<float>.FromPyTorch(State, "x.")).Message);
        Assert.Contains("expected [outputs, inputs, taps]", Assert.Throws<InvalidDataException>(() => CausalConvolution<float>.FromPyTorch(State, "head.0.")).Message);
        Assert.Contains("over the last dimension", Assert.Throws<InvalidDataException>(() => LayerNorm<float>.FromPyTorch(State, "head.0.")).Message);
        Assert.Contains("expected [outputs, inputs]", Assert.Throws<InvalidDataException>(() => Embedding<float>.FromPyTorch(State, "norm.")).Message);
        Assert.Throws<NotSupportedException>(() => Gru<float>.FromPyTorch(State, "gru.", new() { ResetAfter = false }));
    }

    private static byte[] Bytes<T>(IEnumerable<KeyValuePair<string, Tensor<T>>> tensors)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var stream = new MemoryStream();
        PyTorchFile.Write(stream, tensors);
        return stream.ToArray();
    }

    private static Model<double> Read(WeightFile file) => new(
        Embedding<double>.FromPyTorch(file, "embedding."), CausalConvolution<double>.FromPyTorch(file, "convolution.", new() { Dilation = 2 }), LayerNorm<double>.FromPyTorch(file, "norm."),
        Lstm<double>.FromPyTorch(file, "lstm."), Gru<double>.FromPyTorch(file, "gru."), SimpleRnn<double>.FromPyTorch(file, "rnn.", new() { Activation = Activation.Relu }),
        new(Linear<double>.FromPyTorch(file, "head.0."), new ActivationLayer<double>(Activation.Relu), Linear<double>.FromPyTorch(file, "head.2.")));

    private static double[] Run(Model<double> model) => model.Forward(Arrays.Get<double>("tokens")).ToArray();

    private sealed class Model<T> : Module<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly Layer<T>[] _layers;

        public Model(Embedding<T> embedding, CausalConvolution<T> convolution, LayerNorm<T> norm, Lstm<T> lstm, Gru<T> gru, SimpleRnn<T> rnn, Sequential<T> head) =>
            _layers =
            [
                AddModule("embedding", embedding), AddModule("convolution", convolution), AddModule("norm", norm), AddModule("lstm", lstm), AddModule("gru", gru), AddModule("rnn", rnn), AddModule("head", head),
            ];

        public Tensor<T> Forward(Tensor<T> tokens) => _layers.Aggregate(tokens, (x, layer) => layer.Forward(x));
    }

    private sealed class Tied : Module<float>
    {
        public Tied()
        {
            Embedding = AddModule("embedding", new Embedding<float>(5, 3));
            AddModule("head", new Linear<float>(Embedding.Weight));
        }

        public Embedding<float> Embedding { get; }
    }
}
