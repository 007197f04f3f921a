using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Tests.Golden;
using Rnn.Training;

namespace Rnn.Tests.Training;

public sealed class TrainerTests : IDisposable
{
    private static readonly ReadOnlyMemory<int> Rhyme = Enumerable.Range(0, 600).Select(i => "abcadbacd"[i % 9] - 'a').ToArray();

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("rnn-tests-");

    public void Dispose() => _folder.Delete(recursive: true);

    // The twenty steps of PyTorch, here by the trainer: four parallel sequences in windows of five, state carried, norm clipped.
    [Fact]
    public async Task Twenty_steps_are_those_of_PyTorch()
    {
        var golden = GoldenFile.Open("training.safetensors");
        var model = new TinyLanguageModel<double>(11, 8, 16, layers: 2);
        foreach (var (name, parameter) in model.NamedParameters)
        {
            golden.Values($"initial.{name.Replace("lstm.bias_l", "lstm.bias_ih_l", StringComparison.Ordinal)}").CopyTo(parameter.Value.AsSpan());
        }

        var tokens = golden.Integers("tokens");
        var length = golden.Shape("tokens")[1];
        var reports = new Reports();
        var trainer = new Trainer<double>(model, new Sgd<double> { LearningRate = golden.Values("learning_rate")[0] })
        {
            BatchSize = 4,
            SequenceLength = 5,
            MaxGradientNorm = golden.Values("max_norm")[0],
        };
        var result = await trainer.FitAsync([.. Enumerable.Range(0, 4).Select(row => tokens[(row * length)..((row + 1) * length)])], epochs: 1, progress: reports);
        TestModule<double>.AssertClose(golden.Values("losses"), [.. reports.Select(report => report.Loss)], 1e-10);
        TestModule<double>.AssertClose(golden.Values("norms"), [.. reports.Select(report => report.GradientNorm)], 1e-10);
        TestModule<double>.AssertClose(golden.Values("final.head.weight"), model.NamedParameters.Single(p => p.Key == "head.weight").Value.Value.ToArray(), 1e-10);
        Assert.Equal((TrainingStop.Epochs, 20L, 1, 400L), (result.Stop, result.Updates, result.Epochs, result.Tokens));
    }

    [Fact]
    public async Task A_model_learns_a_stream_and_reports_it()
    {
        var model = new TinyLanguageModel<float>(4);
        var reports = new Reports();
        var trainer = new Trainer<float>(model, new Adam<float> { LearningRate = 0.02 }) { BatchSize = 3, SequenceLength = 10, MaxGradientNorm = 1 };
        var result = await trainer.FitAsync(Rhyme[..500], Rhyme[500..], epochs: 12, progress: reports);
        Assert.True(result.ValidationLoss < 0.1, $"validation loss {result.ValidationLoss}");
        Assert.True(model.IsTraining);
        Assert.Equal(0.02, trainer.Optimizer.LearningRate * trainer.Optimizer.LearningRateFactor);

        // 166 steps a row are 17 windows; each epoch ends with a second report that has the validation loss.
        Assert.Equal(12 * 18, reports.Count);
        Assert.Equal(Enumerable.Range(1, 12 * 17).Select(i => (long)i), reports.Where(report => report.ValidationLoss is null).Select(report => report.Update));
        Assert.Equal(Enumerable.Range(1, 12).Select(i => i * 17L), reports.Where(report => report.ValidationLoss is not null).Select(report => report.Update));
        Assert.Equal(12 * 498, reports[^1].Tokens);
        Assert.Equal(12, reports[^1].Epoch);
        Assert.Equal(result.ValidationLoss, reports[^1].ValidationLoss);
        Assert.Equal(reports.Min(report => report.ValidationLoss), result.BestValidationLoss);
        Assert.Equal(0.02, reports[^1].LearningRate);
        Assert.True(reports.TrueForAll(report => report.TokensPerSecond > 0 && report.GradientNorm > 0 && !report.IsSkipped));
        Assert.True(reports.Zip(reports.Skip(1)).All(pair => pair.First.Elapsed <= pair.Second.Elapsed));
        Assert.Equal(result.ValidationLoss!.Value, SequenceEvaluation.MeanLoss(model, Rhyme[500..], rows: 3), 1e-6);
        Assert.Equal(Math.Exp(result.ValidationLoss!.Value), SequenceEvaluation.Perplexity(model, Rhyme[500..], rows: 3), 1e-5);
    }

