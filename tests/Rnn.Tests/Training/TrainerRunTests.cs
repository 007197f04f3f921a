using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Training;

public class TrainerRunTests
{
    // A file behind an enumerator is closed on every way out.
    [Theory]
    [InlineData("epochs")]
    [InlineData("iterations")]
    [InlineData("patience")]
    [InlineData("cancellation")]
    [InlineData("loss")]
    [InlineData("gradient")]
    [InlineData("progress")]
    public async Task The_enumerator_is_disposed_on_every_way_out(string way)
    {
        var model = new TestModule<double>([1]);
        var parameter = model.Parameters.Single();
        var (open, opened, step) = (0, 0, 0);
        using var source = new CancellationTokenSource();
        var trainer = new Trainer<double>(model, new Sgd<double>())
        {
            MaxUpdates = way == "iterations" ? 5 : null,
            Patience = way == "patience" ? 0 : null,
            ValidateEvery = way == "patience" ? 1 : null,
        };
        var reports = new Reports
        {
            OnReport = report =>
            {
                if (way == "cancellation")
                {
                    source.Cancel();
                }

                if (way == "progress")
                {
                    throw new InvalidDataException();
                }
            },
        };
        var training = trainer.FitAsync(Batches(), Loss, way == "patience" ? [7] : null, epochs: 2, progress: reports, cancellationToken: source.Token);
        var error = await Record.ExceptionAsync(() => training);
        Assert.Equal(
            way switch
            {
                "cancellation" => typeof(OperationCanceledException),
                "loss" or "progress" => typeof(InvalidDataException),
                "gradient" => typeof(NonFiniteGradientException),
                _ => null,
            },
            error?.GetType());
        Assert.Equal(0, open);
        Assert.Equal(way is "epochs" or "iterations" ? 2 : 1, opened);

        Tensor<double> Loss(int batch) => (way, batch) switch
        {
            ("loss", 2) => throw new InvalidDataException(),
            ("gradient", 2) => (parameter.Value * double.NaN).Sum(),
            ("patience", _) => (parameter.Value * 0).Sum() + Tensor<double>.Scalar(step++),
            _ => parameter.Value.Sum(),
        };

        IEnumerable<int> Batches()
        {
            (open, opened) = (open + 1, opened + 1);
            try
            {
                for (var i = 0; i < 3; i++)
                {
                    yield return i;
                }
            }
            finally
            {
                open--;
            }
        }
    }

