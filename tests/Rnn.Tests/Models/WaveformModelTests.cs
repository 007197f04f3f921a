using System.Text;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Models;

public sealed class WaveformModelTests
{
    private static readonly string[][] Names = [["low", "high"], ["a", "b", "c"]];
    private static readonly float[][] Waves = [[0.1f, -0.4f, 0.9f, 0, 1, -1, 0.2f], [0.5f], [], [-0.2f, -0.21f, -0.19f]];
    private static readonly string[][] Labels = [["low", "c"], ["high", "a"], ["low", "a"], ["high", "b"]];

    public static TheoryData<WaveformOutput, bool, string> Cases { get; } = new()
    {
        { WaveformOutput.MuLaw, true, "wavenet" },
        { WaveformOutput.MuLaw, false, "lstm" },
        { WaveformOutput.LogisticMixture, true, "wavenet" },
        { WaveformOutput.LogisticMixture, true, "lstm" },
        { WaveformOutput.LogisticMixture, false, "wavenet" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gradients_are_those_of_finite_differences(WaveformOutput output, bool conditioned, string layer)
    {
        var model = Make<double>(output, conditioned, layer);
        var batch = Batch(model, conditioned);
        Assert.Equal([4, 8, output == WaveformOutput.MuLaw ? 256 : 9], model.Forward(batch).Shape.Dimensions.ToArray());
        var check = GradientCheck.Run(model, () => model.Loss(batch));
        Assert.True(check.Passed, check.ToString());
    }

    // Each sample by the stream, which reads one after the other, against the loss of a ragged batch.
    [Theory]
    [MemberData(nameof(Cases))]
    public void A_stream_gives_each_sample_what_the_batch_does(WaveformOutput output, bool conditioned, string layer)
    {
        var model = Make<double>(output, conditioned, layer);
        var sum = 0.0;
        for (var i = 0; i < Waves.Length; i++)
        {
            var stream = model.CreateStream(null, conditioned ? Labels[i] : []);
            for (var round = 0; round < 2; round++)
            {
                var own = Waves[i].Sum(stream.Score);
                sum -= own / 2;
                stream.Reset();
            }
        }

        var score = model.Score([Batch(model, conditioned)]);
        Assert.Equal(11, score.Samples);
        Assert.Equal(sum, score.NegativeLogLikelihood, 1e-9);
        Assert.Equal(sum / 11, model.Loss(Batch(model, conditioned)).Item(), 1e-10);
        Assert.Equal(sum, model.Score(model.Batches(Waves, conditioned ? model.Classes(Labels) : null, 1)).NegativeLogLikelihood, 1e-9);
        Assert.Equal(score.Loss / Math.Log(2), score.BitsPerSample, 1e-12);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_is_generated_follows_from_the_seed_and_the_beginning(WaveformOutput output, bool conditioned, string layer)
    {
        var model = Make<float>(output, conditioned, layer);
        string[] classes = conditioned ? ["high", "b"] : [];
        var wave = model.Generate([0.5f, -0.5f], 40, new() { Seed = 3 }, classes);
        Assert.Equal(40, wave.Length);
        Assert.All(wave, sample => Assert.InRange(sample, -1, 1));
        Assert.True(wave.Distinct().Count() > 10);
        Assert.Equal(wave, model.Generate([0.5f, -0.5f], 40, new() { Seed = 3 }, classes));
        Assert.NotEqual(wave, model.Generate([0.5f, -0.5f], 40, new() { Seed = 4 }, classes));

        // To read what was generated is to stand where it ended.
        Assert.Equal(wave[25..], Rest(model, wave, classes));
        Assert.Empty(model.Generate([], 0, null, classes));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Drawing_allocates_nothing(WaveformOutput output, bool conditioned, string layer)
    {
        var stream = Make<float>(output, conditioned, layer).CreateStream(new() { Seed = 1, Temperature = 0.8 }, conditioned ? Labels[0] : []);
        for (var i = 0; i < 5; i++)
        {
            stream.Next();
            stream.Read(0.25f);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 20; i++)
        {
            stream.Next();
            stream.Read(0.25f);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Files_bring_the_model_back(WaveformOutput output, bool conditioned, string layer)
    {
        var model = Make<float>(output, conditioned, layer);
        using var memory = new MemoryStream();
        model.Save(memory);
        memory.Position = 0;
        var opened = WaveformModel<float>.Open(memory);
        Assert.Equal(model.ToString().Split('\n')[0], opened.ToString().Split('\n')[0]);
        Assert.Equal(model.NamedParameters.Select(pair => $"{pair.Key} {pair.Value.Shape}"), opened.NamedParameters.Select(pair => $"{pair.Key} {pair.Value.Shape}"));
        Assert.Equal(model.Conditions, opened.Conditions);
        Assert.Equal(model.Loss(Batch(model, conditioned)).Item(), opened.Loss(Batch(opened, conditioned)).Item());
        string[] classes = conditioned ? ["low", "a"] : [];
        Assert.Equal(model.Generate([], 9, new() { Seed = 2 }, classes), opened.Generate([], 9, new() { Seed = 2 }, classes));
    }

    [Fact]
    public void Weights_of_other_classes_are_refused()
    {
        var model = Make<float>(WaveformOutput.MuLaw, true, "lstm");
        var other = new WaveformModel<float>(new Lstm<float>(9, 5), new() { Conditions = [["low", "loud"], Names[1]], ClassSize = 3 });
        using var memory = new MemoryStream();
        model.Save(memory);
        memory.Position = 0;
        Assert.Contains("its weights are for another list of conditions", Assert.Throws<InvalidDataException>(() => other.Load(memory)).Message, StringComparison.Ordinal);
        memory.Position = 0;
        var text = Encoding.Latin1.GetString(memory.ToArray()).Replace("\"waveform-model", "\"waveform-noodle", StringComparison.Ordinal).Replace("\\\"waveform-model", "\\\"waveform-noodle", StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => WaveformModel<float>.Open(new MemoryStream(Encoding.Latin1.GetBytes(text))));
    }

    [Fact]
    public void Long_waves_are_cut_into_pieces_that_begin_behind_silence()
    {
        var model = Make<double>(WaveformOutput.MuLaw, true, "wavenet");
        var pieces = model.Batches(Waves, model.Classes(Labels), 10, steps: 3).Single();
        Assert.Equal(6, pieces.Rows);
        Assert.Equal(11, pieces.Targets.Length - pieces.Targets.Count(-100));
        for (var row = 0; row < 6; row++)
        {
            Assert.Equal(MuLaw.Silence, pieces.Inputs[row * pieces.Steps]);
        }

        // The three pieces of the first wave are the longest but for the last; their classes go with them.
        Assert.Equal(3, Enumerable.Range(0, 6).Count(row => pieces.Conditions[row, 1] == 2));
        var whole = model.Batches(Waves, model.Classes(Labels), 10, steps: 7).Single();
        Assert.Equal([2, 1, 3, 0], whole.Indices.ToArray());
    }

    [Theory]
    [InlineData(WaveformOutput.MuLaw)]
    [InlineData(WaveformOutput.LogisticMixture)]
    public async Task Tones_are_learned(WaveformOutput output)
    {
        var model = new WaveformModel<float>(
            new WaveNet<float>(output == WaveformOutput.MuLaw ? 10 : 3, new() { ResidualChannels = 12, DilationChannels = 12, SkipChannels = 16, LayersPerBlock = 4, Blocks = 1, ConditionSize = 2, Seed = 1 }),
            new() { Output = output, Components = 3, Conditions = [Names[0]], ClassSize = 2, Seed = 1 });
        var waves = Enumerable.Range(0, 8).Select(i => Enumerable.Range(0, 60).Select(t => 0.5f * MathF.Sin((t + (3 * i)) * (i % 2 == 0 ? 0.3f : 0.9f))).ToArray()).ToArray();
        var classes = model.Classes([.. Enumerable.Range(0, 8).Select(i => (IReadOnlyList<string>)[Names[0][i % 2]])]);
        var before = model.Score(model.Batches(waves, classes, 8)).Loss;
        var trainer = new Trainer<float>(model, new Adam<float> { LearningRate = 1e-2 }) { MaxGradientNorm = 1 };
        await trainer.FitAsync(model.Batches(waves, classes, 8, new RandomSource(1)), batch => model.Loss(batch), epochs: 80);
        var after = model.Score(model.Batches(waves, classes, 8)).Loss;
        Assert.True(after < before - 2, $"{before} to {after}");
    }

    // Waves without conditions are tokens, and their windows carry the last inputs of every layer.
    [Fact]
    public async Task A_language_model_of_levels_carries_the_state_of_a_wavenet_over_windows()
    {
        var model = new LanguageModel<float>(
            MuLaw.Levels, new WaveNet<float>(8, new() { ResidualChannels = 8, DilationChannels = 8, SkipChannels = 8, LayersPerBlock = 3, Blocks = 2, Seed = 1 }), new() { Seed = 1 });
        var tokens = MuLaw.Encode([.. Enumerable.Range(0, 400).Select(t => 0.5f * MathF.Sin(0.3f * t))]);
        var before = model.Score(tokens, new() { Steps = 400 });
        Assert.Equal(before.NegativeLogLikelihood, model.Score(tokens, new() { Steps = 7 }).NegativeLogLikelihood, 1e-3);
        var trainer = new Trainer<float>(model, new Adam<float> { LearningRate = 1e-2 }) { BatchSize = 2, SequenceLength = 40, MaxGradientNorm = 1 };
        await trainer.FitAsync(tokens, epochs: 30);
        Assert.True(model.Score(tokens).Loss < before.Loss - 1, $"{before} to {model.Score(tokens)}");
    }

    [Fact]
    public void Mistakes_are_named()
    {
        Contains("layer: expected an InputSize of more than 8, 2 conditions of ClassSize 4, but it is 8", () => new WaveformModel<float>(new Lstm<float>(8, 5), new() { Conditions = Names, ClassSize = 4 }));
        Contains("layer: expected an InputSize of 1 + 0", () => new WaveformModel<float>(new Lstm<float>(8, 5), new() { Output = WaveformOutput.LogisticMixture }));
        Contains("bidirectional", () => new WaveformModel<float>(new Lstm<float>(8, 5, new() { Bidirectional = true })));
        Contains("Conditions: expected", () => new WaveformModel<float>(new Lstm<float>(9, 5), new() { Conditions = [["a", "a"]] }));
        Contains("Conditions: expected", () => new WaveformModel<float>(new Lstm<float>(9, 5), new() { Conditions = [[]] }));
        Contains("Components: expected 1 or more but got 0", () => new WaveformModelOptions { Components = 0 });
        Contains("Output: expected a WaveformOutput", () => new WaveformModelOptions { Output = (WaveformOutput)9 });
        var model = Make<float>(WaveformOutput.MuLaw, true, "lstm");
        Contains("names: expected 2 classes, one for each condition of the model, but wave 0 has 1", () => model.Classes([["low"]]));
        Contains("names: condition 1 has no class 'z'; there are a, b, c", () => model.Classes([["low", "z"]]));
        Contains("classes: expected [4, 2]", () => model.Batches(Waves, null, 2));
        Contains("classes: expected [4, 2]", () => model.Batches(Waves, Tensor<float>.Zeros(3, 2), 2));
        Contains("names: expected 2 classes", () => model.Generate([], 3));
        Contains("count: expected 0 or more", () => model.Generate([], -1, null, "low", "a"));
        Contains("NaN", () => model.Generate([float.NaN], 1, null, "low", "a"));
        Contains("StopToken: expected null", () => model.CreateStream(new() { StopToken = 3 }, "low", "a"));
        Contains("steps: expected 1 or more", () => model.Batches(Waves, model.Classes(Labels), 2, steps: 0));
        var mixture = Make<float>(WaveformOutput.LogisticMixture, false, "wavenet");
        Contains("options: expected no TopK", () => mixture.CreateStream(new() { TopK = 3 }));
        Contains("sample: expected a number from -1 to 1 but got NaN", () => mixture.Batches([[float.NaN]], null, 2));
    }

    private static float[] Rest(WaveformModel<float> model, float[] wave, string[] classes)
    {
        var stream = model.CreateStream(new() { Seed = 3 }, classes);
        stream.Read(0.5f);
        stream.Read(-0.5f);
        var first = Enumerable.Range(0, 25).Select(_ => stream.Next()).ToArray();
        Assert.Equal(wave[..25], first);
        return [.. Enumerable.Range(0, 15).Select(_ => stream.Next())];
    }

    private static void Contains(string message, Func<object> action) => Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(action).Message, StringComparison.Ordinal);

    private static ConditionedBatch<T> Batch<T>(WaveformModel<T> model, bool conditioned)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T> => model.Batches(Waves, conditioned ? model.Classes(Labels) : null, 10).Single();

    private static WaveformModel<T> Make<T>(WaveformOutput output, bool conditioned, string layer)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var (condition, size) = (conditioned ? 6 : 0, output == WaveformOutput.MuLaw ? 3 : 1);
        SequenceLayer<T> made = layer == "lstm"
            ? new Lstm<T>(size + condition, 5, new() { Seed = 1 })
            : new WaveNet<T>(size + condition, new() { ResidualChannels = 3, DilationChannels = 4, SkipChannels = 5, LayersPerBlock = 2, Blocks = 2, ConditionSize = condition, Seed = 1 });
        var model = new WaveformModel<T>(made, new() { Output = output, Components = 3, Conditions = conditioned ? Names : [], ClassSize = 3, Seed = 2 });

        // Away from the corners of the rectifier, where finite differences have no meaning.
        foreach (var (_, parameter) in model.NamedParameters.Where(pair => pair.Key is "layer.skip.bias" or "layer.output.bias"))
        {
            new RandomSource(3).FillUniform(parameter.Value.AsSpan(), 0.1, 0.6);
        }

        return model;
    }
}
