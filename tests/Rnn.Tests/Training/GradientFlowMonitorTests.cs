using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Training;

public class GradientFlowMonitorTests
{
    [Fact]
    public async Task A_monitor_measures_and_leaves_the_training_as_it_is_to_the_bit()
    {
        var (plain, _) = await TrainAsync(null);
        var seen = new List<long>();
        var (watched, monitor) = await TrainAsync(layer => new(layer, Input(), every: 3) { Measured = (update, _) => seen.Add(update), Next = new Reports() });
        Assert.Equal(plain, watched);
        Assert.Equal([0, 3, 6, 9], monitor!.Reports.Select(pair => pair.Key));
        Assert.Equal([3, 6, 9], seen);
        Assert.Equal(10, ((Reports)monitor.Next!).Count(report => report.ValidationLoss is null));
        Assert.Equal(2, ((Reports)monitor.Next!).Count(report => report.ValidationLoss is not null));
        Assert.NotEqual(monitor.Reports[0].Value.JacobianNorms[0], monitor.Reports[^1].Value.JacobianNorms[0]);
        Assert.Contains("after 9 updates", monitor.ToChart().ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_does_not_fit_is_refused_before_the_training()
    {
        Assert.StartsWith("input: expected [batch, steps, 2]", Assert.Throws<ArgumentException>(() => new GradientFlowMonitor<float>(new Gru<float>(2, 3), Tensor<float>.Ones(1, 2, 3), 1)).Message, StringComparison.Ordinal);
        Assert.StartsWith("every: expected 1 or more but got 0", Assert.Throws<ArgumentOutOfRangeException>(() => new GradientFlowMonitor<float>(new Gru<float>(2, 3), Tensor<float>.Ones(1, 2, 2), 0)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>(() => new GradientFlowMonitor<float>(new Gru<float>(2, 3), null!, 1));
    }

    // The batch is the monitor's own: what is written to the tensor later does not change what it measures.
    [Fact]
    public void The_batch_stays_the_same()
    {
        var (layer, x) = (new Gru<float>(2, 3, new() { Seed = 1 }), Input());
        var monitor = new GradientFlowMonitor<float>(layer, x, 1);
        x[0, 0, 0] = 100;
        monitor.Report(new() { Update = 1, Epoch = 1, Loss = 0, SmoothedLoss = 0, LearningRate = 1, GradientNorm = 0, Tokens = 1, TokensPerSecond = 1, Elapsed = TimeSpan.Zero });
        Assert.Equal(monitor.Reports[0].Value.StateGradients, monitor.Reports[1].Value.StateGradients);
    }

    private static Tensor<float> Input() => Tensor<float>.RandomNormal(new RandomSource(8), 0, 1, 2, 6, 2);

    private static async Task<(float[] Weights, GradientFlowMonitor<float>? Monitor)> TrainAsync(Func<SequenceLayer<float>, GradientFlowMonitor<float>>? watch)
    {
        var layer = new Gru<float>(2, 3, new() { Seed = 1, Layers = 2, Dropout = 0.3, RecurrentDropout = 0.2 });
        var monitor = watch?.Invoke(layer);
        var random = new RandomSource(9);
        var batches = Enumerable.Range(0, 5).Select(_ => Tensor<float>.RandomNormal(random, 0, 1, 4, 7, 2)).ToArray();
        var trainer = new Trainer<float>(layer, new Adam<float> { LearningRate = 0.05 }) { AccumulationSteps = 1 };
        await trainer.FitAsync(batches, batch => Loss.MeanSquaredError(layer.Forward(batch), Tensor<float>.Ones(4, 7, 3)), validation: batches[..1], epochs: 2, progress: monitor);
        return ([.. layer.Parameters.SelectMany(parameter => parameter.Value.ToArray())], monitor);
    }
}
