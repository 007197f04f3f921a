using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Training;

/// <summary>What a trainer says before its first step rather than hours later, or never.</summary>
public sealed class TrainerRefusalTests : IDisposable
{
    private static readonly ReadOnlyMemory<int> Tokens = Enumerable.Range(0, 3000).Select(i => i % 4).ToArray();

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("rnn-tests-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Options_that_need_validation_are_refused_without_it()
    {
        await Refuses("Patience: it needs validation losses", (model, optimizer) => new(model, optimizer) { Patience = 1 });
        await Refuses("RestoreBest: it needs validation losses", (model, optimizer) => new(model, optimizer) { RestoreBest = true, MaxUpdates = 3 });
        await Refuses("ValidateEvery: it needs validation losses", (model, optimizer) => new(model, optimizer) { ValidateEvery = 2, MaxUpdates = 3 });
        await Refuses("PlateauSchedule: it needs validation losses", (model, optimizer) => new(model, optimizer) { Schedule = new PlateauSchedule(), MaxUpdates = 3 });
        await Refuses("AveragingTrigger: it needs validation losses", (model, optimizer) => new(model, optimizer) { AveragingTrigger = new(), MaxUpdates = 3 });

        static async Task Refuses(string message, Func<TinyLanguageModel<double>, AveragedSgd<double>, Trainer<double>> make)
        {
            var model = new TinyLanguageModel<double>(4);
            var trainer = make(model, new AveragedSgd<double>());
            var before = model.Parameters.SelectMany(parameter => parameter.Value.ToArray()).ToArray();
            var error = await Assert.ThrowsAsync<InvalidOperationException>(() => trainer.FitAsync(Tokens));
            Assert.Contains(message, error.Message);
            Assert.Contains("nothing to validate on", (await Assert.ThrowsAsync<InvalidOperationException>(() => trainer.FitAsync([0], _ => model.Parameters.First().Value.Sum(), epochs: 1))).Message);
            Assert.Equal(before, model.Parameters.SelectMany(parameter => parameter.Value.ToArray()));
        }
    }

    [Fact]
    public async Task A_task_that_gives_no_validation_loss_ends_where_one_is_needed()
    {
        var model = new TestModule<double>([0]);
        var trainer = new Trainer<double>(model, new Sgd<double>()) { Patience = 3 };
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => trainer.FitAsync(new ThreeSteps(model)));
        Assert.Contains("Patience: it needs validation losses, but Validate of ThreeSteps gave none", error.Message);
    }

    [Fact]
    public async Task Validation_batches_that_are_gone_the_second_time_are_told()
    {
        var model = new TestModule<double>([0]);
        var once = new Queue<int>([1]);
        var trainer = new Trainer<double>(model, new Sgd<double>());
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => trainer.FitAsync([1], _ => model.Parameters.Single().Value.Sum(), Once(), epochs: 3));
        Assert.Contains("no batches to validate on; what can be enumerated only once is empty the second time", error.Message);

