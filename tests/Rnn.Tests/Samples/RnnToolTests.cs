using Rnn.Formats;
using Rnn.Keras;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Tests.Samples;

/// <summary>The command rnn: files of every format in and out with the same numbers.</summary>
public sealed class RnnToolTests : IDisposable
{
    private const string Sample = "RnnTool";
    private readonly string _folder = Directory.CreateTempSubdirectory("rnn-tool-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(2, "layer.onnx", "layer.npz", "layer.pt", "names.safetensors")]
    [InlineData(1, "layer.keras")]
    public void A_layer_keeps_its_numbers_through_every_format(int layers, params string[] files)
    {
        var layer = new Lstm<float>(5, 7, new() { Layers = layers, Bidirectional = true, Seed = 3 });
        layer.Evaluate();
        layer.Save(Path.Combine(_folder, "layer.safetensors"));
        var input = Tensor<float>.RandomNormal(new RandomSource(4), 0, 1, 3, 6, 5);
        NumPy.Write(Path.Combine(_folder, "x.npy"), input);
        var expected = layer.Forward(input).ToArray();
        foreach (var file in files)
        {
            var converted = Run(["convert", "layer.safetensors", file, .. file.StartsWith("names", StringComparison.Ordinal) ? ["--pytorch"] : Array.Empty<string>()]);
            Assert.True(converted.ExitCode == 0, converted.Error);
            Assert.Contains(Path.Combine(_folder, file), converted.Output, StringComparison.Ordinal);
            var ran = Run(["run", file, "--input", "x.npy", "--output", "y.npy"]);
            Assert.True(ran.ExitCode == 0, $"{file}: {ran.Error}");
            var actual = NumPy.Read<float>(Path.Combine(_folder, "y.npy")).ToArray();
            Assert.Equal(expected.Length, actual.Length);
            Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        }

        if (layers == 1)
        {
            return;
        }

        var back = Run(["convert", "layer.npz", "back.safetensors", "--prefix", string.Empty]);
        Assert.True(back.ExitCode == 0, back.Error);
        Assert.Equal(expected, Module<float>.Open(Path.Combine(_folder, "back.safetensors")) is RecurrentLayer<float> opened ? opened.Forward(input).ToArray() : []);
    }

    [Fact]
    public void Inspect_tells_layers_sizes_and_names()
    {
        new Gru<float>(4, 3, new() { Seed = 1 }).Save(Path.Combine(_folder, "gru.safetensors"));
        var own = Run(["inspect", "gru.safetensors"]);
        Assert.True(own.ExitCode == 0, own.Error);
        Assert.Contains("gru.safetensors: Rnn, recurrent", own.Output, StringComparison.Ordinal);
        Assert.Contains("weight_ih_l0  F32  [9, 4]", own.Output, StringComparison.Ordinal);
        WeightFile.Write(Path.Combine(_folder, "w.pt"), new Gru<float>(4, 3, new() { Seed = 1 }).ToPyTorch("encoder."));
        var weights = Run(["inspect", "w.pt"]);
        Assert.True(weights.ExitCode == 0, weights.Error);
        Assert.Contains("GRU at 'encoder.'", weights.Output, StringComparison.Ordinal);
        Assert.Contains("encoder.weight_hh_l0  F32  [9, 3]", weights.Output, StringComparison.Ordinal);
        Assert.Contains("4 tensors, 81 numbers", weights.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_of_Keras_with_weights_alone_are_shown_and_converted()
    {
        var dense = new Linear<float>(3, 2, new() { Seed = 1 });
        new KerasModel<float>(new Sequential<float>(dense)).Save(Path.Combine(_folder, "net.weights.h5"));
        var shown = Run(["inspect", "net.weights.h5"]);
        Assert.True(shown.ExitCode == 0, shown.Error);
        Assert.Contains("net.weights.h5: Keras, weights", shown.Output, StringComparison.Ordinal);
        Assert.Contains("layers/dense/vars/0  F32  [3, 2]", shown.Output, StringComparison.Ordinal);
        var converted = Run(["convert", "net.weights.h5", "net.npz"]);
        Assert.True(converted.ExitCode == 0, converted.Error);
        using var file = WeightFile.Open(Path.Combine(_folder, "net.npz"));
        Assert.Equal(dense.Weight.Value.Transpose().ToArray(), file.Get<float>("layers/dense/vars/0").ToArray());
        Assert.Equal(2, Run(["run", "net.weights.h5", "--input", "x.npy"]).ExitCode);
    }

    [Fact]
    public void A_model_of_words_runs_by_the_operators_that_it_is_exported_as()
    {
        var vocabulary = CharVocabulary.FromText("abc");
        var model = new LanguageModel<float>(vocabulary, new Lstm<float>(4, 6, new() { Seed = 2 }));
        model.Save(Path.Combine(_folder, "model.safetensors"));
        NumPy.Write(Path.Combine(_folder, "tokens.npy"), Tensor<float>.From([0, 1, 2, 1, 0, 2], 2, 3));
        var ran = Run(["run", "model.safetensors", "-i", "tokens.npy", "-o", "scores.npy"]);
        Assert.True(ran.ExitCode == 0, ran.Error);
        model.Evaluate();
        var expected = model.Forward([0, 1, 2, 1, 0, 2], 2, default, null).Logits;
        var actual = NumPy.Read<float>(Path.Combine(_folder, "scores.npy"));
        Assert.Equal(expected.Shape, actual.Shape);
        Assert.All(expected.ToArray().Zip(actual.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }

    [Fact]
    public void Bench_measures_a_forward_pass_and_a_step()
    {
        new Lstm<float>(4, 8, new() { Seed = 1 }).Save(Path.Combine(_folder, "lstm.safetensors"));
        var result = Run(["bench", "lstm.safetensors", "--seconds", "0.1", "--steps", "5", "--batch", "2"]);
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Matches(@"^forward pass \[2, 5, 4\]: [0-9.]+ [µm]s \(median of ", result.Output);
        Assert.Matches(@"step of a stream, 2 rows: [0-9.]+ [µm]s .*, 0 bytes allocated", result.Output);
    }

    [Theory]
    [InlineData("inspect", "none.safetensors")]
    [InlineData("inspect", "text.onnx")]
    [InlineData("inspect", "text.npz")]
    [InlineData("convert", "text.pt", "out.npz")]
    [InlineData("convert", "w.npz", "out.onnx")]
    [InlineData("convert", "w.npz", "out.what")]
    [InlineData("run", "w.npz", "--input", "x.npy")]
    [InlineData("bench", "w.npz")]
    public void What_is_wrong_is_said_in_one_line(params string[] arguments)
    {
        foreach (var name in new[] { "text.onnx", "text.npz", "text.pt" })
        {
            File.WriteAllText(Path.Combine(_folder, name), "this is a text and nothing else, with some more words behind it");
        }

        WeightFile.Write(Path.Combine(_folder, "w.npz"), [KeyValuePair.Create("a", Tensor<float>.Ones(2, 2))]);
        var result = Run(arguments);
        Assert.Equal(2, result.ExitCode);
        Assert.Single(result.Error.TrimEnd('\n').Split('\n'));
        Assert.True(result.Error.Length > 20);
    }

    [Fact]
    public void A_layer_among_other_tensors_is_used_and_the_rest_is_said()
    {
        var plain = new SimpleRnn<float>(4, 3, new() { Seed = 1, Activation = Activation.Relu });
        var tensors = plain.ToPyTorch("rnn.").Append(KeyValuePair.Create("head.weight", Tensor<float>.Ones(2, 3))).ToArray();
        WeightFile.Write(Path.Combine(_folder, "net.pt"), tensors);
        var input = Tensor<float>.RandomNormal(new RandomSource(4), 0, 1, 2, 6, 4);
        NumPy.Write(Path.Combine(_folder, "x.npy"), input);
        var tanh = Run(["run", "net.pt", "-i", "x.npy"]);
        Assert.Contains("only the RNN at 'rnn.' is used; 1 other tensors", tanh.Error, StringComparison.Ordinal);
        Assert.Contains("tanh is taken, relu with --relu", tanh.Error, StringComparison.Ordinal);
        var relu = Run(["run", "net.pt", "-i", "x.npy", "-o", "y.npy", "--relu"]);
        Assert.True(relu.ExitCode == 0, relu.Error);
        Assert.DoesNotContain("tanh", relu.Error, StringComparison.Ordinal);
        plain.Evaluate();
        Assert.All(plain.Forward(input).ToArray().Zip(NumPy.Read<float>(Path.Combine(_folder, "y.npy")).ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-6f));
        Assert.Contains("choose one of 'rnn.'", Run(["run", "net.pt", "-i", "x.npy", "--prefix", "encoder."]).Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Parameter", Run(["run", "net.pt", "-i", "y.npy"]).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_of_ONNX_is_known_by_its_content()
    {
        new Gru<float>(4, 3, new() { Seed = 1 }).Save(Path.Combine(_folder, "gru.safetensors"));
        Assert.Equal(0, Run(["convert", "gru.safetensors", "gru.onnx"]).ExitCode);
        File.Move(Path.Combine(_folder, "gru.onnx"), Path.Combine(_folder, "gru.bin"));
        var shown = Run(["inspect", "gru.bin"]);
        Assert.True(shown.ExitCode == 0, shown.Error);
        Assert.Contains("gru.bin: ONNX, operator set", shown.Output, StringComparison.Ordinal);
        Assert.Contains("no chain of layers", Run(["convert", "gru.bin", "gru.keras"]).Error, StringComparison.Ordinal);
        Assert.Contains("14 to 22", Run(["convert", "gru.safetensors", "gru.onnx", "--opset", "23"]).Error, StringComparison.Ordinal);
        Assert.Contains("is a folder", Run(["inspect", "."]).Error, StringComparison.Ordinal);
        File.WriteAllBytes(Path.Combine(_folder, "empty.pt"), []);
        Assert.Contains("the file is empty", Run(["inspect", "empty.pt"]).Error, StringComparison.Ordinal);
    }

    private SampleResult Run(string[] arguments) => SampleProcess.Run(Sample, _folder, arguments);
}
