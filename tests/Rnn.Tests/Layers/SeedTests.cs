using Rnn.Cells;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Tests.Layers;

/// <summary>Tests that set the seed of the process: apart from all others, whose layers would take the same seeds.</summary>
[CollectionDefinition(nameof(SetsSeed), DisableParallelization = true)]
public sealed class SetsSeed;

/// <summary>What is made without a seed differs from what was made before, and is the same in the next run of the program.</summary>
[Collection(nameof(SetsSeed))]
public class SeedTests
{
    private static readonly Tensor<float> Ones = Tensor<float>.Ones(100, 100);

    private static readonly Parameter<float> Shared = new Linear<float>(2, 9, new() { Seed = 1 }).Weight;

    // All tokens are about as likely.
    private static readonly LanguageModel<float> Flat = new(20, new Gru<float>(2, 3, new() { Seed = 1 }), new() { Seed = 1 });

    public static TheoryData<string> Kinds => [.. Makers.Keys, .. CellCatalog.Names];

    // Random numbers that each kind of thing starts with.
    private static readonly Dictionary<string, Func<ulong?, RandomSource?, float[]>> Makers = new()
    {
        ["Linear"] = (seed, random) => new Linear<float>(4, 4, new() { Seed = seed, Random = random }).Weight.Value.ToArray(),
        ["Linear bias"] = (seed, random) =>
            new Linear<float>(Shared, new() { BiasInitializer = Initializer.Normal(0, 1), Seed = seed, Random = random }).Bias!.Value.ToArray(),
        ["Embedding"] = (seed, random) => new Embedding<float>(4, 4, new() { Seed = seed, Random = random }).Weight.Value.ToArray(),
        ["zoneout"] = (seed, random) =>
        {
            var layer = new Gru<float>(2, 50, new() { HiddenZoneout = 0.5, Initialization = RecurrentInitialization.Identity, Seed = seed, Random = random });
            return layer.Forward(Tensor<float>.Ones(3, 4, 2)).ToArray();
        },
        ["LanguageModel"] = (seed, random) =>
            Values(new LanguageModel<float>(5, new Gru<float>(2, 3, new() { Seed = 1 }), new() { Seed = seed, Random = random })),
        ["Dropout"] = (seed, random) => (random is null ? new Dropout<float>(0.5, seed) : new Dropout<float>(0.5, random)).Forward(Ones).ToArray(),
        ["Sampler"] = (seed, random) =>
        {
            var sampler = new Sampler(new() { Seed = seed, Random = random });
            return [.. Enumerable.Range(0, 40).Select(_ => (float)sampler.Sample<float>(new float[50]))];
        },
        ["generated text"] = (seed, random) => [.. Flat.Generate([1], 60, new() { Seed = seed, Random = random }).Select(token => (float)token)],
        ["RandomSource"] = (seed, random) =>
        {
            var source = random ?? (seed is { } value ? new RandomSource(value) : new RandomSource());
            return [(float)source.NextDouble(), (float)source.NextDouble()];
        },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Two_made_without_a_seed_differ_and_a_program_repeats(string kind)
    {
        var make = Maker(kind);
        RandomSource.SetSeed(0);
        float[][] run = [make(null, null), make(null, null), make(null, null)];
        Assert.NotEqual(run[0], run[1]);
        Assert.NotEqual(run[0], run[2]);
        Assert.NotEqual(run[1], run[2]);
        RandomSource.SetSeed(0);
        Assert.Equal(run, [make(null, null), make(null, null), make(null, null)]);
        RandomSource.SetSeed(1);
        Assert.DoesNotContain(make(null, null), run);
    }

    // Recurrent layers of every cell, by its name.
    private static Func<ulong?, RandomSource?, float[]> Maker(string kind) => Makers.GetValueOrDefault(
        kind, (seed, random) => Values(RecurrentLayer<float>.Create(kind, 2, 3, new() { Seed = seed, Random = random })));

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_seed_or_a_source_decides(string kind)
    {
        var make = Maker(kind);
        Assert.Equal(make(7, null), make(7, null));
        Assert.NotEqual(make(7, null), make(8, null));

        // A source that two share gives each numbers of its own; one that stands as it stood gives the same.
        var (random, again) = (new RandomSource(5), new RandomSource(5));
        var first = make(null, random);
        Assert.NotEqual(first, make(null, random));
        Assert.Equal(first, make(null, again));
    }

    [Fact]
    public void A_seed_and_a_source_together_are_refused()
    {
        var error = Assert.Throws<ArgumentException>(() => new Linear<float>(2, 2, new() { Seed = 1, Random = new RandomSource(1) }));
        Assert.StartsWith("Random: expected a Seed or a Random but got both (Seed 1)", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new Gru<float>(2, 2, new() { Seed = 1, Random = new RandomSource(1) }));
        Assert.Throws<ArgumentException>(() => Flat.Generate([1], 1, new() { Seed = 1, Random = new RandomSource(1) }));
    }

    [Fact]
    public void Two_dropouts_in_a_row_keep_the_product_of_their_shares()
    {
        var kept = new Dropout<float>(0.5).Forward(new Dropout<float>(0.5).Forward(Ones)).ToArray().Count(value => value != 0) / 10_000.0;
        Assert.InRange(kept, 0.22, 0.28);
    }

    [Fact]
    public void All_parts_of_a_model_draw_numbers_of_their_own()
    {
        // The same seed for the model and its recurrent layer, as a program with one --seed gives them.
        var recurrent = new Lstm<float>(8, 8, new() { Layers = 3, Dropout = 0.5, Seed = 3 });
        var model = new LanguageModel<float>(8, recurrent, new() { Dropout = 0.5, EmbeddingDropout = 0.5, Seed = 3 });
        var blocks = model.NamedParameters
            .Where(pair => pair.Key.Contains("weight", StringComparison.Ordinal))
            .SelectMany(pair => pair.Value.Value.ToArray().Chunk(64))
            .Select(block => string.Join(' ', block.Select(value => Math.Abs(value))))
            .ToList();
        Assert.Equal(2 + (3 * 8), blocks.Count);
        Assert.Equal(blocks.Count, blocks.Distinct().Count());

        // And each mask: where two sources drew the same ones, more than a quarter of the values would pass both.
        var sources = model.Children.Select(child => child.Value).OfType<Dropout<float>>().Select(layer => layer.Random).Append(recurrent.Random).ToList();
        Assert.Equal(3, sources.Count);
        Assert.Equal(3, sources.Select(source => source.NextUInt64()).Distinct().Count());
    }

    [Fact]
    public void Directions_of_a_layer_differ()
    {
        var layer = new Gru<float>(4, 4, new() { Bidirectional = true, Layers = 2 });
        var weights = layer.NamedParameters.Where(pair => pair.Key.StartsWith("weight_hh", StringComparison.Ordinal)).Select(pair => pair.Value.Value.ToArray()).ToList();
        Assert.Equal(4, weights.Count);
        Assert.Equal(4, weights.Select(values => string.Join(' ', values)).Distinct().Count());
    }

    [Fact]
    public void One_call_of_generate_gives_the_same_text_each_time_it_is_enumerated()
    {
        var tokens = Flat.Generate([1], 60);
        Assert.Equal(tokens.ToArray(), tokens.ToArray());
        Assert.NotEqual(tokens, Flat.Generate([1], 60));
    }

    [Fact]
    public void Threads_never_take_the_same_seed()
    {
        var seeds = new ulong[4][];
        Parallel.For(0, seeds.Length, thread => seeds[thread] = [.. Enumerable.Range(0, 5000).Select(_ => RandomSource.NextSeed())]);
        Assert.Equal(20_000, seeds.SelectMany(list => list).Distinct().Count());
    }

    private static float[] Values(Module<float> module) => [.. module.Parameters.SelectMany(parameter => parameter.Value.ToArray())];
}