    [Fact]
    public async Task A_seed_gives_the_same_bits_again()
    {
        async Task<double[]> Losses()
        {
            var reports = new Reports();
            var trainer = new Trainer<float>(new TinyLanguageModel<float>(4), new Adam<float>()) { BatchSize = 2, SequenceLength = 8, SequenceStride = 4 };
            await trainer.FitAsync(Rhyme, epochs: 1, progress: reports);
            return [.. reports.Select(report => report.Loss)];
        }

        Assert.Equal(await Losses(), await Losses());
    }

    // The gradient flows through the cut inside an overlapping window: against one piece, written out.
    [Fact]
    public async Task Overlapping_windows_carry_the_state_of_the_cut()
    {
        int[] tokens = [0, 1, 2, 3, 1, 0, 2, 1];
        var (model, twin) = (new TinyLanguageModel<double>(4), new TinyLanguageModel<double>(4));
        var reports = new Reports();
        var trainer = new Trainer<double>(model, new Sgd<double> { LearningRate = 0.5 }) { BatchSize = 1, SequenceLength = 4, SequenceStride = 3 };
        await trainer.FitAsync(tokens, epochs: 1, progress: reports);

        var optimizer = new Sgd<double>(twin) { LearningRate = 0.5 };
        var first = twin.Forward(tokens.AsSpan(0, 4), 1, default, null);
        var state = twin.Forward(tokens.AsSpan(0, 3), 1, default, null).State.Clone();
        Update(Loss.CrossEntropy(first.Logits, tokens.AsSpan(1, 4)), 0);
        var second = twin.Forward(tokens.AsSpan(3, 4), 1, default, state);
        Update(Loss.CrossEntropy(second.Logits, [-100, 0, 2, 1]), 1);
        Assert.Equal(2, reports.Count);
        foreach (var (expected, actual) in twin.Parameters.Zip(model.Parameters))
        {
            TestModule<double>.AssertClose(expected.Value.ToArray(), actual.Value.ToArray(), 1e-13);
        }

        void Update(Tensor<double> loss, int step)
        {
            Assert.Equal(loss.Item(), reports[step].Loss, 1e-13);
            optimizer.ZeroGradients();
            loss.Backward();
            optimizer.Step();
        }
    }

    // The published convention: the loss summed over steps, reported as a mean all the same.
    [Fact]
    public async Task A_summed_loss_is_reported_as_a_mean()
    {
        var reports = new Reports();
        var trainer = new Trainer<double>(new TinyLanguageModel<double>(4), new Sgd<double> { LearningRate = 0 })
        {
            BatchSize = 3,
            SequenceLength = 20,
            SequenceStride = 15,
            TokenLoss = new() { Reduction = LossReduction.SumOverStepsMeanOverRows },
            MaxUpdates = 2,
        };
        await trainer.FitAsync(Rhyme, progress: reports);
        Assert.All(reports, report => Assert.InRange(report.Loss, 1.2, 1.6));
    }

