using Rnn.Formats;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Tensors;

namespace Rnn.Tests.Layers;

public class ModuleStateTests
{
    [Fact]
    public void Parameters_buffers_and_random_sources_have_paths()
    {
        var lstm = new Lstm<float>(4, 5, new() { Layers = 2, Dropout = 0.2, Seed = 1 });
        var model = new LanguageModel<float>(7, lstm, new() { Dropout = 0.3, EmbeddingDropout = 0.1, Seed = 2 });
        Assert.Equal(["embedding_dropout.random", "recurrent.random", "dropout.random"], model.NamedRandomSources.Select(pair => pair.Key));
        Assert.Same(lstm.Random, model.NamedRandomSources[1].Value);
        var state = new StateTree<float>();
        model.SaveState(state);
        Assert.Equal(model.NamedParameters.Select(pair => pair.Key).Order(StringComparer.Ordinal), state.Tensors.Keys);
        Assert.Equal(["dropout.random", "embedding_dropout.random", "recurrent.random"], state.Values.Keys);

        var counting = new Counting();
        var parent = new Sequential<float>(counting, counting);
        Assert.Equal(["0.mean"], parent.NamedBuffers.Select(pair => pair.Key));
        Assert.Equal(["0.noise"], parent.NamedRandomSources.Select(pair => pair.Key));
    }

    [Fact]
    public void A_state_makes_another_module_the_same()
    {
        var (from, to) = (new Counting(), new Counting());
        from.Change();
        var state = new StateTree<float>();
        from.SaveState(state.Branch("a").Branch("b"));
        Assert.Equal(["a.b.mean", "a.b.weight"], state.Tensors.Keys);
        to.RestoreState(state.Branch("a.b"));
        Assert.Equal(from.Mean.ToArray(), to.Mean.ToArray());
        Assert.Equal([5, 6, 7], to.Weight.Value.ToArray());
        Assert.Equal(Draw(from), Draw(to));
        Assert.Throws<InvalidDataException>(() => to.RestoreState(new StateTree<float>()));

        static ulong[] Draw(Counting module) => [module.Noise.NextUInt64(), module.Noise.Split("x").NextUInt64()];
    }

    [Fact]
    public void Buffers_are_saved_to_files_and_random_sources_are_not()
    {
        var folder = Directory.CreateTempSubdirectory("rnn-state-");
        try
        {
            var path = Path.Combine(folder.FullName, "module.safetensors");
            var (from, to) = (new Counting(), new Counting());
            from.Change();
            from.Save(path);
            to.Load(path);
            Assert.Equal([1, 2], to.Mean.ToArray());
            Assert.Equal(["mean", "weight"], SafeTensors.Read(path).Entries.Select(entry => entry.Name));
            Assert.DoesNotContain("noise", SafeTensors.Read(path).Metadata.Keys);
            Assert.Single(to.Parameters);
            new Linear<float>(3, 1, new() { Bias = false }).Save(path);
            Assert.Contains("missing: mean", Assert.Throws<InvalidDataException>(() => to.Load(path)).Message, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Names_of_all_kinds_are_unique()
    {
        Assert.Contains("'mean' is taken", Assert.Throws<ArgumentException>(() => new Counting("mean")).Message, StringComparison.Ordinal);
        Assert.Contains("'noise' is taken", Assert.Throws<ArgumentException>(() => new Counting("noise")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_keep_their_last_bit()
    {
        var state = new StateValues();
        var branch = state.Branch("x");
        foreach (var value in new[] { 0.1, -0.0, double.MaxValue, double.Epsilon, double.NaN, double.PositiveInfinity, double.NegativeInfinity, 1 / 3.0 })
        {
            branch.Set("d", value);
            Assert.Equal(BitConverter.DoubleToInt64Bits(value), BitConverter.DoubleToInt64Bits(state.GetDouble("x.d")));
        }

        branch.Set("i", long.MinValue);
        Assert.Equal(long.MinValue, branch.GetInt64("i"));
        branch.Set("none", (double?)null);
        Assert.Null(branch.FindDouble("none"));
        branch.Set("text", "ä\n\"");
        Assert.Equal("ä\n\"", state.Values["x.text"]);
        Assert.Throws<InvalidDataException>(() => branch.GetDouble("text"));
        Assert.Throws<InvalidDataException>(() => branch.GetRandomState("text"));
        Assert.Contains("no 'x.absent'", Assert.Throws<InvalidDataException>(() => branch.GetText("absent")).Message, StringComparison.Ordinal);
    }

    private sealed class Counting : Layer<float>
    {
        public Counting(string? second = null)
        {
            Weight = AddParameter("weight", Tensor<float>.Zeros(3));
            Mean = AddBuffer("mean", Tensor<float>.Zeros(2));
            Noise = AddRandomSource("noise", new RandomSource());
            if (second is not null)
            {
                AddBuffer(second, Tensor<float>.Zeros(1));
            }
        }

        public Parameter<float> Weight { get; }

        public Tensor<float> Mean { get; }

        public RandomSource Noise { get; }

        public void Change()
        {
            (Mean[0], Mean[1]) = (1, 2);
            (Weight.Value[0], Weight.Value[1], Weight.Value[2]) = (5, 6, 7);
            Noise.NextUInt64();
        }

        public override Tensor<float> Forward(Tensor<float> input) => input;
    }
}
