using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Training;

public class UpdateHookTests
{
    // The same rows in batches of one size, and in one: the same mean, so the same update but for rounding.
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Accumulated_batches_update_like_one_large_batch(int steps)
    {
        var (many, one) = (Network(), Network());
        var (manyReports, oneReports) = (new Reports(), new Reports());
        var small = new Trainer<double>(many, new Adam<double> { LearningRate = 0.01 }) { AccumulationSteps = steps, MaxGradientNorm = 0.1 };
        var result = await small.FitAsync(Rows(5), batch => Loss.MeanSquaredError(many.Forward(batch.Inputs), batch.Targets), epochs: 3, progress: manyReports);
        var large = new Trainer<double>(one, new Adam<double> { LearningRate = 0.01 }) { MaxGradientNorm = 0.1 };
        await large.FitAsync(Rows(5 * steps), batch => Loss.MeanSquaredError(one.Forward(batch.Inputs), batch.Targets), epochs: 3, progress: oneReports);
        Assert.Equal(3 * 60, result.Tokens);
        Assert.Equal(3 * 60 / (5 * steps), result.Updates);
        TestModule<double>.AssertClose([.. oneReports.Select(report => report.Loss)], [.. manyReports.Select(report => report.Loss)], 1e-12);
        TestModule<double>.AssertClose([.. oneReports.Select(report => report.GradientNorm)], [.. manyReports.Select(report => report.GradientNorm)], 1e-12);
        TestModule<double>.AssertClose(Values(one), Values(many), 1e-12);
    }

    // Seven batches in updates of three: 3, 3 and 1 in each epoch. The loss −c p of batch c has the gradient −c.
    [Fact]
    public async Task The_rest_of_an_epoch_makes_an_update_of_fewer_batches()
    {
        var model = new TestModule<double>([0]);
        var means = new List<double>();
        var reports = new Reports();
        var trainer = new Trainer<double>(model, new Sgd<double> { LearningRate = 1 }) { AccumulationSteps = 3, AfterBackward = update => means.Add(update.Gradients[0]) };
        var result = await trainer.FitAsync([1, 2, 3, 4, 5, 6, 7], c => (model.Parameters.Single().Value * -c).Sum(), epochs: 2, progress: reports);
        Assert.Equal((6L, 14L), (result.Updates, result.Tokens));
        Assert.Equal([-2, -5, -7, -2, -5, -7], means);
        Assert.Equal([28], model.Values);
        Assert.Equal([3, 6, 7, 10, 13, 14], reports.Select(report => report.Tokens));
    }

    [Fact]
    public async Task Hooks_see_gradients_before_clipping_and_parameters_after_the_update()
    {
        var model = new TestModule<double>([1, 2], [3]);
        var calls = new List<string>();
        var trainer = new Trainer<double>(model, new Sgd<double> { LearningRate = 1 })
        {
            MaxUpdates = 3,
            MaxGradientNorm = 1,
            NonFiniteGradients = NonFinitePolicy.SkipStep,
            AfterBackward = update =>
            {
                Assert.Same(model, update.Model);
                Assert.Equal([4, 4, 4], model.Gradients);
                Assert.Equal(12, update.Gradients.ToArray().Sum());
                calls.Add($"gradients {update.Number}");

                // As a sum over processes of which only this one has a gradient; the second is damaged on its way.
                update.Gradients.Clear();
                update.Gradients[0] = update.Number == 2 ? double.NaN : 0.5;
            },
            AfterUpdate = update =>
            {
                calls.Add($"update {update.Number} {update.IsSkipped} {string.Join(' ', model.Values)}");
                Assert.Equal(0, update.Gradients.ToArray().Sum());
                if (update.Number == 3)
                {
                    update.Model.Parameters.Last().Value[0] = 9;
                }
            },
        };
        var result = await trainer.FitAsync([1], _ => ((model.Parameters.First().Value.Sum() + model.Parameters.Last().Value.Sum()) * 4).Sum());
        Assert.Equal(
            ["gradients 1", "update 1 False 0.5 2 3", "gradients 2", "update 2 True 0.5 2 3", "gradients 3", "update 3 False 0 2 3"], calls);
        Assert.Equal([0, 2, 9], model.Values);
        Assert.Equal(1, result.SkippedUpdates);
    }

    [Fact]
    public async Task An_exception_in_a_hook_ends_the_training()
    {
        var model = new TestModule<double>([1]);
        var trainer = new Trainer<double>(model, new Sgd<double>()) { MaxUpdates = 3, AfterUpdate = _ => throw new InvalidDataException() };
        await Assert.ThrowsAsync<InvalidDataException>(() => trainer.FitAsync([1], _ => model.Parameters.First().Value.Sum()));
    }

    private static Sequential<double> Network() => new(new Linear<double>(3, 17, new() { Seed = 1 }), new Linear<double>(17, 2, new() { Seed = 2 }));

    private static double[] Values(Module<double> module) => [.. module.Parameters.SelectMany(parameter => parameter.Value.ToArray())];

    private static RowSource<double> Rows(int batchSize) => new(
        Tensor<double>.RandomNormal(new RandomSource(1), 0, 1, 60, 3), Tensor<double>.RandomNormal(new RandomSource(2), 0, 1, 60, 2), batchSize, new RandomSource(3));
}
