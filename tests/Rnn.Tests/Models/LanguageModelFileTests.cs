using Rnn.Formats;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Tests.Cells;

namespace Rnn.Tests.Models;

public sealed class LanguageModelFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("rnn-models-").FullName;

    public static TheoryData<string> Cells => [.. TestCells.All];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Cells))]
    public void A_saved_model_is_built_anew_with_any_cell(string cell)
    {
        var vocabulary = CharVocabulary.FromText("abc de");
        var model = new LanguageModel<float>(
            vocabulary,
            RecurrentLayer<float>.Create(cell, 3, 5, new() { Layers = 2, Dropout = 0.25, Seed = 4 }),
            new() { Dropout = 0.5, EmbeddingDropout = 0.125, Seed = 9 });
        model.Save(PathOf("model.safetensors"));
        var loaded = LanguageModel<float>.Open(PathOf("model.safetensors"));
        Assert.False(loaded.IsTraining);
        Assert.Equal(cell, Layer(loaded).Layout.Name);
        Assert.Equal([5, 5], Layer(loaded).HiddenSizes);
        Assert.Equal(0.25, Layer(loaded).Options.Dropout);
        Assert.Equal((0.5, 0.125, false), (loaded.Options.Dropout, loaded.Options.EmbeddingDropout, loaded.Options.TieWeights));
        Assert.Equal("abc", loaded.Vocabulary!.Decode(vocabulary.Encode("abc")));
        Assert.Equal(model.NamedParameters.Select(pair => pair.Key), loaded.NamedParameters.Select(pair => pair.Key));
        Assert.Equal(model.Score("bad cab"), loaded.Score("bad cab"));
    }

    [Fact]
    public void Options_of_the_recurrent_layer_come_back()
    {
        var options = new LstmOptions { HiddenSizes = [7, 6], ProjectionSize = 4, Bias = false, LearnedInitialState = true, Seed = 1 };
        var model = new LanguageModel<double>(5, new Lstm<double>(4, 7, options), new() { TieWeights = true, Seed = 2 });
        model.Save(PathOf("model.safetensors"));
        var loaded = LanguageModel<double>.Open(PathOf("model.safetensors"));
        Assert.Equal([7, 6], Layer(loaded).HiddenSizes);
        Assert.Equal(4, Layer(loaded).ProjectionSize);
        Assert.False(Layer(loaded).Options.Bias);
        Assert.Same(loaded.Embedding.Weight, ((Linear<double>)loaded.Output).Weight);
        Assert.Null(loaded.Vocabulary);
        int[] tokens = [0, 1, 2, 3, 4, 3, 2];
        Assert.Equal(model.Score(tokens), loaded.Score(tokens));
        Assert.Equal(model.Score(tokens).Loss, LanguageModel<float>.Open(PathOf("model.safetensors")).Score(tokens).Loss, 1e-5);
    }

    [Fact]
    public void A_given_layer_is_filled()
    {
        var model = new LanguageModel<float>(5, new Gru<float>(3, 4, new() { Seed = 3 }), new() { Seed = 4 });
        model.Save(PathOf("model.safetensors"), [new("note", "hello")]);
        var layer = new Gru<float>(3, 4);
        var loaded = LanguageModel<float>.Open(PathOf("model.safetensors"), layer);
        Assert.Same(layer, loaded.SequenceLayer);
        Assert.Equal(model.Score([1, 2, 3]), loaded.Score([1, 2, 3]));
        Assert.Equal("hello", SafeTensors.Read(PathOf("model.safetensors")).Metadata["note"]);
        var error = Assert.Throws<InvalidDataException>(() => LanguageModel<float>.Open(PathOf("model.safetensors"), new Gru<float>(3, 6)));
        Assert.Contains("expected [18, 6] but is [12, 4]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Foreign_files_are_refused_with_what_they_are()
    {
        new Linear<float>(2, 3).Save(PathOf("linear.safetensors"));
        var error = Assert.Throws<InvalidDataException>(() => LanguageModel<float>.Open(PathOf("linear.safetensors")));
        Assert.Contains("linear.safetensors: this safetensors file is not a language model", error.Message, StringComparison.Ordinal);
        Assert.Contains("Its tensors are bias [3]", error.Message, StringComparison.Ordinal);
        File.WriteAllText(PathOf("text.txt"), "hello, this is not a model");
        Assert.Contains("not a safetensors file", Assert.Throws<InvalidDataException>(() => LanguageModel<float>.Open(PathOf("text.txt"))).Message, StringComparison.Ordinal);
        Assert.Throws<FileNotFoundException>(() => LanguageModel<float>.Open(PathOf("missing.safetensors")));
    }

    [Theory]
    [InlineData("rnn.format", "2", "3", "expected version 2 of the format but the file has 3")]
    [InlineData("rnn.module", "{", "(", "the description of the model is damaged")]
    [InlineData("rnn.module", "\"type\":\"recurrent\"", "\"type\":\"recursive\"", "the type 'recursive' is unknown")]
    [InlineData("rnn.module", "\"type\":\"recurrent\"", "\"type\":\"dropout\"", "it has no 'probability'")]
    [InlineData("rnn.module", "\"type\":\"recurrent\"", "\"type\":\"last-step\"", "the description of the model is damaged")]
    [InlineData("rnn.module", "\"cell\":\"gru\"", "\"cell\":\"mine\"", "the cell 'mine' is none of the built-in ones")]
    [InlineData("rnn.module", "\"hidden_sizes\":[4]", "\"hidden_sizes\":[2000000000]", "more weights than the file")]
    [InlineData("rnn.module", "\"vocabulary_size\":5", "\"vocabulary_size\":2000000000", "more weights than the file")]
    [InlineData("rnn.module", "\"hidden_sizes\":[4]", "\"hidden_sizes\":[-4]", "expected 1 or more but got -4")]
    [InlineData("rnn.module", "\"hidden_sizes\":[4]", "\"hidden_sizes\":[3]", "expected [9, 3] but is [12, 3]")]
    [InlineData("rnn.module", "\"bias\":true", "\"bias\":0", "the description of the model is damaged")]
    [InlineData("rnn.module", "abcde", "abcd", "expected 5 tokens")]
    [InlineData("rnn.module", "characters", "bytes", "not the description of a vocabulary")]
    public void Damaged_metadata_is_refused(string key, string from, string to, string message)
    {
        var model = new LanguageModel<float>(CharVocabulary.FromText("abcde"), new Gru<float>(3, 4));
        model.Save(PathOf("model.safetensors"));
        var file = SafeTensors.Read(PathOf("model.safetensors"));
        var metadata = file.Metadata.ToDictionary(pair => pair.Key, pair => pair.Value);
        var old = from == "abcde" ? "\\\"e\\\"]" : from;
        Assert.Contains(old, metadata[key], StringComparison.Ordinal);
        metadata[key] = metadata[key].Replace(old, from == "abcde" ? "\\\"e\\\",\\\"f\\\"]" : to, StringComparison.Ordinal);
        SafeTensors.Write(
            PathOf("damaged.safetensors"), file.Entries.Select(entry => new KeyValuePair<string, Tensor<float>>(entry.Name, file.Get<float>(entry.Name))), metadata);
        var error = Assert.Throws<InvalidDataException>(() => LanguageModel<float>.Open(PathOf("damaged.safetensors")));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    private static RecurrentLayer<T> Layer<T>(LanguageModel<T> model)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T> => Assert.IsAssignableFrom<RecurrentLayer<T>>(model.SequenceLayer);

    private string PathOf(string name) => Path.Combine(_folder, name);

    [Fact]
    public void Load_fills_a_model_that_exists()
    {
        var vocabulary = CharVocabulary.FromText("abcde");
        var model = new LanguageModel<float>(vocabulary, new Gru<float>(3, 4, new() { Seed = 1 }), new() { Seed = 1 });
        model.Save(PathOf("model.safetensors"), [new("note", "hello")]);
        var other = new LanguageModel<float>(vocabulary, new Gru<float>(3, 4, new() { Seed = 2 }), new() { Seed = 2 });
        Assert.NotEqual(model.Score("abcde"), other.Score("abcde"));
        Assert.Equal("hello", other.Load(PathOf("model.safetensors"))["note"]);
        Assert.Equal(model.Score("abcde"), other.Score("abcde"));
        Assert.True(other.IsTraining);
    }

    [Fact]
    public void Weights_of_another_cell_or_vocabulary_are_refused()
    {
        var path = PathOf("model.safetensors");
        new LanguageModel<float>(CharVocabulary.FromText("abcde"), new SimpleRnn<float>(3, 4)).Save(path);
        var error = Assert.Throws<InvalidDataException>(() => LanguageModel<float>.Open(path, new SimpleRnn<float>(3, 4, new() { Activation = Activation.Relu })));
        Assert.Contains("layer: expected a layer of the cell 'rnn-tanh', which the file was saved with, but got one of 'rnn-relu'", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<InvalidDataException>(
            () => new LanguageModel<float>(5, new SimpleRnn<float>(3, 4, new() { Activation = Activation.Relu })).Load(path));
        Assert.Contains("recurrent computes 'rnn-relu' but is saved from 'rnn-tanh'", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<InvalidDataException>(() => LanguageModel<float>.Open(path, new SimpleRnn<float>(3, 4, new() { HiddenZoneout = 0.5 })));
        Assert.Contains("hidden zoneout 0.5", error.Message, StringComparison.Ordinal);
        var other = new LanguageModel<float>(CharVocabulary.FromText("vwxyz"), new SimpleRnn<float>(3, 4));
        Assert.Contains("its weights are for another vocabulary", Assert.Throws<InvalidDataException>(() => other.Load(path)).Message, StringComparison.Ordinal);
        other.Vocabulary = null;
        other.Load(path);
    }

    [Theory]
    [InlineData("\"vocabulary_size\":5", "\"vocabulary_size\":2000000000")]
    [InlineData("\"vocabulary_size\":5", "\"vocabulary_size\":40")]
    public void A_given_layer_does_not_make_a_damaged_size_believed(string from, string to)
    {
        var path = PathOf("damaged.safetensors");
        Damage(new LanguageModel<float>(5, new Gru<float>(3, 4)), from, to, path);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("more weights than the file", Assert.Throws<InvalidDataException>(() => LanguageModel<float>.Open(path, new Gru<float>(3, 4))).Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10_000_000);
    }

    // Sizes that each have fewer weights than the file, and more together.
    [Theory]
    [InlineData("\"hidden_sizes\":[4]", "\"hidden_sizes\":[20]")]
    [InlineData("\"hidden_sizes\":[4]", "\"hidden_sizes\":[7,7,7]")]
    [InlineData("\"hidden_sizes\":[4]", "\"hidden_sizes\":[2147483647,2147483647,2147483647]")]
    public void A_size_whose_product_is_beyond_the_file_is_refused(string from, string to)
    {
        var path = PathOf("damaged.safetensors");
        Damage(new LanguageModel<float>(5, new Gru<float>(3, 4)), from, to, path);
        Assert.Contains("more weights than the file", Assert.Throws<InvalidDataException>(() => LanguageModel<float>.Open(path)).Message, StringComparison.Ordinal);
    }

    private static void Damage(LanguageModel<float> model, string from, string to, string path)
    {
        model.Save(path);
        var file = SafeTensors.Read(path);
        var metadata = file.Metadata.ToDictionary(pair => pair.Key, pair => pair.Value);
        Assert.Contains(from, metadata["rnn.module"], StringComparison.Ordinal);
        metadata["rnn.module"] = metadata["rnn.module"].Replace(from, to, StringComparison.Ordinal);
        SafeTensors.Write(path, file.Entries.Select(entry => new KeyValuePair<string, Tensor<float>>(entry.Name, file.Get<float>(entry.Name))), metadata);
    }
}
