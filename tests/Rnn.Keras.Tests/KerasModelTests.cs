using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Keras.Tests;

/// <summary>Models of Keras 1, 2 and 3 give what a plain computation of their equations gives.</summary>
public class KerasModelTests
{
    public static TheoryData<string> Models() => [.. GoldenModels.Names];

    [Theory]
    [MemberData(nameof(Models))]
    public void A_model_computes_what_Keras_computes(string name)
    {
        var (input, output) = GoldenModels.Case(name);
        GoldenModels.Close(output, KerasModel<double>.Load(GoldenModels.PathOf(name)).Forward(input), 1e-12);
        var single = Tensor<float>.From([.. input.ToArray().Select(value => (float)value)], input.Shape);
        GoldenModels.Close(output, KerasModel<float>.Load(GoldenModels.PathOf(name)).Forward(single), 1e-5);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void The_network_of_a_model_is_saved_and_opened_as_others_are(string name)
    {
        var model = KerasModel<double>.Load(GoldenModels.PathOf(name));
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.safetensors");
        try
        {
            model.Network.Save(path);
            var opened = (Sequential<double>)Module<double>.Open(path);
            var (input, output) = GoldenModels.Case(name);
            GoldenModels.Close(output, opened.Forward(input, model.Lengths(input)), 1e-12);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_model_says_what_it_is_made_of()
    {
        var model = KerasModel<float>.Load(GoldenModels.PathOf("tokens.keras"));
        Assert.Equal("tagger", model.Name);
        Assert.Equal("3.5.0", model.KerasVersion);
        Assert.True(model.MasksZeros);
        Assert.Equal(["embedding", "bidirectional", "lstm", "dense"], model.LayerNames);
        var lstm = Assert.IsType<Lstm<float>>(model["lstm"]);
        Assert.Equal(3, lstm.HiddenSize);
        Assert.Equal(Activation.HardSigmoid, lstm.Activations!.Gate);
        Assert.Contains("dense", Assert.Throws<KeyNotFoundException>(() => model["dens"]).Message, StringComparison.Ordinal);
        Assert.Equal(["simple_rnn_1"], KerasModel<float>.Load(GoldenModels.PathOf("keras2.h5")).StatefulLayers);
    }

    [Fact]
    public void Padding_is_found_at_the_end_of_rows_alone()
    {
        var model = KerasModel<double>.Load(GoldenModels.PathOf("tokens.keras"));
        Assert.Equal([5, 2, 0, 4], model.Lengths(GoldenModels.Case("tokens.keras").Input));
        var error = Assert.Throws<ArgumentException>(() => model.Forward(new[,] { { 1, 2 }, { 0, 2 } }));
        Assert.Contains("row 1 has a masked step 0 before step 1", error.Message, StringComparison.Ordinal);
        Assert.Empty(KerasModel<double>.Load(GoldenModels.PathOf("lstm.keras")).Lengths(Tensor<double>.Zeros(1, 2, 3)));
    }

    [Fact]
    public void A_chain_of_the_layers_steps_through_time()
    {
        var (input, output) = GoldenModels.Case("lstm.keras");
        var stepper = KerasModel<double>.Load(GoldenModels.PathOf("lstm.keras")).ToChain().CreateStepper(rows: 3);
        var result = new double[6];
        for (var step = 0; step < 5; step++)
        {
            stepper.Step(input.Select(1, step).ToArray(), result);
        }

        GoldenModels.Close(output, Tensor<double>.From(result, 3, 2), 1e-12);
    }

    [Fact]
    public void The_hard_sigmoid_follows_the_version_of_Keras()
    {
        var three = KerasModel<double>.Load(GoldenModels.WithConfig("tokens.keras", text => text + " "));
        var two = KerasModel<double>.Load(GoldenModels.WithConfig("tokens.keras", text => text + " ", version: "2.15.0"));
        Assert.Equal(ActivationFunction.FromActivation(Activation.HardSigmoid), ((Lstm<double>)three["lstm"]).Activations!.Gate);
        Assert.Equal(ActivationFunction.HardSigmoid(0.2, 0.5), ((Lstm<double>)two["lstm"]).Activations!.Gate);
    }

    [Fact]
    public void A_time_major_layer_reads_steps_first()
    {
        var (input, output) = GoldenModels.Case("lstm.keras");
        var model = KerasModel<double>.Load(GoldenModels.WithConfig("lstm.keras", text => text.Replace("\"unroll\": false", "\"unroll\": false, \"time_major\": true", StringComparison.Ordinal)));
        GoldenModels.Close(output, model.Forward(input.Permute(1, 0, 2)), 1e-12);
    }

    [Theory]
    [InlineData("\"class_name\": \"Dense\"", "\"class_name\": \"Conv1D\"", "'dense_3' (Conv1D): class:")]
    [InlineData("\"return_state\": false", "\"return_state\": true", "'lstm_7' (LSTM): return_state:")]
    [InlineData("\"activation\": \"tanh\"", "\"activation\": \"softmax\"", "'lstm_7' (LSTM): activation: the activation 'softmax'")]
    [InlineData("\"activation\": \"softmax\"", "\"activation\": \"log_softmax\"", "'dense_3' (Dense): activation: the activation 'log_softmax'")]
    [InlineData("\"recurrent_activation\": \"sigmoid\"", "\"recurrent_activation\": {\"class_name\": \"Mine\", \"config\": {}}", "'lstm_7' (LSTM): recurrent_activation:")]
    [InlineData("\"use_bias\": true, \"dropout\"", "\"use_bias\": true, \"lora_rank\": 4, \"dropout\"", "'lstm_7' (LSTM): lora_rank:")]
    [InlineData("\"class_name\": \"Sequential\"", "\"class_name\": \"Mine\"", "'Mine'")]
    public void What_cannot_be_said_is_refused_by_layer_and_option(string from, string to, string message)
    {
        var error = Assert.Throws<NotSupportedException>(() => KerasModel<double>.Load(GoldenModels.WithConfig("lstm.keras", text => text.Replace(from, to, StringComparison.Ordinal)), "model.keras"));
        Assert.StartsWith("model.keras: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"units\": 4", "\"units\": 5", "the kernel has shape [3, 16]; expected [inputs, 20]")]
    [InlineData("\"units\": 4", "\"units\": 2000000000", "expected [inputs, 8000000000]")]
    [InlineData("\"units\": 4", "\"units\": -1", "units: expected a size")]
    [InlineData("\"units\": 2,", "\"units\": 3,", "'dense_3' (Dense): the kernel has shape [4, 2]")]
    [InlineData("\"use_bias\": true, \"dropout\"", "\"use_bias\": false, \"dropout\"", "there are 3 weights")]
    [InlineData("\"layers\":", "\"layer\":", "damaged")]
    [InlineData("}", "", "damaged")]
    public void What_contradicts_itself_is_refused(string from, string to, string message)
    {
        var error = Assert.Throws<InvalidDataException>(() => KerasModel<double>.Load(GoldenModels.WithConfig("lstm.keras", text => text.Replace(from, to, StringComparison.Ordinal)), "model.keras"));
        Assert.StartsWith("model.keras: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Directions_that_differ_and_merges_of_two_outputs_are_refused()
    {
        var differs = Assert.Throws<NotSupportedException>(() => KerasModel<double>.Load(GoldenModels.WithConfig(
            "tokens.keras", text => Last(text, "\"go_backwards\": true", "\"go_backwards\": true, \"activation\": \"relu\""))));
        Assert.Contains("'bidirectional' (Bidirectional): backward_layer", differs.Message, StringComparison.Ordinal);
        var none = Assert.Throws<NotSupportedException>(() => KerasModel<double>.Load(GoldenModels.WithConfig(
            "tokens.keras", text => text.Replace("\"merge_mode\": \"concat\"", "\"merge_mode\": null", StringComparison.Ordinal))));
        Assert.Contains("merge_mode", none.Message, StringComparison.Ordinal);

        static string Last(string text, string from, string to) => text[..text.LastIndexOf(from, StringComparison.Ordinal)] + to + text[(text.LastIndexOf(from, StringComparison.Ordinal) + from.Length)..];
    }

    [Fact]
    public void A_functional_model_that_branches_is_refused_by_the_layer()
    {
        var error = Assert.Throws<NotSupportedException>(() => KerasModel<double>.Load(GoldenModels.WithConfig(
            "functional.keras", text => text.Replace("\"keras_history\": [\"end\", 0, 0]", "\"keras_history\": [\"norm\", 0, 0]", StringComparison.Ordinal))));
        Assert.Contains("'end'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void A_model_is_written_and_read_again(string name)
    {
        var model = KerasModel<double>.Load(GoldenModels.PathOf(name));
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.keras");
        try
        {
            if (name.StartsWith("keras", StringComparison.Ordinal) && name != "keras2-functional.h5")
            {
                // The hard sigmoid of Keras 2 has no name in Keras 3.
                Assert.Contains("HardSigmoid(0.2, 0.5)", Assert.Throws<NotSupportedException>(() => model.Save(path)).Message, StringComparison.Ordinal);
                return;
            }

            model.Save(path);
            var (input, output) = GoldenModels.Case(name);
            var again = KerasModel<double>.Load(path);
            GoldenModels.Close(output, again.Forward(input), 1e-12);
            Assert.Equal(model.LayerNames, again.LayerNames);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_network_of_ones_own_is_written_for_Keras()
    {
        var network = new Sequential<float>(
            new Linear<float>(3, 4), new ActivationLayer<float>(ActivationFunction.LeakyRelu(0.1)), new ActivationLayer<float>(ActivationFunction.Elu(0.7)), new Dropout<float>(0.2),
            new Lstm<float>(4, 5, new() { Bidirectional = true, Merge = DirectionMerge.Sum, GateActivation = Activation.HardSigmoid }), new Gru<float>(5, 6, new() { ResetAfter = false, Bias = false }),
            new SimpleRnn<float>(6, 3, new() { Activation = Activation.Relu }), new LayerNorm<float>(3, new() { Bias = false }), new SimpleRnn<float>(3, 4, new() { Activation = Activation.Silu }), new LastStep<float>(),
            new Linear<float>(4, 2, new() { Bias = false }), new ActivationLayer<float>(ActivationFunction.ThresholdedRelu(0.3)), new KerasOperation<float>(KerasOperationKind.Softmax));
        network.Evaluate();
        var model = new KerasModel<float>(network, "mine");
        Assert.Equal(["dense", "bidirectional", "gru", "simple_rnn", "layer_normalization", "simple_rnn_1", "dense_1"], model.LayerNames);
        var folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            var (archive, weights) = (Path.Combine(folder, "mine.keras"), Path.Combine(folder, "mine.weights.h5"));
            model.Save(archive);
            model.Save(weights);
            var again = KerasModel<float>.Load(archive);
            var x = Tensor<float>.RandomNormal(new RandomSource(1), 0, 1, 2, 4, 3);
            Assert.Equal(network.Forward(x).ToArray(), again.Forward(x).ToArray());
            Assert.Equal("mine", again.Name);
            var gru = new Gru<float>(5, 6, new() { ResetAfter = false, Bias = false });
            KerasWeights.Load(weights, "layers/gru", gru);
            Assert.Equal(((Gru<float>)network[5]).NamedParameters[1].Value.Value.ToArray(), gru.NamedParameters[1].Value.Value.ToArray());
            Assert.Equal(["mine.keras", "mine.weights.h5"], Directory.GetFiles(folder).Select(Path.GetFileName).Order());
            Assert.Throws<ArgumentException>(() => model.Save(Path.Combine(folder, "mine.h5")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Stacked_layers_are_written_as_single_ones_with_the_same_numbers()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory().FullName, "stack.keras");
        try
        {
            foreach (var layer in new RecurrentLayer<double>[]
            {
                new Lstm<double>(3, 4, new() { Layers = 3, Bidirectional = true, Dropout = 0.2, Seed = 1 }), new Gru<double>(3, 4, new() { HiddenSizes = [5, 2], Seed = 2 }),
                new SimpleRnn<double>(3, 4, new() { Layers = 2, Activation = Activation.Relu, Seed = 3 }),
            })
            {
                var network = new Sequential<double>(layer, new LastStep<double>(), new Linear<double>(layer.OutputSize, 2, new() { Seed = 4 }));
                network.Evaluate();
                new KerasModel<double>(network).Save(path);
                var read = KerasModel<double>.Load(path);
                read.Network.Evaluate();
                Assert.Equal(layer.LayerCount, read.Network.Count(part => part is RecurrentLayer<double>));
                var x = Tensor<double>.RandomNormal(new RandomSource(5), 0, 1, 2, 6, 3);
                Assert.All(network.Forward(x).ToArray().Zip(read.Network.Forward(x).ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-12));
                File.Delete(path);
            }
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }

    [Fact]
    public void What_Keras_has_no_layer_for_is_not_written()
    {
        AssertRefused("peephole", new Lstm<double>(3, 4, new() { Peepholes = Peepholes.Diagonal }));
        AssertRefused("2 layers", new Gru<double>(3, 4, new() { Layers = 2, Residual = true }));
        AssertRefused("ReverseTime", new Gru<double>(3, 4, new() { Layers = 2, Reverse = true }));
        AssertRefused("learned initial state", new Gru<double>(3, 4, new() { LearnedInitialState = true }));
        AssertRefused("zoneout", new Lstm<double>(3, 4, new() { CellZoneout = 0.1 }));
        AssertRefused("forget gate", new Lstm<double>(3, 4, new() { ForgetFromInput = true }));
        AssertRefused("candidate and output", new Lstm<double>(3, 4, new() { OutputActivation = Activation.Relu }));
        AssertRefused("clip", new Gru<double>(3, 4, new() { ActivationClip = 1 }));
        AssertRefused("ReverseTime", new Gru<double>(3, 4, new() { Reverse = true }));
        AssertRefused("RmsNorm", new Linear<double>(2, 2), new RmsNorm<double>(2));
        AssertRefused("LastStep", new Linear<double>(2, 2), new LastStep<double>());
        AssertRefused("size of the input", new Dropout<double>(0.5));

        static void AssertRefused(string message, params Layer<double>[] layers) => Assert.Contains(
            message, Assert.Throws<NotSupportedException>(() => new KerasModel<double>(new(layers)).Save(Path.Combine(Path.GetTempPath(), "never.keras"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_weights_alone_is_no_model()
    {
        var error = Assert.Throws<InvalidDataException>(() => KerasModel<double>.Load(GoldenModels.PathOf("layers.weights.h5")));
        Assert.Contains("KerasWeights.Load", error.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => KerasModel<double>.Load(new MemoryStream([1, 2, 3])));
        Assert.Throws<InvalidDataException>(() => KerasModel<double>.Load(new MemoryStream()));
        Assert.Throws<InvalidDataException>(() => KerasModel<double>.Load(new MemoryStream("PK\u0003\u0004and nothing else"u8.ToArray())));
    }
}
