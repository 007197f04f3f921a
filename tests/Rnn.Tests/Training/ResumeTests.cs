using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Training;

/// <summary>A training that was broken off and resumed ends with the bits of one that was not.</summary>
public sealed class ResumeTests : IDisposable
{
    private const int Vocabulary = 7;

    private static readonly int[] Tokens = [.. Enumerable.Range(0, 400).Select(i => (int)((long)i * i * 31 % 1009 % Vocabulary))];
    private static readonly int[][] Sequences = [.. Enumerable.Range(0, 23).Select(i => Tokens.AsSpan(i * 11, 1 + ((i * 5) % 17)).ToArray())];

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
        var whole = new Training(name, null, 26);
        await whole.Fit();
        var parts = new List<TrainingProgress>();
        Training? last = null;
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
        var whole = new Training("everything", null, 200);
        Assert.Equal(200, (await whole.Fit()).Updates);
        var first = new Training("everything", FilePath, 100);
        Assert.Equal(100, (await first.Fit()).Updates);
        var last = new Training("everything", FilePath, 200);
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
        var whole = new Training(name, null, 17);
        await whole.Fit();
        var parts = new List<TrainingProgress>();
        for (var end = 3; end < 17; end += 5)
        {
            var part = new Training(name, FilePath, 17, cancelAfter: end);
            var error = await Record.ExceptionAsync(part.Fit);
            Assert.True(error is OperationCanceledException || (name == "patience" && error is null), $"{error}");
            parts.AddRange(part.Due);
        }