    [Fact]
    public async Task An_infinite_loss_is_counted_and_left_out()
    {
        var reports = new Reports();
        var losses = new Queue<double>([1, double.PositiveInfinity, 3, double.NaN]);
        var other = new TestModule<double>([0]);
        var trainer = new Trainer<double>(other, new Sgd<double> { LearningRate = 0 }) { LossSmoothing = 0.5, MaxUpdates = 4 };
        var result = await trainer.FitAsync([1, 2, 3, 4], _ => other.Parameters.Single().Value.Sum() + Tensor<double>.Scalar(losses.Dequeue()), progress: reports);
        Assert.Equal([1, double.PositiveInfinity, 3, double.NaN], reports.Select(report => report.Loss));
        Assert.Equal([1, 1, (0.25 + 1.5) / 0.75, (0.25 + 1.5) / 0.75], reports.Select(report => report.SmoothedLoss));
        Assert.Equal((2L, 0L, 4L), (result.NonFiniteLosses, result.SkippedUpdates, result.Updates));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_best_parameters_are_put_back_where_training_breaks_off(bool cancel)
    {
        var model = new TestModule<double>([0]);
        var parameter = model.Parameters.Single();
        var validations = new Queue<double>([3, 1, 2, 2, 2]);
        using var source = new CancellationTokenSource();
        var reports = new Reports
        {
            OnReport = report =>
            {
                if (report.Update == 4)
                {
                    _ = cancel ? 0 : throw new InvalidDataException();
                    source.Cancel();
                }
            },
        };
        var trainer = new Trainer<double>(model, new Sgd<double> { LearningRate = 1 }) { RestoreBest = true, ValidateEvery = 1 };
        var training = trainer.FitAsync([0], batch => batch == 0 ? -parameter.Value.Sum() : Tensor<double>.Scalar(validations.Dequeue()), [1], epochs: 9, progress: reports, cancellationToken: source.Token);
        await Assert.ThrowsAnyAsync<Exception>(() => training);
        Assert.Equal(cancel, training.IsCanceled);
        Assert.Equal([2], model.Values);
    }

    // The first of two equal losses is the best one; an improvement by just the least that counts is none.
    [Fact]
    public async Task Ties_are_no_improvement()
    {
        var result = await Run([3, 1, 1, 2], new(), new TestModule<double>([0]));
        Assert.Equal((2L, 1.0), (result.BestUpdate, result.BestValidationLoss));
        var model = new TestModule<double>([0]);
        result = await Run([3, 2.5, 9, 9], new(), model, patience: 0, improvement: 0.5);
        Assert.Equal((TrainingStop.EarlyStop, 2L, 2L), (result.Stop, result.Updates, result.BestUpdate));
        Assert.Equal([2], model.Values);
        result = await Run([3, 2.4, 9, 9], new(), model, patience: 0, improvement: 0.5);
        Assert.Equal(3, result.Updates);
        result = await Run([double.NaN, 3, double.NaN, 2], new(), model, patience: 1);
        Assert.Equal((TrainingStop.Updates, 4L, 2.0), (result.Stop, result.BestUpdate, result.BestValidationLoss));

        static Task<TrainingResult> Run(double[] losses, Sgd<double> optimizer, TestModule<double> model, int? patience = null, double improvement = 0)
        {
            optimizer.LearningRate = 1;
            var validations = new Queue<double>(losses);
            var trainer = new Trainer<double>(model, optimizer) { RestoreBest = true, ValidateEvery = 1, MaxUpdates = 4, Patience = patience, MinImprovement = improvement };
            return trainer.FitAsync([0], batch => batch == 0 ? -model.Parameters.Single().Value.Sum() : Tensor<double>.Scalar(validations.Dequeue()), [1]);
        }
    }

    // Two runs of five steps with a schedule of ten are one run of ten.
    [Fact]
    public async Task A_schedule_goes_on_in_the_next_run()
    {
        var model = new TestModule<double>([0]);
        var (reports, schedule) = (new Reports(), new CosineSchedule(10));
        var trainer = new Trainer<double>(model, new Sgd<double> { LearningRate = 1 }) { Schedule = schedule, MaxUpdates = 5 };
        await Run();
        Assert.Equal(5, trainer.ScheduleStart);
        await Run();
        Assert.Equal(Enumerable.Range(0, 10).Select(i => schedule.Factor(i)), reports.Select(report => report.LearningRate));

        trainer.ScheduleStart = 0;
        await Run();
        Assert.Equal(1, reports[10].LearningRate);
        var resumed = new Trainer<double>(model, new Sgd<double> { LearningRate = 1 }) { Schedule = schedule, MaxUpdates = 5, ScheduleStart = 7 };
        reports.Clear();
        await resumed.FitAsync([1, 2, 3], _ => model.Parameters.Single().Value.Sum(), progress: reports);
        Assert.Equal(schedule.Factor(7), reports[0].LearningRate);

        Task Run() => trainer.FitAsync([1, 2, 3], _ => model.Parameters.Single().Value.Sum(), progress: reports);
    }

    [Fact]
    public async Task A_schedule_of_epochs_goes_on_after_whole_ones()
    {
        var model = new TestModule<double>([0]);
        var reports = new Reports();
        var trainer = new Trainer<double>(model, new Sgd<double> { LearningRate = 1 }) { Schedule = new StepSchedule(1, 0.5), ScheduleUnit = ScheduleUnit.Epochs, MaxUpdates = 3 };
        await trainer.FitAsync([1, 2], _ => model.Parameters.Single().Value.Sum(), progress: reports);
        Assert.Equal(1, trainer.ScheduleStart);
        await trainer.FitAsync([1, 2], _ => model.Parameters.Single().Value.Sum(), progress: reports);
        Assert.Equal([1, 1, 0.5, 0.5, 0.5, 0.25], reports.Select(report => report.LearningRate));
    }

    // By rows where they are known, else each batch counts once.
    [Fact]
    public async Task Validation_batches_are_weighed_by_their_rows()
    {
        int[][] sequences = [.. Enumerable.Range(0, 32).Select(_ => new int[2])];
        SequenceBatch[] tokens = [SequenceBatch.Pad(sequences[..31]), SequenceBatch.Pad(sequences[31..])];
        Assert.Equal((31.0 + 5) / 32, await Validate(tokens, batch => batch.Rows == 31 ? 1 : 5));
        var features = sequences.Select(_ => Tensor<double>.Ones(2, 3)).ToArray();
        FeatureBatch<double>[] padded = [FeatureBatch<double>.Pad(features[..31]), FeatureBatch<double>.Pad(features[31..])];
        Assert.Equal((31.0 + 5) / 32, await Validate(padded, batch => batch.Rows == 31 ? 1 : 5));
        Tensor<double>[] tensors = [Tensor<double>.Ones(31, 2), Tensor<double>.Ones(1, 2)];
        Assert.Equal((31.0 + 5) / 32, await Validate(tensors, batch => batch.Shape[0] == 31 ? 1 : 5));
        Assert.Equal((31.0 + 5) / 32, await Validate(tensors.Select(x => (x, new int[1])), batch => batch.x.Shape[0] == 31 ? 1 : 5));
        Assert.Equal((31.0 + 5) / 32, await Validate(tokens.Select(x => Tuple.Create(x, "label")), batch => batch.Item1.Rows == 31 ? 1 : 5));
        string[] names = ["31", "1"];
        Assert.Equal(3, await Validate(names, batch => batch == "31" ? 1 : 5));
        Assert.Equal((2.0 + 5) / 3, await Validate(tokens, batch => batch.Rows == 31 ? 1 : 5, batch => batch.Rows == 31 ? 2 : 1));

        static async Task<double> Validate<TBatch>(IEnumerable<TBatch> batches, Func<TBatch, double> loss, Func<TBatch, long>? count = null)
        {
            var model = new TestModule<double>([0]);
            var result = await new Trainer<double>(model, new Sgd<double> { LearningRate = 0 }).FitAsync(
                batches, batch => (model.Parameters.Single().Value * 1).Sum() + Tensor<double>.Scalar(loss(batch)), batches, count, epochs: 1);
            return result.ValidationLoss!.Value;
        }
    }

    [Fact]
    public async Task Buckets_are_in_another_order_in_each_epoch()
    {
        int[][] data = [.. Enumerable.Range(0, 40).Select(i => new int[1 + (i % 7)])];
        var features = data.Select(row => Tensor<double>.Zeros(row.Length, 2)).ToArray();
        await Check(SequenceBatch.Bucket(data, 4, random: new RandomSource(5)), batch => batch.Indices.ToArray());
        await Check(FeatureBatch<double>.Bucket(features, 4, new RandomSource(5)), batch => batch.Indices.ToArray());
        Assert.Contains("batchSize: expected 1 or more but got 0", Assert.Throws<ArgumentOutOfRangeException>(() => SequenceBatch.Bucket(data, 0)).Message);
        Assert.Contains("batchSize: expected 1 or more but got 0", Assert.Throws<ArgumentOutOfRangeException>(() => FeatureBatch<double>.Bucket(features, 0)).Message);

        static async Task Check<TBatch>(IEnumerable<TBatch> batches, Func<TBatch, int[]> indices)
        {
            var (model, seen) = (new TestModule<double>([0]), new List<int>());
            await new Trainer<double>(model, new Sgd<double>()).FitAsync(
                batches,
                batch =>
                {
                    seen.AddRange(indices(batch));
                    return model.Parameters.Single().Value.Sum();
                },
                epochs: 3);
            var epochs = seen.Chunk(40).ToArray();
            Assert.All(epochs, epoch => Assert.Equal(Enumerable.Range(0, 40), epoch.Order()));
            Assert.NotEqual(epochs[0], epochs[1]);
            Assert.NotEqual(epochs[1], epochs[2]);

            // The first one is what the source gives at first.
            var plan = LengthBuckets.Plan([.. Enumerable.Range(0, 40).Select(i => 1 + (i % 7))], 4, new RandomSource(5));
            Assert.Equal(plan.SelectMany(batch => batch), epochs[0]);
        }
    }

    // A padding token is read, but nobody is to predict it.
    [Theory]
    [InlineData(null, LossReduction.Mean)]
    [InlineData(2, LossReduction.Mean)]
    [InlineData(2, LossReduction.Sum)]
    [InlineData(null, LossReduction.SumOverStepsMeanOverRows)]
    public async Task The_ignored_token_is_not_predicted(int? stride, LossReduction reduction)
    {
        int[] tokens = [1, 2, 3, 0, 0, 2, 1, 0, 3];
        var model = new TinyLanguageModel<double>(4);
        var reports = new Reports();
        var trainer = new Trainer<double>(model, new Sgd<double> { LearningRate = 0 })
        {
            BatchSize = 1,
            SequenceLength = 8,
            SequenceStride = stride,
            TokenLoss = new() { IgnoreIndex = 0, Reduction = reduction },
            MaxUpdates = 1,
        };
        var result = await trainer.FitAsync(tokens, tokens, progress: reports);
        var expected = Loss.CrossEntropy(model.Forward(tokens.AsSpan(..8), 1, default, null).Logits, tokens.AsSpan(1), options: new() { IgnoreIndex = 0 }).Item();
        Assert.Equal(expected, reports[0].Loss, 1e-12);
        Assert.Equal(expected, result.ValidationLoss!.Value, 1e-12);
        Assert.Equal(5, result.Tokens);
    }

    [Fact]
    public async Task A_window_of_ignored_tokens_alone_teaches_nothing()
    {
        var model = new TinyLanguageModel<double>(4);
        var before = model.Parameters.SelectMany(parameter => parameter.Value.ToArray()).ToArray();
        foreach (var stride in new int?[] { null, 2 })
        {
            var trainer = new Trainer<double>(model, new Sgd<double> { LearningRate = 1 }) { BatchSize = 1, SequenceLength = 3, SequenceStride = stride, TokenLoss = new() { IgnoreIndex = 0 } };
            var result = await trainer.FitAsync(new int[7], epochs: 1);
            Assert.Equal(0, result.Tokens);
            Assert.Equal(before, model.Parameters.SelectMany(parameter => parameter.Value.ToArray()));
        }
    }

    // Overlapping windows are cut in two; their weighted mean is that of the whole.
    [Fact]
    public async Task Class_weights_are_the_same_where_windows_overlap()
    {
        int[] tokens = [1, 2, 3, 0, 1, 2];
        var model = new TinyLanguageModel<double>(4);
        var options = new CrossEntropyOptions { ClassWeights = [0.1, 0.5, 2, 7] };
        var reports = new Reports();
        await new Trainer<double>(model, new Sgd<double> { LearningRate = 0 }) { BatchSize = 1, SequenceLength = 5, SequenceStride = 2, TokenLoss = options, MaxUpdates = 1 }.FitAsync(tokens, progress: reports);
        Assert.Equal(Loss.CrossEntropy(model.Forward(tokens.AsSpan(..5), 1, default, null).Logits, tokens.AsSpan(1), options: options).Item(), reports[0].Loss, 1e-12);
    }

    // An infinite gradient is seen before a limit makes it look like a good one.
    [Theory]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    [InlineData(double.NaN)]
    public async Task Clipping_by_value_does_not_hide_what_is_not_finite(double gradient)
    {
        var model = new TestModule<double>([0]);
        var throwing = new Trainer<double>(model, new Sgd<double> { LearningRate = 1 }) { MaxGradientValue = 1, MaxUpdates = 2 };
        var error = await Assert.ThrowsAsync<NonFiniteGradientException>(() => throwing.FitAsync([-1, gradient], Loss));
        Assert.Equal(("p0", gradient), (error.ParameterName, error.Value));
        Assert.Equal([1], model.Values);

        var reports = new Reports();
        var skipping = new Trainer<double>(model, throwing.Optimizer) { MaxGradientValue = 1, MaxGradientNorm = 0.5, MaxUpdates = 3, NonFiniteGradients = NonFinitePolicy.SkipStep };
        var result = await skipping.FitAsync([gradient, -8.0, gradient], Loss, progress: reports);
        Assert.Equal((3L, 2L), (result.Updates, result.SkippedUpdates));
        Assert.Equal(1.5, model.Values[0], 1e-6);
        Assert.Equal([Math.Abs(gradient), 8, Math.Abs(gradient)], reports.Select(report => report.GradientNorm));

        Tensor<double> Loss(double slope) => (model.Parameters.Single().Value * slope).Sum();
    }

    [Theory]
    [InlineData(3e154)]
    [InlineData(1e200)]
    [InlineData(1.7e308)]
    public async Task Large_gradients_are_clipped_and_not_refused(double gradient)
    {
        foreach (var optimizer in new Optimizer<double>[] { new Sgd<double> { LearningRate = 1 }, new Adam<double> { LearningRate = 1 } })
        {
            var model = new TestModule<double>([0, 0]);
            var trainer = new Trainer<double>(model, optimizer) { MaxGradientNorm = 1, MaxUpdates = 1 };
            await trainer.FitAsync([1], _ => (model.Parameters.Single().Value * gradient).Sum());
            var expected = optimizer is Sgd<double> ? Math.Sqrt(0.5) : 1;
            Assert.All(model.Values, value => Assert.Equal(-expected, value, 1e-6));
        }
    }

    // The square of 1e25 is beyond single precision: a mean of squares would be infinite for ever.
    [Fact]
    public async Task A_gradient_too_large_to_square_follows_the_policy()
    {
        var model = new TestModule<float>([0]);
        var throwing = new Trainer<float>(model, new Adam<float> { LearningRate = 1 }) { MaxUpdates = 2 };
        var error = await Assert.ThrowsAsync<NonFiniteGradientException>(() => throwing.FitAsync([1e25f], Loss));
        Assert.Contains("the gradient of 'p0' is", error.Message);
        Assert.Contains("too large for the optimiser to square", error.Message);
        Assert.Equal([0], model.Values);
        var skipping = new Trainer<float>(model, throwing.Optimizer) { MaxUpdates = 4, NonFiniteGradients = NonFinitePolicy.SkipStep };
        var result = await skipping.FitAsync([1e25f, 1, 1, 1], Loss);
        Assert.Equal(1, result.SkippedUpdates);
        Assert.Equal(-3, model.Values[0], 1e-5);

        Tensor<float> Loss(float slope) => (model.Parameters.Single().Value * slope).Sum();
    }
}
