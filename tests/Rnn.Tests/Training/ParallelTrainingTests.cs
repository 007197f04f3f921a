using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Training;

/// <summary>N processes give the bits of one process that computes N parts.</summary>
public sealed class ParallelTrainingTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("rnn-parallel-");

    private string FilePath => Path.Combine(_folder.FullName, "training.safetensors");

    public void Dispose() => _folder.Delete(recursive: true);

    public static TheoryData<string, int, int> Cases()
    {
        var cases = new TheoryData<string, int, int>();
        foreach (string name in new[] { "stream", "overlapping stream", "sequences", "averages", "plateau", "accumulation", "patience", "buckets", "features", "series", "epochs of validation", "skipped updates", "everything" })
        {
            cases.Add(name, 2, 5);
            cases.Add(name, 3, 5);
        }

        // More ranks than rows.
        cases.Add("stream", 4, 3);
        cases.Add("accumulation", 4, 3);
        cases.Add("buckets", 4, 3);
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Processes_give_the_bits_of_one_with_as_many_parts(string name, int size, int batch)
    {
        var one = new TrainingCase(name, null, 17, parts: size, batch: batch);
        await one.Fit();
        var ranks = Fit(size, group => new(name, null, 17, processes: group, batch: batch));
        foreach (var (rank, error) in ranks)
        {
            Assert.Null(error);
            Assert.Equal(one.Bits(), rank!.Bits());
        }

        Assert.Equal(Describe(one.Reports), Describe(ranks[0].Result!.Reports));
        Assert.All(ranks[1..], rank => Assert.Empty(rank.Result!.Reports));
    }

    // The sum over parts is that over the batch but for rounding: without anything random, where parts draw numbers of their own.
    [Theory]
    [InlineData("stream")]
    [InlineData("overlapping stream")]
    [InlineData("sequences")]
    [InlineData("accumulation")]
    [InlineData("buckets")]
    [InlineData("features")]
    [InlineData("series")]
    public async Task Parts_give_the_numbers_of_the_whole(string name)
    {
        var whole = new TrainingCase(name, null, 12, batch: 5, random: false);
        await whole.Fit();
        var parts = new TrainingCase(name, null, 12, parts: 3, batch: 5, random: false);
        await parts.Fit();
        Assert.Equal(12, parts.Reports.Count(report => report.ValidationLoss is null));
        foreach (var (a, b) in whole.Reports.Zip(parts.Reports))
        {
            Assert.Equal(a.Tokens, b.Tokens);
            Assert.Equal(a.Loss, b.Loss, 1e-9 * a.Loss);
            Assert.Equal(a.GradientNorm, b.GradientNorm, 1e-7 * a.GradientNorm);
            if (a.ValidationLoss is { } loss)
            {
                Assert.Equal(loss, b.ValidationLoss!.Value, 1e-7 * loss);
            }
        }
    }

    // With the same number of ranks a training that is broken off and resumed has the bits of one that is not.
    [Theory]
    [InlineData("stream")]
    [InlineData("sequences")]
    [InlineData("series")]
    [InlineData("plateau")]
    [InlineData("everything")]
    [InlineData("patience")]
    public async Task A_resumed_group_ends_with_the_bits_of_the_whole(string name)
    {
        var one = new TrainingCase(name, null, 17, parts: 2, batch: 5);
        await one.Fit();
        foreach (var end in new[] { 4, 7, 13 })
        {
            Assert.All(Fit(2, group => new(name, FilePath, end, processes: group, batch: 5)), rank => Assert.Null(rank.Error));
        }

        var last = Fit(2, group => new(name, FilePath, 17, processes: group, batch: 5));
        Assert.All(last, rank => Assert.Equal(one.Bits(), rank.Result!.Bits()));
    }

    // With another number it goes on from the same place in the data, the same carried states and the same place of all random sources: as one process with other parts.
    [Fact]
    public async Task A_training_is_resumed_with_another_number_of_processes()
    {
        foreach (var name in new[] { "stream", "sequences", "series", "features" })
        {
            File.Delete(FilePath);
            await new TrainingCase(name, FilePath, 5, parts: 2, batch: 5).Fit();
            var copy = Path.Combine(_folder.FullName, "copy.safetensors");
            File.Copy(FilePath, copy, overwrite: true);
            Assert.All(Fit(3, group => new(name, FilePath, 12, processes: group, batch: 5)), rank => Assert.Null(rank.Error));
            var one = new TrainingCase(name, copy, 12, parts: 3, batch: 5);
            await one.Fit();
            Assert.Equal(6, one.Reports[0].Update);
            Assert.Equal(await File.ReadAllBytesAsync(copy), WithoutTime(FilePath, copy));

            // From three to one, and then as a whole.
            var alone = new TrainingCase(name, FilePath, 15, batch: 5);
            await alone.Fit();
            Assert.Equal(13, alone.Reports[0].Update);
        }
    }

    // In 16 bits, with what rounding takes added to the next gradient: the same at every run, close to the whole numbers, and the same after a resumption.
    [Fact]
    public async Task Gradients_in_16_bits_lose_nothing()
    {
        var whole = new TrainingCase("stream", null, 40, parts: 2, batch: 6, random: false);
        await whole.Fit();
        var ranks = Fit(2, group => new("stream", null, 40, processes: group, batch: 6, random: false, format: GradientFormat.BFloat16));
        Assert.All(ranks, rank => Assert.Null(rank.Error));
        Assert.Equal(ranks[0].Result!.Bits(), ranks[1].Result!.Bits());
        Assert.NotEqual(whole.Bits(), ranks[0].Result!.Bits());
        Assert.Equal(whole.Reports[^1].SmoothedLoss, ranks[0].Result!.Reports[^1].SmoothedLoss, 1e-3);
        foreach (var end in new[] { 5, 26, 40 })
        {
            ranks = [.. ranks.Concat(Fit(2, group => new("stream", FilePath, end, processes: group, batch: 6, random: false, format: GradientFormat.BFloat16)))];
        }

        Assert.All(ranks, rank => Assert.Null(rank.Error));
        Assert.Equal(ranks[0].Result!.Bits(), ranks[^1].Result!.Bits());

        // With three processes, or in full, it goes on too.
        Assert.All(Fit(3, group => new("stream", FilePath, 44, processes: group, batch: 6, random: false, format: GradientFormat.BFloat16)), rank => Assert.Null(rank.Error));
        Assert.All(Fit(2, group => new("stream", FilePath, 46, processes: group, batch: 6, random: false)), rank => Assert.Null(rank.Error));
    }

    // The sum over many updates is that of the gradients but for the last errors, which are half a unit of the last place each.
    [Fact]
    public void Sums_in_16_bits_catch_up()
    {
        var given = new[] { 1.001f, -3.7f, 1e-30f, 0.12345f };
        var sums = ThreadGroup.Run(3, group =>
        {
            var (sum, total) = (new CompressedSum<float>(group, given.Length), new double[given.Length]);
            for (var i = 0; i < 1000; i++)
            {
                var values = given.Select(value => value * (1 + group.Rank)).ToArray();
                sum.AddUp(values);
                total = [.. total.Zip(values, (a, b) => a + b)];
            }

            return total;
        });
        foreach (var (total, error) in sums)
        {
            Assert.Null(error);
            for (var i = 0; i < given.Length; i++)
            {
                Assert.Equal(6000.0 * given[i], total![i], Math.Abs(6 * given[i] * 0.02));
            }
        }

        var infinite = ThreadGroup.Run(2, group =>
        {
            var sum = new CompressedSum<float>(group, 2);
            float[] values = [group.Rank == 0 ? float.NaN : 1, 1];
            sum.AddUp(values);
            float[] next = [1, 1];
            sum.AddUp(next);
            return (values[0], next[0]);
        });
        Assert.All(infinite, rank => Assert.True(rank.Result is (float.NaN, 2)));
    }

    [Fact]
    public void An_exception_on_one_rank_ends_all()
    {
        var ranks = Fit(3, group => new("stream", FilePath, 30, processes: group, batch: 5, failIn: group.Rank == 2 ? 7 : 0));
        Assert.Equal("That was rank 2.", Assert.IsType<ArithmeticException>(ranks[2].Error).Message);
        foreach (var (_, error) in ranks[..2])
        {
            var other = Assert.IsType<ProcessGroupException>(error);
            Assert.Equal("rank 2: ArithmeticException: That was rank 2.", other.Message);
            Assert.Equal(2, other.Rank);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Cancellation_on_one_rank_ends_all_after_the_same_update(int cancelled)
    {
        var whole = new TrainingCase("stream", null, 17, parts: 2, batch: 5);
        await whole.Fit();
        var ranks = Fit(2, group => new("stream", FilePath, 17, processes: group, batch: 5, cancelInUpdate: group.Rank == cancelled ? 8 : 0));
        Assert.All(ranks, rank => Assert.IsAssignableFrom<OperationCanceledException>(rank.Error));
        Assert.Equal(ranks[0].Result!.Bits(), ranks[1].Result!.Bits());
        var last = Fit(2, group => new("stream", FilePath, 17, processes: group, batch: 5));
        Assert.Equal(10, last[0].Result!.Reports[0].Update);
        Assert.All(last, rank => Assert.Equal(whole.Bits(), rank.Result!.Bits()));
    }

    [Fact]
    public void A_token_that_is_cancelled_before_the_start_ends_all()
    {
        var ranks = ThreadGroup.Run(2, group =>
        {
            var model = new TestModule<double>([1.0]);
            var trainer = new Trainer<double>(model, new Sgd<double>()) { Processes = group, MaxUpdates = 3 };
            return trainer.FitAsync([Tensor<double>.Ones(4)], batch => (model.Parameters.First().Value * batch).Mean(), cancellationToken: new CancellationToken(group.Rank == 1)).GetAwaiter().GetResult();
        });
        Assert.All(ranks, rank => Assert.IsAssignableFrom<OperationCanceledException>(rank.Error));
    }

    [Fact]
    public void Ranks_that_are_not_alike_are_refused_with_what_differs()
    {
        Refused("MaxGradientNorm is '1' and here '2'", group => new("stream", null, 9, processes: group, norm: group.Rank == 0 ? 1 : 2));
        Refused("Model is 'LanguageModel(7 tokens)", group => new("stream", null, 9, processes: group, hidden: 5 + group.Rank));
        Refused("MaxUpdates is '9' and here '10'", group => new("stream", null, 9 + group.Rank, processes: group));
        Refused("Data is 'stream of 350 tokens", group => new(group.Rank == 0 ? "stream" : "overlapping stream", null, 9, processes: group));

        static void Refused(string difference, Func<ProcessGroup, TrainingCase> make)
        {
            var ranks = Fit(2, make);
            Assert.Contains(difference, Assert.IsType<InvalidOperationException>(ranks[1].Error).Message, StringComparison.Ordinal);
            Assert.Contains(difference, Assert.IsType<ProcessGroupException>(ranks[0].Error).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Hooks_that_let_ranks_come_apart_are_found_out()
    {
        var ranks = Fit(2, group => new("stream", null, 9, processes: group, batch: 5, scaleOf: group.Rank == 1 ? 3 : 0));
        Assert.All(ranks, rank => Assert.Contains("The processes have come apart: in update 3", Assert.IsType<ProcessGroupException>(rank.Error).Message, StringComparison.Ordinal));
    }

    // The parameters at the start are rank 0's.
    [Fact]
    public void The_others_start_with_what_rank_0_has()
    {
        var ranks = ThreadGroup.Run(3, group =>
        {
            var model = new TestModule<double>([1.0 + group.Rank, 2]);
            var trainer = new Trainer<double>(model, new Adam<double> { LearningRate = 0.1 }) { Processes = group, MaxUpdates = 4 };
            var parameter = model.Parameters.First().Value;
            trainer.FitAsync([Tensor<double>.Ones(7, 2)], batch => (parameter * batch).Square().Mean()).GetAwaiter().GetResult();
            return parameter.ToArray();
        });
        Assert.Null(ranks[0].Error);
        Assert.Equal(ranks[0].Result, ranks[1].Result);
        Assert.Equal(ranks[0].Result, ranks[2].Result);
        Assert.True(ranks[0].Result![0] < 1);
    }

    private static (TrainingCase? Result, Exception? Error)[] Fit(int size, Func<ProcessGroup, TrainingCase> make)
    {
        var cases = new TrainingCase[size];
        var ended = ThreadGroup.Run(size, group =>
        {
            cases[group.Rank] = make(group);
            cases[group.Rank].Fit().GetAwaiter().GetResult();
            return true;
        });
        return [.. cases.Zip(ended, (each, end) => ((TrainingCase?)each, end.Error))];
    }

    private static List<string> Describe(IEnumerable<TrainingProgress> reports) => [.. reports.Select(report => string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"{report.Update} {report.Epoch} {report.Loss:R} {report.SmoothedLoss:R} {report.LearningRate:R} {report.GradientNorm:R} {report.IsSkipped} {report.Tokens} {report.ValidationLoss:R} {report.BestValidationLoss:R}"))];

    private static byte[] WithoutTime(string path, string other)
    {
        // Both files say how long they took; with that of the other they must be the same to the byte.
        var (file, expected) = (Rnn.Formats.SafeTensors.Read(path), Rnn.Formats.SafeTensors.Read(other));
        var metadata = file.Metadata.ToDictionary();
        foreach (var key in new[] { "run.elapsed", "rnn.hash" })
        {
            metadata[key] = expected.Metadata[key];
        }

        using var stream = new MemoryStream();
        Rnn.Formats.SafeTensors.Write(stream, file.Entries.Select(entry => KeyValuePair.Create(entry.Name, file.Get<double>(entry.Name))), metadata);
        return stream.ToArray();
    }
}