        var last = new Training(name, FilePath, 17);
        await last.Fit();
        parts.AddRange(last.Due);
        AssertSameBits(whole, last, parts);
    }

    // Cancelled after the update and before the validation that is due: that is made up for, once.
    [Fact]
    public async Task A_validation_that_was_cancelled_is_made_up_for()
    {
        var whole = new Training("plateau", null, 17);
        await whole.Fit();
        var part = new Training("plateau", FilePath, 17, cancelInUpdate: 10);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(part.Fit);
        Assert.DoesNotContain(part.Reports, report => report is { Update: 10, ValidationLoss: not null });
        var rest = new Training("plateau", FilePath, 17);
        await rest.Fit();
        Assert.Equal(10, rest.Reports[0].Update);
        Assert.NotNull(rest.Reports[0].ValidationLoss);
        AssertSameBits(whole, rest, [.. part.Due, .. rest.Due]);
    }

    [Fact]
    public async Task A_training_that_had_ended_is_not_gone_on_with()
    {
        var whole = new Training("patience", FilePath, 1000);
        var result = await whole.Fit();
        Assert.Equal(TrainingStop.EarlyStop, result.Stop);
        var again = new Training("patience", FilePath, 1000);
        var second = await again.Fit();
        Assert.Empty(again.Reports);
        Assert.Equal(Numbers(result), Numbers(second));
        Assert.Equal(whole.Bits(), again.Bits());

        // Without the flag it begins anew.
        var anew = new Training("stream", FilePath, 2, resume: false);
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
        var training = new Training("stream", FilePath, 8, every: every, interval: seconds is { } s ? TimeSpan.FromSeconds(Math.Max(s, 1e-7)) : null);
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
        await new Training("stream", FilePath, 3).Fit();
        await Refused("Optimizer was 'Adam, LearningRate 0.01", new("stream", FilePath, 9, rate: 0.02));
        await Refused("Model was 'LanguageModel(7 tokens)", new("stream", FilePath, 9, hidden: 6));
        await Refused("Data was 'stream of 350 tokens", new("overlapping stream", FilePath, 9));
        await Refused("MaxGradientNorm was '1' and is now '2'", new("stream", FilePath, 9, norm: 2));
        await Refused("Optimizer was 'Adam", new("averages", FilePath, 9));
        await Refused("dropout 0.25", new("stream", FilePath, 9, dropout: 0.5));
        await Refused("Precision was 'Double' and is now 'Single'", new SingleTraining(FilePath));
        new TestModule<double>([1]).Save(FilePath);
        await Refused("no checkpoint of a training", new("stream", FilePath, 9));

        static async Task Refused(string message, Training training)
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
        var source = new TokenStreamSource(Tokens, 2, 5);
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

    private static void AssertSameBits(Training whole, Training last, IReadOnlyList<TrainingProgress> parts)
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
    private sealed class SingleTraining(string path) : Training("stream", path, 9)
    {
        private readonly string _path = path;

        public override Task<TrainingResult> Fit() =>
            new Trainer<float>(new TinyLanguageModel<float>(Vocabulary), new Adam<float>()) { BatchSize = 3, SequenceLength = 6, CheckpointPath = _path, Resume = true, MaxUpdates = 9 }.FitAsync(Tokens);
    }

    /// <summary>A training made anew, as a program that starts again makes it.</summary>
    private class Training
    {
        private readonly Module<double> _model;
        private readonly Optimizer<double> _optimizer;
        private readonly Trainer<double> _trainer;
        private readonly Func<Reports, CancellationToken, Task<TrainingResult>> _fit;
        private readonly int _cancelAfter;
        private readonly int _cycle;
        private Action _cancel = () => { };

        public Training(
            string name, string? path, int updates, int cancelAfter = 0, int cancelInUpdate = 0, bool resume = true, int? every = null, TimeSpan? interval = null, double rate = 0.01, int hidden = 5,
            double norm = 1, double dropout = 0.25)
        {
            // Data and modules have seeds of their own, so the order in which they are made does not matter.
            var lstm = new Lstm<double>(4, hidden, new() { Layers = 2, Dropout = dropout, RecurrentDropout = 0.2, WeightDrop = 0.2, HiddenZoneout = 0.1, CellZoneout = 0.1, Seed = 3 });
            var language = new LanguageModel<double>(Vocabulary, lstm, new() { Dropout = 0.3, EmbeddingDropout = 0.1, Seed = 4 });
            var (linear, drop) = (new Linear<double>(hidden, 1, new() { Seed = 6 }), new Dropout<double>(0.3, 8));
            var network = new Pair(new Pair(lstm, linear), drop);
            var isTokens = name is not ("buckets" or "features" or "series");
            _model = isTokens ? language : network;
            _optimizer = name is "averages" or "everything"
                ? new AveragedSgd<double> { LearningRate = 0.5, Lambda = 1e-3 }
                : name == "plateau" ? new Sgd<double> { LearningRate = 0.3, Momentum = 0.5 } : new Adam<double> { LearningRate = rate };
            _cancelAfter = cancelAfter;
            _cycle = name is "averages" or "plateau" or "patience" ? 2 : 5;
            var byEpoch = name == "epochs of validation";
            _trainer = new(_model, _optimizer)
            {
                BatchSize = 3,
                SequenceLength = 6,
                SequenceStride = name == "overlapping stream" ? 4 : null,
                MaxGradientNorm = norm,
                MaxUpdates = updates,
                AccumulationSteps = name == "accumulation" ? 3 : 1,
                ValidateEvery = byEpoch ? null : _cycle,
                Patience = name == "patience" ? 1 : null,
                RestoreBest = name is "patience" or "sequences",
                NonFiniteGradients = name == "skipped updates" ? NonFinitePolicy.SkipStep : NonFinitePolicy.Throw,
                Schedule = name is "plateau" or "everything" ? new PlateauSchedule { Patience = name == "plateau" ? 0 : 3, Threshold = 0.02, Gamma = 0.5 } : name == "stream" ? new CosineSchedule(40) { WarmupSteps = 5 } : null,
                AveragingTrigger = name is "averages" or "everything" ? new() { Interval = 2 } : null,
                CheckpointPath = path,
                CheckpointEvery = every,
                CheckpointInterval = interval,
                Resume = resume && path is not null,
                AfterBackward = update =>
                {
                    if (name == "skipped updates" && update.Number % 3 == 0)
                    {
                        update.Gradients[0] = double.NaN;
                    }
                },
                AfterUpdate = update =>
                {
                    if (update.Number == cancelInUpdate)
                    {
                        _cancel();
                    }
                },
            };
            var (training, validation) = (Tokens.AsMemory(0, 350), Tokens.AsMemory(350));
            var features = Sequences.Where(sequence => sequence.Length > 0).Select(sequence => Tensor<double>.From([.. sequence.SelectMany(i => new[] { i, 1.0 - i, 0.5, i * i * 0.1 })], sequence.Length, 4)).ToArray();
            var series = Tensor<double>.From([.. Tokens.Take(200).SelectMany(i => new[] { i, 1.0 - i, 0.5, i * i * 0.1 })], 200, 4);
            var answers = Tensor<double>.From([.. Tokens.Skip(1).Take(200).Select(i => (double)i)], 200, 1);
            _fit = name switch
            {
                "sequences" or "epochs of validation" or "everything" => (progress, token) => _trainer.FitAsync(new TokenSequenceSource(Sequences, 3, 6, new RandomSource(11)), validation, null, progress, token),
                "buckets" => (progress, token) => _trainer.FitAsync(
                    SequenceBatch.Bucket(Sequences, 3, 0, new RandomSource(12)), Score, SequenceBatch.Bucket(Sequences[..5], 2, 0, new RandomSource(13)), null, null, progress, token),
                "features" => (progress, token) => _trainer.FitAsync(
                    FeatureBatch<double>.Bucket(features, 3, new RandomSource(12)), batch => Last(batch.Input, batch.Lengths.ToArray()), FeatureBatch<double>.Bucket(features[..5], 2), null, null, progress, token),
                "series" => (progress, token) => _trainer.FitAsync(
                    new SeriesSource<double>(series, answers, 3, 6, 4),
                    (x, state) =>
                    {
                        var output = lstm.Forward(x, default, state);
                        return (linear.Forward(drop.Forward(output.Output)), output.FinalState);
                    },
                    (y, target) => Loss.MeanSquaredError(y, target),
                    new SeriesSource<double>(series, answers, 1, 6),
                    null,
                    progress,
                    token),
                _ => (progress, token) => _trainer.FitAsync(training, validation, null, progress, token),
            };

            Tensor<double> Score(SequenceBatch batch) => Last(
                Tensor<double>.From([.. batch.Tokens.ToArray().SelectMany(i => new[] { i, 1.0 - i, 0.5, i * i * 0.1 })], batch.Rows, batch.Steps, 4), batch.Lengths.ToArray());

            Tensor<double> Last(Tensor<double> input, int[] lengths)
            {
                var output = linear.Forward(drop.Forward(lstm.Forward(input, lengths, null).Last));
                return Loss.MeanSquaredError(output, Tensor<double>.Ones(output.Shape[0], 1));
            }
        }

        public Reports Reports { get; private set; } = [];

        public bool IsAveraging => _optimizer is AveragedSgd<double> { IsAveraging: true };

        public bool ValidatesByEpoch => _trainer.ValidateEvery is null;

        public Action<TrainingProgress>? OnReport { get; set; }

        // What a run reports besides the validation that ends it.
        public IEnumerable<TrainingProgress> Due => Reports.Where(report => report.ValidationLoss is null || _trainer.ValidateEvery is null || report.Update % _cycle == 0);

        public virtual async Task<TrainingResult> Fit()
        {
            using var cancellation = new CancellationTokenSource();
            _cancel = cancellation.Cancel;
            Reports = new()
            {
                OnReport = report =>
                {
                    OnReport?.Invoke(report);
                    if (report.Update == _cancelAfter)
                    {
                        _cancel();
                    }
                },
            };
            return await _fit(Reports, cancellation.Token);
        }

        public List<long> Bits()
        {
            var state = _optimizer.SavedState();
            var bits = _model.Parameters.Select(parameter => parameter.Value).Concat(state.Tensors.Values)
                .SelectMany(tensor => tensor.ToArray()).Select(BitConverter.DoubleToInt64Bits).ToList();
            bits.AddRange(state.Values.SelectMany(pair => pair.Value.Select(letter => (long)letter)));
            bits.AddRange(_model.NamedRandomSources.SelectMany(pair => pair.Value.GetState().ToString().Select(letter => (long)letter)));
            return bits;
        }
    }
}
