using Rnn.Formats;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Sequences;

/// <summary>What all generated tasks have in common: seeds, places, ends.</summary>
public sealed class GeneratedSourceTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("rnn-generated-");

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>The tasks, each with one that differs in a setting.</summary>
    public static TheoryData<string> Names() => [.. All];

    private static readonly string[] All = ["adding", "halves", "original", "numbers", "copy", "gaps", "order", "counting", "reber", "plain reber", "spikes"];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_batch_follows_from_seed_pass_and_position_alone(string name)
    {
        var source = Make(name, 5);
        var batches = Enumerable.Range(0, 20).Select(_ => source.Next()).ToList();
        Assert.Equal(20, batches.Distinct().Count());
        Assert.Equal(batches.Take(7), Make(name, 5).Take(7));
        Assert.NotEqual(batches[0], Make(name, 6).Next());

        // A place far ahead is reached without the batches before it; what is made ahead is the same.
        var place = source.Save();
        foreach (var ahead in new[] { false, true })
        {
            var resumed = Make(name, 77, ahead: ahead);
            resumed.Restore(place);
            var twin = Make(name, 5);
            _ = twin.Take(20);
            Assert.Equal(twin.Next(), resumed.Next());
            place.Set("position", 1_000_000);
            resumed.Restore(place);
            Assert.Equal(1_000_000, resumed.Position);
            Assert.DoesNotContain(resumed.Next(), batches);
            place.Set("position", 20);
        }

        // Each pass has batches of its own.
        source.Begin();
        Assert.NotEqual(batches[0], source.Next());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Identities_tell_tasks_apart(string name)
    {
        Assert.Equal(Make(name, 1).Identity, Make(name, 2).Identity);
        var others = All.SelectMany(task => new[] { Make(task, 1).Identity, Make(task, 1, other: true).Identity });
        Assert.Single(others, Make(name, 1).Identity);
        Assert.Single(others, Make(name, 1, other: true).Identity);
    }

    [Fact]
    public void A_pass_may_have_an_end()
    {
        var source = new CopyMemory(3, 2, new RandomSource(1)) { PassLength = 4 };
        Assert.Equal(4, source.Count());
        Assert.Equal(4, source.Count());
        Assert.False(source.MoveNext());
        Assert.Equal((2, 4L), (source.Pass, source.Position));
        var state = new StateValues();
        source.SaveState(state);
        state.Set("position", 5);
        Assert.Contains("which have 4 batches", Assert.Throws<InvalidDataException>(() => source.RestoreState(state)).Message, StringComparison.Ordinal);
        Assert.Equal("CopyMemory delay 3, 2 rows, passes of 4 batches", source.Identity);
        Assert.Equal("CopyMemory delay 3, 2 rows", new CopyMemory(3, 2).Identity);
        Assert.Throws<ArgumentOutOfRangeException>(() => new CopyMemory(3, 2) { PassLength = 0 });
        Assert.Throws<InvalidOperationException>(() => new CopyMemory(3, 2).Current);
    }

    [Fact]
    public void Without_a_source_two_tasks_differ() =>
        Assert.NotEqual(new CopyMemory(5, 4).First().Tokens.ToArray(), new CopyMemory(5, 4).First().Tokens.ToArray());

    [Fact]
    public async Task A_task_without_end_is_no_validation()
    {
        var network = new SequenceChain<float>(new SimpleRnn<float>(2, 3), new Linear<float>(3, 1));
        var (task, test) = (new AddingProblem<float>(5, 2, new RandomSource(1)), new AddingProblem<float>(5, 2, new RandomSource(2)));
        var trainer = new Trainer<float>(network, new Adam<float>()) { MaxUpdates = 4, ValidateEvery = 2 };
        var error = await Assert.ThrowsAsync<ArgumentException>(() => trainer.FitAsync(task, LossOf, test));
        Assert.Contains("validation: AddingProblem Anywhere, 5 steps, 2 rows has no end; keep some of its batches", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(() => trainer.FitAsync(task, LossOf, test.Prefetch()));
        var result = await trainer.FitAsync(task, LossOf, test.Take(3).ToArray());
        Assert.Equal(4, result.Updates);
        Assert.True(result.ValidationLoss > 0);
        var finite = await trainer.FitAsync(task, LossOf, new AddingProblem<float>(5, 2) { PassLength = 3 });
        Assert.True(finite.ValidationLoss > 0);
        Tensor<float> LossOf(AddingBatch<float> batch) => Loss.MeanSquaredError(network.Forward(batch.Input, batch.Lengths).Last, batch.Targets);
    }

    [Fact]
    public async Task A_resumed_training_has_the_bits_of_the_whole()
    {
        var whole = await Train(null, 9);
        var path = Path.Combine(_folder.FullName, "training.safetensors");
        await Train(path, 4);
        Assert.Equal(whole, await Train(path, 9));

        async Task<float[]> Train(string? checkpoint, int updates)
        {
            var network = new SequenceChain<float>(new Gru<float>(3, 5, new() { Seed = 1 }), new Linear<float>(5, 3, new() { Seed = 1 }));
            var trainer = new Trainer<float>(network, new Adam<float> { LearningRate = 0.01 }) { MaxUpdates = updates, CheckpointPath = checkpoint, Resume = checkpoint is not null };
            await trainer.FitAsync(
                new CountingLanguage(2, 9, 4, new RandomSource(3)),
                batch => Loss.CrossEntropy(network.Forward(batch.OneHot<float>(), batch.Lengths).Output, batch.Targets, batch.Lengths));
            return [.. network.Parameters.SelectMany(parameter => parameter.Value.ToArray())];
        }
    }

    [Fact]
    public async Task A_language_model_learns_from_a_stream_without_end()
    {
        var whole = await Train(null, 9);
        var path = Path.Combine(_folder.FullName, "stream.safetensors");
        await Train(path, 4);
        Assert.Equal(whole, await Train(path, 9));

        async Task<float[]> Train(string? checkpoint, int updates)
        {
            var model = new LanguageModel<float>(ReberGrammar.Letters.Length, new Lstm<float>(4, 5, new() { Seed = 1 }), new() { Seed = 1 });
            var trainer = new Trainer<float>(model, new Adam<float> { LearningRate = 0.01 }) { MaxUpdates = updates, CheckpointPath = checkpoint, Resume = checkpoint is not null };
            await trainer.FitAsync(new ReberStream(rows: 3, steps: 7, new RandomSource(3)));
            return [.. model.Parameters.SelectMany(parameter => parameter.Value.ToArray())];
        }
    }

    private static Walk Make(string name, ulong seed, bool other = false, bool ahead = false)
    {
        var random = new RandomSource(seed);
        var rows = other ? 4 : 3;
        return name switch
        {
            "adding" => Adding(new(17, rows, random)),
            "halves" => Adding(new(17, rows, random) { Form = AddingForm.TwoHalves }),
            "original" => Adding(new(37, rows, random) { Form = AddingForm.Original }),
            "numbers" => Adding(new(17, 3, random) { Numbers = other ? [1, 2, 4] : [1, 2, 3] }),
            "copy" => Symbols(new CopyMemory(3, rows, random)),
            "gaps" => Symbols(new SelectiveCopy(17, other ? 4 : 3, 3, random)),
            "order" => Symbols(new TemporalOrder(17, 3, random, other ? 3 : 2)),
            "counting" => Symbols(new CountingLanguage(other ? 2 : 3, 17, 3, random)),
            "reber" => Symbols(new ReberStrings(rows, random)),
            "plain reber" => Symbols(new ReberStrings(rows, random, ReberGrammar.Plain)),
            _ => Symbols(new SpikeTiming(17, 3, random, other ? 4 : 3)),
        };

        Walk Adding(AddingProblem<float> source) => Walk.Of(source, ahead, batch => $"{string.Join(' ', batch.Input.ToArray())} | {string.Join(' ', batch.Targets.ToArray())}");
        Walk Symbols(BatchSource<SymbolBatch> source) => Walk.Of(source, ahead, batch => $"{string.Join(' ', batch.Tokens.ToArray())} | {string.Join(' ', batch.Targets.ToArray())}");
    }

    /// <summary>A source whose batches are texts.</summary>
    private sealed record Walk(string Identity, Func<string> Next, Action Begin, Func<StateValues> Save, Action<StateValues> Restore, Func<long> At)
    {
        public long Position => At();

        public IEnumerable<string> Take(int count) => [.. Enumerable.Range(0, count).Select(_ => Next())];

        public static Walk Of<TBatch>(BatchSource<TBatch> source, bool ahead, Func<TBatch, string> describe)
        {
            source = ahead ? source.Prefetch() : source;
            return new(source.Identity, () => source.MoveNext() ? describe(source.Current) : throw new InvalidOperationException("There is no next batch."), source.BeginPass, Save, source.RestoreState, () => source.Position);

            StateValues Save()
            {
                var state = new StateValues();
                source.SaveState(state);
                return state;
            }
        }
    }
}