    [Fact]
    public async Task Limits_end_the_training()
    {
        Trainer<float> Make(long? iterations = null, TimeSpan? time = null) =>
            new(new TinyLanguageModel<float>(4), new Adam<float>()) { BatchSize = 2, SequenceLength = 10, MaxUpdates = iterations, MaxTime = time };
        var byIterations = await Make(iterations: 31).FitAsync(Rhyme);
        Assert.Equal((TrainingStop.Updates, 31L, 2), (byIterations.Stop, byIterations.Updates, byIterations.Epochs));
        var byTime = await Make(time: TimeSpan.FromMilliseconds(50)).FitAsync(Rhyme);
        Assert.Equal(TrainingStop.Time, byTime.Stop);
        Assert.True(byTime.Elapsed >= TimeSpan.FromMilliseconds(50));
        Assert.Contains("nothing says when to end", (await Assert.ThrowsAsync<ArgumentException>(() => Make().FitAsync(Rhyme))).Message);
        Assert.Contains("epochs: expected 1 or more but got 0", (await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Make().FitAsync(Rhyme, epochs: 0))).Message);
    }

    [Fact]
    public async Task Cancellation_ends_after_the_step_under_way()
    {
        using var source = new CancellationTokenSource();
        var model = new TinyLanguageModel<double>(4);
        var reports = new Reports { OnReport = report => source.CancelAfterIteration(report, 5) };
        var trainer = new Trainer<double>(model, new Sgd<double> { LearningRate = 0.1 }) { BatchSize = 2, SequenceLength = 10 };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => trainer.FitAsync(Rhyme, epochs: 100, progress: reports, cancellationToken: source.Token));
        Assert.Equal(5, reports.Count);

        // The model is that of five whole steps, and can be trained on.
        var other = new TinyLanguageModel<double>(4);
        await new Trainer<double>(other, new Sgd<double> { LearningRate = 0.1 }) { BatchSize = 2, SequenceLength = 10, MaxUpdates = 5 }.FitAsync(Rhyme);
        Assert.Equal(other.Parameters.SelectMany(p => p.Value.ToArray()), model.Parameters.SelectMany(p => p.Value.ToArray()));
        Assert.True(model.IsTraining);
        await trainer.FitAsync(Rhyme, epochs: 1);

        using var before = new CancellationTokenSource();
        before.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => trainer.FitAsync(Rhyme, epochs: 1, cancellationToken: before.Token));
    }

    [Fact]
    public async Task A_model_without_tokens_is_told_how()
    {
        var trainer = new Trainer<float>(new Linear<float>(2, 2, new() { Seed = 0 }), new Sgd<float>());
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => trainer.FitAsync(Rhyme, epochs: 1));
        Assert.Contains("needs a model that is an ISequenceModel, which Linear is not", error.Message);
        var model = new Trainer<float>(new TinyLanguageModel<float>(4), new Sgd<float>()) { BatchSize = 2, SequenceLength = 5 };
        await Assert.ThrowsAsync<ArgumentException>(() => model.FitAsync(Rhyme[..9], epochs: 1));
        await Assert.ThrowsAsync<ArgumentException>(() => model.FitAsync(Rhyme, new int[1], epochs: 1));
        var overlapping = new Trainer<float>(new TinyLanguageModel<float>(4), new Sgd<float>()) { SequenceStride = 3 };
        Assert.Contains("do not overlap", (await Assert.ThrowsAsync<ArgumentException>(() => overlapping.FitAsync([[1, 2], [1, 3]], epochs: 1))).Message);
    }

    [Fact]
    public async Task The_best_parameters_are_saved_and_put_back()
    {
        var path = Path.Combine(_folder.FullName, "best.safetensors");
        var (model, validations) = (new TestModule<double>([0]), new Queue<double?>([3, 1, 2, 2.5, 4]));
        var task = new Scripted(model, _ => validations.Dequeue());
        var trainer = new Trainer<double>(model, new Sgd<double> { LearningRate = 1 }) { Patience = 2, RestoreBest = true, ModelPath = path, ValidateEvery = 2 };
        var result = await trainer.FitAsync(task);
        Assert.Equal((TrainingStop.EarlyStop, 10L, 1.0, 4L, 4.0), (result.Stop, result.Updates, result.BestValidationLoss, result.BestUpdate, result.ValidationLoss));
        Assert.Equal([4], model.Values);
        var loaded = new TestModule<double>([9]);
        loaded.Load(path);
        Assert.Equal([4], loaded.Values);
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder.FullName));
    }

    [Fact]
    public async Task Improvements_too_small_to_count_do_not_hold_up_the_end()
    {
        var validations = new Queue<double?>([3, 2.95, 2.9, 2.4, 2.35, double.NaN]);
        var model = new TestModule<double>([0]);
        var trainer = new Trainer<double>(model, new Sgd<double>()) { Patience = 1, MinImprovement = 0.5, ValidateEvery = 1, Schedule = new PlateauSchedule { Patience = 0, Threshold = 0.1, Gamma = 0.5 } };
        var reports = new Reports();
        var result = await trainer.FitAsync(new Scripted(model, _ => validations.Dequeue()), progress: reports);
        Assert.Equal((TrainingStop.EarlyStop, 2.9, 3L), (result.Stop, result.BestValidationLoss, result.BestUpdate));
        Assert.Equal([1, 1, 0.5], reports.Where(report => report.ValidationLoss is null).Select(report => report.LearningRate * 100));
    }

    [Fact]
    public async Task Without_validation_every_epoch_is_saved()
    {
        var path = Path.Combine(_folder.FullName, "last.safetensors");
        var model = new TestModule<double>([0]);
        var trainer = new Trainer<double>(model, new Sgd<double> { LearningRate = 1 }) { ModelPath = path, MaxUpdates = 7 };
        await trainer.FitAsync(new Scripted(model, _ => null) { StepsPerEpoch = 5 });
        var loaded = new TestModule<double>([9]);
        loaded.Load(path);
        Assert.Equal([7], loaded.Values);
    }

    [Fact]
    public async Task Gradients_that_are_not_finite_are_named_or_skipped()
    {
        var model = new TestModule<double>([0]);
        var task = new Scripted(model, _ => null) { NotFinite = [3, 4] };
        var throwing = new Trainer<double>(model, new Sgd<double> { LearningRate = 1 }) { MaxUpdates = 6 };
        var error = await Assert.ThrowsAsync<NonFiniteGradientException>(() => throwing.FitAsync(task));
        Assert.Equal("p0", error.ParameterName);
        Assert.Equal([2], model.Values);

        var other = new TestModule<double>([0]);
        var reports = new Reports();
        var scripted = new Scripted(other, _ => null) { NotFinite = [3, 4] };
        var skipping = new Trainer<double>(other, new Sgd<double> { LearningRate = 1 }) { MaxUpdates = 6, NonFiniteGradients = NonFinitePolicy.SkipStep };
        var result = await skipping.FitAsync(scripted, progress: reports);
        Assert.Equal((6L, 2L), (result.Updates, result.SkippedUpdates));
        Assert.Equal([4], other.Values);
        Assert.Equal([false, false, true, true, false, false], reports.Select(report => report.IsSkipped));
        Assert.Equal([false, false, true, true, false, false], scripted.Skipped);
        Assert.True(double.IsFinite(result.SmoothedLoss));
    }

    [Fact]
    public async Task Clipping_and_schedules_act_on_the_update()
    {
        var model = new TestModule<double>([0]);
        var reports = new Reports();
        var trainer = new Trainer<double>(model, new Sgd<double> { LearningRate = 1 })
        {
            MaxGradientNorm = 0.25,
            Schedule = new StepSchedule(1, 0.5),
            ScheduleUnit = ScheduleUnit.Epochs,
        };
        await trainer.FitAsync(new Scripted(model, _ => null) { StepsPerEpoch = 2 }, epochs: 3, progress: reports);
        Assert.Equal(2 * 0.25 * (1 + 0.5 + 0.25), model.Values[0], 1e-6);
        Assert.All(reports, report => Assert.Equal(1, report.GradientNorm));
        Assert.Equal([1, 1, 0.5, 0.5, 0.25, 0.25], reports.Select(report => report.LearningRate));

        var other = new TestModule<double>([0]);
        var byValue = new Trainer<double>(other, new Sgd<double> { LearningRate = 1 }) { MaxGradientValue = 0.125, MaxUpdates = 2, Schedule = new ExponentialSchedule(0.5) };
        await byValue.FitAsync(new Scripted(other, _ => null));
        Assert.Equal([0.125 + 0.0625], other.Values);
    }

    [Fact]
    public void Impossible_options_are_named()
    {
        var (model, optimizer) = (new TestModule<double>([0]), new Sgd<double>());
        Refuses("BatchSize: expected 1 or more but got 0", () => new Trainer<double>(model, optimizer) { BatchSize = 0 });
        Refuses("SequenceLength: expected 1 or more but got -1", () => new Trainer<double>(model, optimizer) { SequenceLength = -1 });
        Refuses("SequenceStride: expected 1 or more but got 0", () => new Trainer<double>(model, optimizer) { SequenceStride = 0 });
        Refuses("MaxUpdates: expected 1 or more but got 0", () => new Trainer<double>(model, optimizer) { MaxUpdates = 0 });
        Refuses("ValidateEvery: expected 1 or more but got 0", () => new Trainer<double>(model, optimizer) { ValidateEvery = 0 });
        Refuses("ValidationRows: expected 1 or more but got 0", () => new Trainer<double>(model, optimizer) { ValidationRows = 0 });
        Refuses("Patience: expected 0 or more but got -1", () => new Trainer<double>(model, optimizer) { Patience = -1 });
        Refuses("MaxGradientNorm: expected a number above zero but got 0", () => new Trainer<double>(model, optimizer) { MaxGradientNorm = 0 });
        Refuses("MaxGradientValue: expected a number above zero but got NaN", () => new Trainer<double>(model, optimizer) { MaxGradientValue = double.NaN });
        Refuses("LossSmoothing: expected a number from 0 up to but not including 1 but got 1", () => new Trainer<double>(model, optimizer) { LossSmoothing = 1 });
        Refuses("LearningRate: expected a finite number of zero or more but got -1", () => new ParameterGroup<double>(model) { LearningRate = -1 });

        static void Refuses(string message, Func<object> make) => Assert.Contains(message, Assert.Throws<ArgumentOutOfRangeException>(make).Message);
    }

    // By hand: averaging begins when the loss no longer improves; validation sees the averages, training goes on from the parameters.
    [Fact]
    public async Task Averages_start_by_the_trigger_and_are_validated()
    {
        var model = new TestModule<double>([0]);
        var optimizer = new AveragedSgd<double> { LearningRate = 1, Lambda = 0 };
        var seen = new List<double>();
        var losses = new Queue<double?>([5, 4, 6, 7, 7, 7]);
        var trainer = new Trainer<double>(model, optimizer) { ValidateEvery = 1, MaxUpdates = 6, AveragingTrigger = new() { Interval = 1 } };
        await trainer.FitAsync(new Scripted(model, _ =>
        {
            seen.Add(model.Values[0]);
            return losses.Dequeue();
        }));
        Assert.True(optimizer.IsAveraging);
        Assert.Equal([1, 2, 3, 4, 5, 5.5], seen);
        Assert.Equal([6], model.Values);
    }

    [Fact]
    public async Task Batches_of_any_kind_are_trained_on()
    {
        var (random, layer) = (new RandomSource(1), new Linear<double>(3, 1, new() { Seed = 0 }));
        (Tensor<double> X, Tensor<double> Y)[] batches = [.. Enumerable.Range(0, 5).Select(_ =>
        {
            var x = Tensor<double>.RandomNormal(random, 0, 1, 8, 3);
            return (x, x.MatMul(Tensor<double>.FromRows([1], [-2], [0.5])) + Tensor<double>.Scalar(3));
        })];
        var trainer = new Trainer<double>(layer, new Sgd<double> { LearningRate = 0.05 });
        var result = await trainer.FitAsync(batches, batch => Loss.MeanSquaredError(layer.Forward(batch.X), batch.Y), validation: batches, count: batch => batch.X.Shape[0], epochs: 100);
        Assert.InRange(result.ValidationLoss!.Value, 0, 1e-6);
        Assert.Equal(100 * 40, result.Tokens);
        TestModule<double>.AssertClose([1, -2, 0.5], layer.Weight.Value.ToArray(), 1e-3);

        var none = await Assert.ThrowsAsync<InvalidOperationException>(() => trainer.FitAsync(batches[..0], batch => batch.X, epochs: 1));
        Assert.Contains("there are no batches", none.Message);
    }

    // The next number of a slow oscillation needs the state from further back than a window.
    [Theory]
    [InlineData(null)]
    [InlineData(3)]
    public async Task A_series_is_learned_with_its_state_carried(int? stride)
    {
        var wave = Enumerable.Range(0, 601).Select(i => Math.Sin(i * 0.35)).ToArray();
        var (lstm, head) = (new Lstm<double>(1, 8, new() { Seed = 0 }), new Linear<double>(8, 1, new() { Seed = 0 }));
        var model = new Pair(lstm, head);
        SeriesSource<double> Make(int from, int to, int rows) => new(
            Tensor<double>.From(wave.AsSpan(from, to - from), to - from, 1), Tensor<double>.From(wave.AsSpan(from + 1, to - from), to - from, 1), rows, 5, stride);
        var trainer = new Trainer<double>(model, new Adam<double> { LearningRate = 0.01 });
        var result = await trainer.FitAsync(
            Make(0, 500, 4),
            (x, state) =>
            {
                var output = lstm.Forward(x, default, state);
                return (head.Forward(output.Output), output.FinalState);
            },
            (y, target) => Loss.MeanSquaredError(y, target),
            Make(500, 600, 1),
            epochs: 20);
        Assert.InRange(result.ValidationLoss!.Value, 0, 0.01);
        Assert.Equal(20 * 500, result.Tokens);
    }

    // One parameter p with the loss −p: each step of a learning rate of 1 adds 1.
    private sealed class Scripted(TestModule<double> model, Func<CancellationToken, double?> validate) : TrainingTask<double>
    {
        private int _step;
        private int _inEpoch;

        public int StepsPerEpoch { get; init; } = 1000;

        public int[] NotFinite { get; init; } = [];

        public List<bool> Skipped { get; } = [];

        public override void BeginEpoch(int epoch) => _inEpoch = 0;

        public override BatchLoss<double>? NextLoss()
        {
            if (_inEpoch++ == StepsPerEpoch)
            {
                return null;
            }

            var factor = NotFinite.Contains(++_step) ? double.NaN : -1;
            return new((model.Parameters.Single().Value * factor).Sum(), 1);
        }

        public override void EndStep(bool skipped) => Skipped.Add(skipped);

        public override double? Validate(CancellationToken cancellationToken) => validate(cancellationToken);
    }
}

internal sealed class Pair : Module<double>
{
    public Pair(Module<double> first, Module<double> second)
    {
        AddModule("first", first);
        AddModule("second", second);
    }
}

internal static class CancellationExtensions
{
    public static void CancelAfterIteration(this CancellationTokenSource source, TrainingProgress report, long iteration)
    {
        if (report.Update == iteration)
        {
            source.Cancel();
        }
    }
}
