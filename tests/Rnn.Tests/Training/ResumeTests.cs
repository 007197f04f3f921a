using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Training;

/// <summary>A training that was broken off and resumed ends with the bits of one that was not.</summary>
public sealed class ResumeTests : IDisposable
{


    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("rnn-resume-");

    private string FilePath => Path.Combine(_folder.FullName, "training.safetensors");

    public void Dispose() => _folder.Delete(recursive: true);

    public static TheoryData<string> Cases() =>
        ["stream", "overlapping stream", "sequences", "averages", "plateau", "accumulation", "patience", "buckets", "features", "series", "epochs of validation", "skipped updates"];

    // One run of 26 updates; and one that ends after each few, the rest by objects made anew.
    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Parts_end_with_the_bits_of_the_whole(string name)
    {
        var whole = new TrainingCase(name, null, 26);
        await whole.Fit();
        var parts = new List<TrainingProgress>();
        TrainingCase? last = null;
        foreach (var end in new[] { 1, 4, 7, 8, 13, 14, 15, 20, 26 })
        {
            last = new(name, FilePath, end);
            await last.Fit();
            parts.AddRange(last.Due);
        }

        AssertSameBits(whole, last!, parts);
    }

    // Dropout, shuffled ragged batches, averaged SGD and a plateau schedule together, over several epochs: averages have begun and the learning rate has fallen on both sides of the cut.
    [Fact]
    public async Task Two_hundred_updates_are_twice_one_hundred()
    {
        var whole = new TrainingCase("everything", null, 200);
        Assert.Equal(200, (await whole.Fit()).Updates);
        var first = new TrainingCase("everything", FilePath, 100);
        Assert.Equal(100, (await first.Fit()).Updates);
        var last = new TrainingCase("everything", FilePath, 200);
        Assert.Equal(200, (await last.Fit()).Updates);
        Assert.Equal(101, last.Reports[0].Update);
        AssertSameBits(whole, last, [.. first.Due, .. last.Due]);
        Assert.True(first.IsAveraging && first.Reports[^1].Epoch > 1 && last.Reports[^1].Epoch > first.Reports[^1].Epoch);
        Assert.True(first.Reports[0].LearningRate > last.Reports[0].LearningRate && last.Reports[0].LearningRate > last.Reports[^1].LearningRate);
    }

    // The same where each part is cancelled, which writes the checkpoint at that moment.
    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Cancelled_parts_end_with_the_bits_of_the_whole(string name)
    {
        var whole = new TrainingCase(name, null, 17);
        await whole.Fit();
        var parts = new List<TrainingProgress>();
        for (var end = 3; end < 17; end += 5)
        {
            var part = new TrainingCase(name, FilePath, 17, cancelAfter: end);
            var error = await Record.ExceptionAsync(part.Fit);
            Assert.True(error is OperationCanceledException || (name == "patience" && error is null), $"{error}");
            parts.AddRange(part.Due);
        }

        var last = new TrainingCase(name, FilePath, 17);
        await last.Fit();
        parts.AddRange(last.Due);
        AssertSameBits(whole, last, parts);
    }

    // Cancelled after the update and before the validation that is due: that is made up for, once.
    [Fact]
    public async Task A_validation_that_was_cancelled_is_made_up_for()
    {
        var whole = new TrainingCase("plateau", null, 17);
        await whole.Fit();
        var part = new TrainingCase("plateau", FilePath, 17, cancelInUpdate: 10);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(part.Fit);
        Assert.DoesNotContain(part.Reports, report => report is { Update: 10, ValidationLoss: not null });
        var rest = new TrainingCase("plateau", FilePath, 17);
        await rest.Fit();
        Assert.Equal(10, rest.Reports[0].Update);
        Assert.NotNull(rest.Reports[0].ValidationLoss);
        AssertSameBits(whole, rest, [.. part.Due, .. rest.Due]);
    }

