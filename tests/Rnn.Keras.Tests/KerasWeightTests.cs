using Rnn.Layers;

namespace Rnn.Keras.Tests;

/// <summary>Weights of single layers.</summary>
public class KerasWeightTests
{
    [Fact]
    public void Layers_of_a_file_of_weights_are_listed_and_loaded()
    {
        var path = GoldenModels.PathOf("layers.weights.h5");
        Assert.Equal(["layers/bidirectional", "layers/lstm"], KerasWeights.Layers(path).Order());
        var lstm = new Lstm<double>(3, 4);
        var gru = new Gru<double>(4, 3, new() { Bidirectional = true });
        KerasWeights.Load(path, "layers/lstm", lstm);
        KerasWeights.Load(path, "layers/bidirectional", gru);
        var (input, output) = GoldenModels.Case("layers.weights.h5");
        GoldenModels.Close(output, new SequenceChain<double>(lstm, gru).Forward(input), 1e-12);
    }

    [Fact]
    public void Files_of_weights_of_Keras_2_and_archives_work_as_well()
    {
        var lstm = new Lstm<double>(3, 4);
        var path = GoldenModels.PathOf("keras2-weights.h5");
        Assert.Equal(["a"], KerasWeights.Layers(path));
        KerasWeights.Load(path, "a", lstm);
        var (input, output) = GoldenModels.Case("keras2-weights.h5");
        GoldenModels.Close(output, lstm.Forward(input), 1e-12);
        Assert.Equal(["layers/dense", "layers/lstm"], KerasWeights.Layers(GoldenModels.PathOf("lstm.keras")).Order());
        KerasWeights.Load(GoldenModels.PathOf("lstm.keras"), "layers/lstm", lstm);
        Assert.NotEqual(output.ToArray(), lstm.Forward(input).ToArray());
    }

    [Theory]
    [InlineData("layers.weights.h5", "layers/lstm/cell/vars/0 [3, 16], layers/lstm/cell/vars/1 [4, 16], layers/lstm/cell/vars/2 [16]", 9)]
    [InlineData("lstm.keras", "layers/dense/vars/0", 5)]
    [InlineData("keras2-weights.h5", "[3, 16]", 3)]
    public void All_weights_of_a_file_are_read_by_their_paths(string file, string contains, int count)
    {
        var weights = KerasWeights.Read<float>(GoldenModels.PathOf(file));
        Assert.Contains(contains, string.Join(", ", weights.Select(pair => $"{pair.Key} {pair.Value.Shape}")), StringComparison.Ordinal);
        Assert.Equal(count, weights.Select(pair => pair.Key).Distinct().Count());
        Assert.All(weights, pair => Assert.Contains(pair.Value.ToArray(), value => value != 0));
    }

    [Fact]
    public void Chunks_with_a_checksum_are_read_right()
    {
        var dense = new Linear<double>(5, 7);
        KerasWeights.Load(GoldenModels.PathOf("checksum.weights.h5"), "layers/dense", dense);
        var (input, output) = GoldenModels.Case("checksum.weights.h5");
        GoldenModels.Close(output, dense.Forward(input), 1e-12);
    }

    [Theory]
    [InlineData("names-old.weights.h5")]
    [InlineData("names-new.weights.h5")]
    public void Nothing_of_a_sound_file_looks_damaged(string file)
    {
        var path = GoldenModels.PathOf(file);
        var names = KerasWeights.Layers(path);
        Assert.Equal(21, names.Count);
        for (var i = 0; i < names.Count; i++)
        {
            var dense = new Linear<float>(2, 3, new() { Bias = false });
            KerasWeights.Load(path, names[i], dense);
            Assert.All(dense.Weight.Value.ToArray(), value => Assert.Equal(i, value));
        }
    }

    [Fact]
    public void A_layer_of_another_size_or_kind_is_refused()
    {
        var path = GoldenModels.PathOf("layers.weights.h5");
        Assert.Contains("expected [3, 20]", Assert.Throws<InvalidDataException>(() => KerasWeights.Load(path, "layers/lstm", new Lstm<double>(3, 5))).Message, StringComparison.Ordinal);
        Assert.Contains("layers/bidirectional", Assert.Throws<InvalidDataException>(() => KerasWeights.Load(path, "layers/gru", new Gru<double>(3, 5))).Message, StringComparison.Ordinal);
        Assert.Contains("lstm-peephole", Assert.Throws<NotSupportedException>(() => KerasWeights.Load(path, "layers/lstm", new Lstm<double>(3, 4, new() { Peepholes = Peepholes.Diagonal }))).Message, StringComparison.Ordinal);
        Assert.Contains("Dropout", Assert.Throws<NotSupportedException>(() => KerasWeights.Load(path, "layers/lstm", new Dropout<double>(0.1))).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => KerasWeights.Load(path, "layers/lstm", new Lstm<double>(3, 4, new() { Bias = false })));
    }

    [Theory]
    [InlineData("LSTM", "lstm")]
    [InlineData("SimpleRNN", "simple_rnn")]
    [InlineData("LayerNormalization", "layer_normalization")]
    [InlineData("LeakyReLU", "leaky_re_lu")]
    [InlineData("TimeDistributed", "time_distributed")]
    public void Names_of_classes_in_paths_are_those_of_Keras(string className, string expected) => Assert.Equal(expected, KerasWeightGroup.SnakeCase(className));
}