        IEnumerable<int> Once()
        {
            while (once.TryDequeue(out var batch))
            {
                yield return batch;
            }
        }
    }

    [Fact]
    public async Task An_optimizer_of_another_model_is_refused()
    {
        var (a, b) = (new TestModule<double>([1], [2]), new TestModule<double>([3], [4]));
        var trainer = new Trainer<double>(b, new Sgd<double>(a)) { MaxUpdates = 1 };
        Assert.Contains("it holds the parameters of another model, none of this TestModule's", await Refusal(trainer, b));
        Assert.Equal([3, 4], b.Values);
    }

    [Fact]
    public async Task An_optimizer_of_a_part_is_refused_unless_the_rest_is_frozen()
    {
        var model = new TestModule<double>([1], [2], [3]);
        var parameters = model.Parameters.ToArray();
        var trainer = new Trainer<double>(model, new Sgd<double>([parameters[0], parameters[2]]) { LearningRate = 1 }) { MaxUpdates = 2 };
        Assert.Contains("it holds a part of the model only; 1 of its parameters would get gradients and never change: p1.", await Refusal(trainer, model));
        Assert.Null(parameters[1].Gradient);

        parameters[1].Frozen = true;
        await trainer.FitAsync(new ThreeSteps(model));
        Assert.Equal([-1, 2, 1], model.Values);
        Assert.Null(parameters[1].Gradient);
    }

    // The loss of ThreeSteps runs over p0 alone here; what is unfrozen on the way is found at the next epoch.
    [Fact]
    public async Task A_parameter_unfrozen_on_the_way_is_found()
    {
        var model = new TestModule<double>([1], [2]);
        var parameters = model.Parameters.ToArray();
        parameters[1].Frozen = true;
        var trainer = new Trainer<double>(model, new Sgd<double>([parameters[0]]));
        var reports = new Reports { OnReport = _ => parameters[1].Frozen = false };
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => trainer.FitAsync([1], _ => parameters[0].Value.Sum(), epochs: 3, progress: reports));
        Assert.Contains("never change: p1", error.Message);
        Assert.Single(reports);
    }

    [Fact]
    public async Task An_optimizer_that_lost_its_parameters_is_refused()
    {
        var model = new TestModule<double>([1]);
        var first = new Trainer<double>(model, new Sgd<double>()) { MaxUpdates = 1 };
        var second = new Trainer<double>(model, new Sgd<double>()) { MaxUpdates = 1 };
        Assert.Contains("'p0' was attached to another optimiser since", await Refusal(first, model));
        await second.FitAsync(new ThreeSteps(model));
    }

    [Fact]
    public async Task A_checkpoint_that_cannot_be_written_is_found_before_the_first_step()
    {
        var model = new TestModule<double>([0]);
        await Refuses<DirectoryNotFoundException>("does not exist; make it first", Path.Combine(_folder.FullName, "missing", "best.safetensors"));
        await Refuses<IOException>("is a folder; expected the path of a file", _folder.FullName);
        await Refuses<IOException>("is a folder", _folder.FullName + Path.DirectorySeparatorChar);
        await Refuses<ArgumentException>("ModelPath: expected the path of a file but it is empty", " ");
        var readOnly = Path.Combine(_folder.FullName, "kept.safetensors");
        await File.WriteAllTextAsync(readOnly, "kept");
        File.SetAttributes(readOnly, FileAttributes.ReadOnly);
        await Refuses<IOException>("is read-only", readOnly);
        File.SetAttributes(readOnly, FileAttributes.Normal);
        var file = Path.Combine(readOnly, "best.safetensors");
        await Refuses<DirectoryNotFoundException>("does not exist", file);
        Assert.Equal([0], model.Values);
        Assert.Equal([readOnly], Directory.GetFileSystemEntries(_folder.FullName));

        async Task Refuses<TException>(string message, string path)
            where TException : Exception
        {
            var trainer = new Trainer<double>(model, new Sgd<double>()) { MaxUpdates = 2, ModelPath = path };
            Assert.Contains(message, (await Assert.ThrowsAsync<TException>(() => trainer.FitAsync(new ThreeSteps(model)))).Message);
        }
    }

    [Fact]
    public async Task A_checkpoint_through_a_link_is_written_where_it_points()
    {
        var (target, link) = (Path.Combine(_folder.FullName, "target"), Path.Combine(_folder.FullName, "link"));
        await File.WriteAllTextAsync(target, string.Empty);
        File.CreateSymbolicLink(link, target);
        var model = new TestModule<double>([0]);
        await new Trainer<double>(model, new Sgd<double>()) { MaxUpdates = 2, ModelPath = link }.FitAsync(new ThreeSteps(model));
        Assert.NotEmpty(await File.ReadAllBytesAsync(target));
        Assert.NotNull(new FileInfo(link).LinkTarget);
    }

    [Fact]
    public async Task A_second_run_at_once_is_refused()
    {
        var model = new TestModule<double>([0]);
        var optimizer = new Sgd<double> { LearningRate = 1 };
        var trainer = new Trainer<double>(model, optimizer) { MaxUpdates = 3 };
        using var goOn = new SemaphoreSlim(0);
        var first = trainer.FitAsync(new ThreeSteps(model) { Wait = goOn });
        var shared = new TestModule<double>(model.Parameters);
        foreach (var other in new[] { trainer, new Trainer<double>(model, optimizer) { MaxUpdates = 1 }, new Trainer<double>(shared, optimizer) { MaxUpdates = 1 } })
        {
            Assert.Contains("is being trained by another run", (await Assert.ThrowsAsync<InvalidOperationException>(() => other.FitAsync(new ThreeSteps(model)))).Message);
        }

        Assert.Contains("'p0' is being trained with another optimiser", Assert.Throws<InvalidOperationException>(() => new Sgd<double>(model)).Message);
        goOn.Release(10);
        Assert.Equal(3, (await first).Updates);
        Assert.Equal([-3], model.Values);

        // Free again: after an end, a failure, a refusal and a cancellation.
        await trainer.FitAsync(new ThreeSteps(model));
        await Assert.ThrowsAsync<InvalidOperationException>(() => trainer.FitAsync(Array.Empty<int>(), _ => model.Parameters.Single().Value.Sum(), epochs: 1));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => trainer.FitAsync(new ThreeSteps(model), epochs: 0));
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        var late = trainer.FitAsync(new ThreeSteps(model), cancellationToken: cancelled.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => late);
        Assert.True(late.IsCanceled);
        await trainer.FitAsync(new ThreeSteps(model));
    }

    // A frozen encoder may stand in two models that are trained at once.
    [Fact]
    public async Task Two_runs_may_share_what_is_frozen()
    {
        var encoder = new TestModule<double>([5]);
        encoder.Parameters.Single().Frozen = true;
        var (a, b) = (new TestModule<double>([0]), new TestModule<double>([0]));
        using var goOn = new SemaphoreSlim(0);
        var first = new Trainer<double>(new Pair(encoder, a), new Sgd<double>(a) { LearningRate = 1 }) { MaxUpdates = 3 }.FitAsync(new ThreeSteps(a) { Wait = goOn });
        await new Trainer<double>(new Pair(encoder, b), new Sgd<double>(b) { LearningRate = 1 }) { MaxUpdates = 3 }.FitAsync(new ThreeSteps(b));
        goOn.Release(10);
        await first;
        Assert.Equal([-3], a.Values);
        Assert.Equal([-3], b.Values);
    }

    // Recording is the training's own affair; the caller's scope stays what it was.
    [Fact]
    public async Task Training_started_with_recording_off_records()
    {
        var model = new TinyLanguageModel<double>(4);
        var other = new TinyLanguageModel<double>(4);
        using (NoGradient.Enter())
        {
            await new Trainer<double>(model, new Sgd<double> { LearningRate = 0.1 }) { BatchSize = 2, SequenceLength = 5, MaxUpdates = 4 }.FitAsync(Tokens[..50], Tokens[50..100]);
            Assert.True(NoGradient.IsActive);
        }

        Assert.False(NoGradient.IsActive);
        await new Trainer<double>(other, new Sgd<double> { LearningRate = 0.1 }) { BatchSize = 2, SequenceLength = 5, MaxUpdates = 4 }.FitAsync(Tokens[..50], Tokens[50..100]);
        Assert.Equal(other.Parameters.SelectMany(p => p.Value.ToArray()), model.Parameters.SelectMany(p => p.Value.ToArray()));
    }

    [Fact]
    public async Task Options_that_contradict_each_other_are_named()
    {
        var model = new TestModule<double>([0]);
        Assert.Contains("AveragingTrigger: it starts the averages of an AveragedSgd, but the optimiser is Adam", await Refusal(new(model, new Adam<double>()) { AveragingTrigger = new(), MaxUpdates = 1 }, model));
        Assert.Contains("Nesterov: needs a Momentum above zero", await Refusal(new(model, new Sgd<double> { Nesterov = true }) { MaxUpdates = 1 }, model));
        Assert.Contains("TotalSteps: expected more steps than the warm-up's", await Refusal(new(model, new Sgd<double>()) { Schedule = new CosineSchedule(5) { WarmupSteps = 9 }, MaxUpdates = 1 }, model));
        foreach (var factor in new[] { double.NaN, -1, double.PositiveInfinity })
        {
            Assert.Contains($"Schedule: expected a finite factor of zero or more at 0 but Fixed gives {factor}", await Refusal(new(model, new Sgd<double>()) { Schedule = new Fixed(factor), MaxUpdates = 1 }, model));
        }

        Assert.Equal([0], model.Values);
    }

    [Fact]
    public void Impossible_options_are_named()
    {
        var (model, optimizer) = (new TestModule<double>([0]), new Sgd<double>());
        Refuses("MaxTime: expected a time above zero but got 00:00:00", () => new Trainer<double>(model, optimizer) { MaxTime = TimeSpan.Zero });
        Refuses("MinImprovement: expected a finite number of 0 or more but got -1", () => new Trainer<double>(model, optimizer) { MinImprovement = -1 });
        Refuses("MinImprovement", () => new Trainer<double>(model, optimizer) { MinImprovement = double.NaN });
        Refuses("NonFiniteGradients: expected Throw or SkipStep but got 7", () => new Trainer<double>(model, optimizer) { NonFiniteGradients = (NonFinitePolicy)7 });
        Refuses("ScheduleUnit: expected one of the units of the list but got 7", () => new Trainer<double>(model, optimizer) { ScheduleUnit = (ScheduleUnit)7 });
        Refuses("ScheduleStart: expected a finite number of 0 or more but got -1", () => new Trainer<double>(model, optimizer) { ScheduleStart = -1 });
        Refuses("LossSmoothing", () => new Trainer<double>(model, optimizer) { LossSmoothing = double.NaN });
        Refuses("Patience", () => new Trainer<double>(model, optimizer) { Patience = -1 });
        Refuses("MaxGradientValue: expected a number above zero but got 1E-50", () => new Trainer<float>(new TestModule<float>([0]), new Sgd<float>()) { MaxGradientValue = 1e-50 });
        Refuses("MaxGradientNorm: expected a number above zero but got 1E-50", () => new Trainer<float>(new TestModule<float>([0]), new Sgd<float>()) { MaxGradientNorm = 1e-50 });
        Assert.Throws<ArgumentNullException>(() => new Trainer<double>(model, optimizer) { TokenLoss = null! });

        static void Refuses(string message, Func<object> make) => Assert.Contains(message, Assert.Throws<ArgumentOutOfRangeException>(make).Message);
    }

    private static async Task<string> Refusal(Trainer<double> trainer, TestModule<double> model) =>
        (await Assert.ThrowsAsync<InvalidOperationException>(() => trainer.FitAsync(new ThreeSteps(model)))).Message;

    private sealed record Fixed(double Value) : Schedule
    {
        public override double Factor(double step) => Value;
    }

    // Three steps an epoch whose loss is the sum of all parameters: a learning rate of 1 takes 1 off each.
    private sealed class ThreeSteps(TestModule<double> model) : TrainingTask<double>
    {
        private int _step;

        public SemaphoreSlim? Wait { get; init; }

        public override void BeginEpoch(int epoch) => _step = 0;

        public override BatchLoss<double>? NextLoss()
        {
            Wait?.Wait();
            return _step++ == 3 ? null : new(model.Parameters.Select(parameter => parameter.Value.Sum()).Aggregate((a, b) => a + b), 1);
        }
    }
}