    [Fact]
    public async Task A_training_that_had_ended_is_not_gone_on_with()
    {
        var whole = new TrainingCase("patience", FilePath, 1000);
        var result = await whole.Fit();
        Assert.Equal(TrainingStop.EarlyStop, result.Stop);
        var again = new TrainingCase("patience", FilePath, 1000);
        var second = await again.Fit();
        Assert.Empty(again.Reports);
        Assert.Equal(Numbers(result), Numbers(second));
        Assert.Equal(whole.Bits(), again.Bits());

        // Without the flag it begins anew.
        var anew = new TrainingCase("stream", FilePath, 2, resume: false);
        await anew.Fit();
        Assert.Equal(1, anew.Reports[0].Update);

        static object Numbers(TrainingResult end) =>
            (end.Stop, end.Updates, end.SkippedUpdates, end.Epochs, end.Tokens, end.SmoothedLoss, end.NonFiniteLosses, end.ValidationLoss, end.BestValidationLoss, end.BestUpdate);
    }

    [Theory]
    [InlineData(3, null, new[] { 3L, 6 })]
    [InlineData(null, 0.0, new[] { 1L, 2, 3, 4, 5, 6, 7 })]
    [InlineData(null, 1e6, new long[0])]
    public async Task Checkpoints_are_written_at_intervals(int? every, double? seconds, long[] expected)
    {
        var written = new List<long>();
        var training = new TrainingCase("stream", FilePath, 8, every: every, interval: seconds is { } s ? TimeSpan.FromSeconds(Math.Max(s, 1e-7)) : null);
        training.OnReport = report =>
        {
            if (report.ValidationLoss is null && File.Exists(FilePath) && Iteration(FilePath) is var at && (written.Count == 0 || written[^1] != at))
            {
                written.Add(at);
            }
        };
        await training.Fit();
        Assert.Equal(expected, written);
        Assert.Equal(8, Iteration(FilePath));
        Assert.Equal([FilePath], Directory.GetFileSystemEntries(_folder.FullName));

        static long Iteration(string path) => long.Parse(Rnn.Formats.SafeTensors.Read(path).Metadata["run.updates"], System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task Another_training_is_refused_with_what_differs()
    {
        await new TrainingCase("stream", FilePath, 3).Fit();
        await Refused("Optimizer was 'Adam, LearningRate 0.01", new("stream", FilePath, 9, rate: 0.02));
        await Refused("Model was 'LanguageModel(7 tokens)", new("stream", FilePath, 9, hidden: 6));
        await Refused("Data was 'stream of 350 tokens", new("overlapping stream", FilePath, 9));
        await Refused("MaxGradientNorm was '1' and is now '2'", new("stream", FilePath, 9, norm: 2));
        await Refused("Optimizer was 'Adam", new("averages", FilePath, 9));
        await Refused("dropout 0.25", new("stream", FilePath, 9, dropout: 0.5));
        await Refused("Precision was 'Double' and is now 'Single'", new SingleTraining(FilePath));
        new TestModule<double>([1]).Save(FilePath);
        await Refused("no checkpoint of a training", new("stream", FilePath, 9));

        static async Task Refused(string message, TrainingCase training)
        {
            var before = training.Bits();
            Assert.Contains(message, (await Assert.ThrowsAsync<InvalidDataException>(training.Fit)).Message, StringComparison.Ordinal);
            Assert.Equal(before, training.Bits());
        }
    }

    [Fact]
    public async Task A_file_that_is_cut_or_changed_anywhere_is_no_checkpoint()
    {
        var model = new TestModule<double>([1, 2, 3], [4]);
        var source = new RowSource<double>(Tensor<double>.Ones(9, 3), Tensor<double>.Ones(9), 2, new RandomSource(1));
        var trainer = new Trainer<double>(model, new Adam<double>()) { CheckpointPath = FilePath, MaxUpdates = 3 };
        await trainer.FitAsync(source, batch => (model.Parameters.First().Value * batch.Inputs).Sum());
        var task = new BatchTask<double, (Tensor<double> Inputs, Tensor<double> Targets)>(source, batch => batch.Inputs, null, null);
        var identity = TrainingIdentity.Of(trainer, task);
        var bytes = await File.ReadAllBytesAsync(FilePath);
        Assert.Equal(3, TrainingCheckpoint.Read<double>(FilePath, identity).GetInt64("run.updates"));
        var damaged = Path.Combine(_folder.FullName, "damaged.safetensors");
        for (var length = 0; length < bytes.Length; length++)
        {
            Refuses(bytes[..length], $"cut at {length}");
        }

        for (var at = 0; at < bytes.Length; at++)
        {
            var changed = (byte[])bytes.Clone();
            changed[at] ^= (byte)(1 << (at % 8));
            Refuses(changed, $"bit {at % 8} of byte {at}");
        }

        Refuses([.. bytes, 0], "a byte more");

        void Refuses(byte[] content, string what)
        {
            File.WriteAllBytes(damaged, content);
            var error = Record.Exception(() => TrainingCheckpoint.Read<double>(damaged, identity));
            Assert.True(error is InvalidDataException, $"{what}: {error}");
        }
    }

    [Fact]
    public async Task What_cannot_be_resumed_is_refused_before_the_first_update()
    {
        var model = new TestModule<double>([1]);
        Tensor<double> Loss(int batch) => model.Parameters.First().Value.Sum();
        await Refuses("pass a BatchSource", new(model, new Sgd<double>()) { CheckpointPath = FilePath, MaxUpdates = 3 });
        await Refuses("Resume: it needs the file of a CheckpointPath", new(model, new Sgd<double>()) { Resume = true, MaxUpdates = 3 });
        await Refuses("CheckpointEvery: it needs the file of a CheckpointPath", new(model, new Sgd<double>()) { CheckpointEvery = 3, MaxUpdates = 3 });
        var source = new TokenStreamSource(TrainingCase.Tokens, 2, 5);
        var both = new Trainer<double>(model, new Sgd<double>()) { CheckpointPath = FilePath, ModelPath = FilePath, MaxUpdates = 3 };
        Assert.Contains("same file as ModelPath", (await Assert.ThrowsAsync<InvalidOperationException>(() => both.FitAsync(source, _ => Loss(0)))).Message, StringComparison.Ordinal);
        var twice = new Trainer<double>(model, new Sgd<double>()) { MaxUpdates = 3 };
        Assert.Contains("has one place", (await Assert.ThrowsAsync<ArgumentException>(() => twice.FitAsync(source, _ => Loss(0), source))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Trainer<double>(model, new Sgd<double>()) { CheckpointInterval = TimeSpan.Zero });
        Assert.Throws<ArgumentOutOfRangeException>(() => new Trainer<double>(model, new Sgd<double>()) { CheckpointEvery = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new Trainer<double>(model, new Sgd<double>()) { AccumulationSteps = 0 });
        Assert.Empty(_folder.GetFileSystemInfos());

        async Task Refuses(string message, Trainer<double> trainer) =>
            Assert.Contains(message, (await Assert.ThrowsAsync<InvalidOperationException>(() => trainer.FitAsync([1, 2], Loss))).Message, StringComparison.Ordinal);
    }

    private static void AssertSameBits(TrainingCase whole, TrainingCase last, IReadOnlyList<TrainingProgress> parts)
    {
        // A part that ends with an epoch validates at its end, and the next part does again; those in the middle of one, where the whole does not.
        var ends = whole.Reports.Zip(whole.Reports.Skip(1)).Where(pair => pair.First.Epoch < pair.Second.Epoch).Select(pair => pair.First.Update).ToHashSet();
        Assert.Equal(Relevant(whole.Due), Relevant(parts));
        Assert.Equal(whole.Bits(), last.Bits());

        List<string> Relevant(IEnumerable<TrainingProgress> reports) => whole.ValidatesByEpoch
            ? [.. reports.Where(report => report.ValidationLoss is null || ends.Contains(report.Update)).Select(Describe).Distinct()]
            : [.. reports.Select(Describe)];

        static string Describe(TrainingProgress report) => string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"{report.Update} {report.Epoch} {report.Loss:R} {report.SmoothedLoss:R} {report.LearningRate:R} {report.GradientNorm:R} {report.IsSkipped} {report.Tokens} {report.ValidationLoss:R} {report.BestValidationLoss:R}");
    }

    // In single precision, of which the checkpoint is not.
    private sealed class SingleTraining(string path) : TrainingCase("stream", path, 9)
    {
        private readonly string _path = path;

        public override Task<TrainingResult> Fit() =>
            new Trainer<float>(new TinyLanguageModel<float>(TrainingCase.Vocabulary), new Adam<float>()) { BatchSize = 3, SequenceLength = 6, CheckpointPath = _path, Resume = true, MaxUpdates = 9 }.FitAsync(TrainingCase.Tokens);
    }
}
