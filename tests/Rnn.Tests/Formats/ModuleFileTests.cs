using System.Numerics;
using Rnn.Formats;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Tests.Formats;

public sealed class ModuleFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("rnn-tests-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_module_comes_back_as_it_was()
    {
        var saved = new Pair<float>(3, 37, seed: 1);
        saved.Save(Location, [new("note", "first")]);
        var loaded = new Pair<float>(3, 37, seed: 2);
        var version = loaded.Parameters.First().Value.Version;
        Assert.Equal("first", loaded.Load(Location)["note"]);
        Assert.Equal(Values(saved), Values(loaded));
        Assert.NotEqual(version, loaded.Parameters.First().Value.Version);

        // The same weights in the other element type.
        var wide = new Pair<double>(3, 37, seed: 3);
        wide.Load(Location);
        Assert.Equal(Values(saved), Values(wide));
    }

    // Parameters are read through a buffer of 256 KiB: one element less than it holds, as many, one more, and several buffers.
    [Theory]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    [InlineData(200_003)]
    public void Large_parameters_come_back_whole(int count)
    {
        var saved = new Linear<float>(count, 1, new() { Seed = 1 });
        saved.Save(Location);
        var (same, wide) = (new Linear<float>(count, 1, new() { Seed = 2 }), new Linear<double>(count, 1, new() { Seed = 2 }));
        same.Load(Location);
        wide.Load(Location);
        Assert.Equal(Values(saved), Values(same));
        Assert.Equal(Values(saved), Values(wide));
        wide.Save(Location);
        same = new Linear<float>(count, 1, new() { Seed = 2 });
        same.Load(Location);
        Assert.Equal(Values(saved), Values(same));
    }

    [Fact]
    public void Names_are_dotted_paths_and_a_shared_parameter_is_saved_once()
    {
        var module = new Pair<double>(2, 1, seed: 1);
        module.Save(Location);
        Assert.Equal(["first.bias", "first.weight", "second.weight"], SafeTensors.Read(Location).Entries.Select(entry => entry.Name));
    }

    [Fact]
    public void Names_that_would_not_come_back_are_refused_when_they_are_made()
    {
        var shared = new Leaf<float>().Add("weight", new Random(1), 2);
        var leaf = new Leaf<float>();
        leaf.Add("weight", new Random(1), 3);

        // Two parameters of one name in one module would be one path of the file.
        Assert.Contains("'weight' is taken in this module", Assert.Throws<ArgumentException>(() => leaf.Share(shared)).Message, StringComparison.Ordinal);
        leaf.Share("shared", shared);
        Assert.Throws<ArgumentException>(() => leaf.Share("shared", new Leaf<float>().Add("other", new Random(1), 2)));
        Assert.Equal(["weight", "shared"], leaf.NamedParameters.Select(pair => pair.Key));
        Assert.Same(shared, leaf.NamedParameters[1].Value);
        leaf.Save(Location);
        Assert.Equal(["shared", "weight"], SafeTensors.Read(Location).Entries.Select(entry => entry.Name));
        Assert.Contains("U+D83D", Assert.Throws<ArgumentException>(() => leaf.Add("a\ud83d", new Random(1), 2)).Message, StringComparison.Ordinal);
        Assert.Contains("is reserved", Assert.Throws<ArgumentException>(() => leaf.Add("__metadata__", new Random(1), 2)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => leaf.Share("a.b", shared));
        Assert.Throws<ArgumentException>(() => leaf.Share(" ", shared));
    }

    [Fact]
    public void A_file_that_does_not_fit_changes_nothing_and_is_explained()
    {
        Tensor<float> Zeros(params int[] shape) => new(new Storage<float>(new float[new Shape(shape).ElementCount]), shape);
        SafeTensors.Write<float>(Location, [new("first.weight", Zeros(3, 37)), new("second.weight", Zeros(37, 3)), new("third.weight", Zeros(2))]);
        var module = new Pair<float>(3, 37, seed: 1);
        var before = Values(module);
        var error = Assert.Throws<InvalidDataException>(() => module.Load(Location));
        Assert.Equal(
            "model.safetensors does not fit this Pair: missing: first.bias [37]. unexpected: third.weight [2]. of another shape: second.weight expected [1] but is [37, 3].",
            error.Message);
        Assert.Equal(before, Values(module));
    }

    [Fact]
    public void A_damaged_file_changes_nothing()
    {
        var module = new Pair<float>(3, 37, seed: 1);
        module.Save(Location);
        File.WriteAllBytes(Location, File.ReadAllBytes(Location)[..^1]);
        var other = new Pair<float>(3, 37, seed: 2);
        var before = Values(other);
        Assert.Contains("model.safetensors: the file is cut short", Assert.Throws<InvalidDataException>(() => other.Load(Location)).Message);
        Assert.Equal(before, Values(other));
        Assert.Throws<FileNotFoundException>(() => other.Load(Location + "x"));
    }

    private string Location => Path.Combine(_folder.FullName, "model.safetensors");

    private static double[] Values<T>(Module<T> module)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        [.. module.Parameters.SelectMany(parameter => parameter.Value.AsReadOnlySpan().ToArray()).Select(double.CreateTruncating)];

    private sealed class Pair<T> : Module<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public Pair(int rows, int columns, int seed)
        {
            var random = new Random(seed);
            var first = AddModule("first", new Leaf<T>());
            var weight = first.Add("weight", random, rows, columns);
            first.Add("bias", random, columns);
            var second = AddModule("second", new Leaf<T>());
            second.Add("weight", random, 1);
            second.Share("tied", weight);
        }
    }

    private sealed class Leaf<T> : Module<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public Parameter<T> Add(string name, Random random, params int[] shape) => AddParameter(name, new Tensor<T>(
            new Storage<T>([.. Enumerable.Range(0, new Shape(shape).ElementCount).Select(_ => T.CreateTruncating((float)random.NextDouble()))]), shape));

        public void Share(Parameter<T> parameter) => AddParameter(parameter);

        public void Share(string name, Parameter<T> parameter) => AddParameter(name, parameter);
    }
}
