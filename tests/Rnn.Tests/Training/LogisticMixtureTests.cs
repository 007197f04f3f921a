using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;
using Rnn.Tests.Layers;

namespace Rnn.Tests.Training;

/// <summary>The mixture of discretised logistics against differences of the distribution function, written plainly.</summary>
public sealed class LogisticMixtureTests
{
    [Theory]
    [InlineData(1, 2)]
    [InlineData(1, 256)]
    [InlineData(3, 17)]
    [InlineData(10, 256)]
    public void Probabilities_are_the_masses_of_intervals_and_sum_to_one(int components, int levels)
    {
        var random = new RandomSource(3);
        for (var round = 0; round < 20; round++)
        {
            var parameters = Parameters(random, components);
            var sum = 0.0;
            for (var level = 0; level < levels; level++)
            {
                var found = Math.Exp(LogisticMixture.LogProbability<double>(parameters, level, levels));
                Assert.Equal(Mass(parameters, level, levels), found, 1e-13);
                sum += found;
            }

            Assert.Equal(1, sum, 1e-12);
        }
    }

    // Where the plain difference of two distribution functions is 0 − 0 or 1 − 1.
    [Theory]
    [InlineData(-0.9, -7.0, 250)]
    [InlineData(0.9, -7.0, 5)]
    public void Masses_far_out_keep_their_digits(double mean, double logScale, int level)
    {
        // σ is eˣ there but for e²ˣ: the logarithm is that of the nearer end of the interval, less what the further end takes away.
        var found = LogisticMixture.LogProbability<double>([0.0, mean, logScale], level, 256);
        var nearer = Math.Abs((2.0 * level / 255) - 1 - mean) - (1.0 / 255);
        Assert.Equal((-nearer / Math.Exp(logScale)) + Math.Log(1 - Math.Exp(-2.0 / 255 / Math.Exp(logScale))), found, 1e-9);

        // Far out a mass falls like e^−|x|/s.
        var scale = Math.Exp(logScale);
        var next = LogisticMixture.LogProbability<double>([0.0, mean, logScale], level + (mean < 0 ? 1 : -1), 256);
        Assert.Equal(-2.0 / 255 / scale, next - found, 1e-9 * Math.Abs(found));
    }

    [Fact]
    public void A_narrow_component_has_all_its_mass_in_one_interval()
    {
        double[] parameters = [0.0, (2.0 * 100 / 255) - 1, -25.0];
        Assert.Equal(0, LogisticMixture.LogProbability<double>(parameters, 100, 256), 1e-12);
        Assert.True(LogisticMixture.LogProbability<double>(parameters, 101, 256) < -1e6);
        parameters[2] = -1e6;
        Assert.True(double.IsFinite(LogisticMixture.LogProbability<double>(parameters, 200, 256)));
        parameters[2] = 20;
        Assert.InRange(LogisticMixture.LogProbability<double>(parameters, 100, 65536), -40, -10);
    }

    [Theory]
    [InlineData(LossReduction.Mean)]
    [InlineData(LossReduction.Sum)]
    public void Loss_and_gradients_are_those_of_the_formula(LossReduction reduction)
    {
        var random = new RandomSource(5);
        var parameters = Tensor<double>.From([.. Enumerable.Range(0, 3 * 5).SelectMany(_ => Parameters(random, 4))], 3, 5, 12);
        int[] targets = [0, 255, 17, -100, 3, 128, 250, 1, 254, 99, 100, -100, -100, 60, 127];
        var loss = LogisticMixture.Loss(parameters, targets, 256, reduction);
        var expected = -Enumerable.Range(0, 15).Where(row => targets[row] >= 0).Sum(row => Math.Log(Mass(parameters.AsReadOnlySpan().Slice(row * 12, 12), targets[row], 256)));
        Assert.Equal(reduction == LossReduction.Mean ? expected / 12 : expected, loss.Item(), 1e-10);
        parameters.RequiresGradient = true;
        var check = GradientCheck.Run(() => LogisticMixture.Loss(parameters, targets, 256, reduction), [("parameters", parameters)]);
        Assert.True(check.Passed, check.ToString());
        parameters.ZeroGradient();
        LogisticMixture.Loss(parameters, targets, 256, reduction).Backward();
        Assert.All(parameters.Gradient!.AsReadOnlySpan().Slice(3 * 12, 12).ToArray(), value => Assert.Equal(0, value));
    }

    [Fact]
    public void The_number_of_threads_changes_no_bit()
    {
        LayerSteps.SameForThreads(Run);

        float[] Run()
        {
            var parameters = Tensor<float>.RandomNormal(new RandomSource(2), 0, 1, 1000, 9);
            parameters.RequiresGradient = true;
            var loss = LogisticMixture.Loss(parameters, [.. Enumerable.Range(0, 1000)], 1000);
            loss.Backward();
            return [loss.Item(), .. parameters.Gradient!.ToArray()];
        }
    }

    [Fact]
    public void Samples_come_as_often_as_their_probabilities_say()
    {
        double[] parameters = [0.5, -0.3, -0.6, 0.7, -1.5, -0.5];
        var (random, counts) = (new RandomSource(4), new int[16]);
        for (var i = 0; i < 40_000; i++)
        {
            counts[LogisticMixture.Sample<double>(parameters, 16, random)]++;
        }

        for (var level = 0; level < 16; level++)
        {
            var p = Math.Exp(LogisticMixture.LogProbability<double>(parameters, level, 16));
            Assert.InRange(counts[level] / 40_000.0, p - (5 * Math.Sqrt(p / 40_000)) - 1e-4, p + (5 * Math.Sqrt(p / 40_000)) + 1e-4);
        }

        // Without temperature the means of the components, and nothing allocated.
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            var level = LogisticMixture.Sample<double>(parameters, 16, random, temperature: 0);
            if (level is not (3 or 13))
            {
                Assert.Fail($"{level}");
            }
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Mistakes_are_named()
    {
        var parameters = Tensor<double>.Zeros(2, 6);
        Contains("targets: expected 2 levels, one for each row of parameters [2, 6], but got 3", () => LogisticMixture.Loss(parameters, [0, 1, 2], 256));
        Contains("targets: expected levels from 0 to 255, or -100 for steps that do not count, but got 256", () => LogisticMixture.Loss(parameters, [0, 256], 256));
        Contains("parameters: expected [..., 3·components] but got [2, 5]", () => LogisticMixture.Loss(Tensor<double>.Zeros(2, 5), [0, 1], 256));
        Contains("levels: expected 2 or more but got 1", () => LogisticMixture.Loss(parameters, [0, 0], 1));
        Contains("reduction: expected Mean or Sum", () => LogisticMixture.Loss(parameters, [0, 0], 256, LossReduction.SumOverStepsMeanOverRows));
        Contains("level: expected a level from 0 to 3 but got 4", () => LogisticMixture.LogProbability<double>([0.0, 0, 0], 4, 4));
        Contains("parameters: expected 3 numbers for each component but got 4", () => LogisticMixture.Sample<double>([0.0, 0, 0, 0], 4, new RandomSource(1)));
        Contains("has the model diverged?", () => LogisticMixture.Sample<double>([0.0, double.NaN, 0], 4, new RandomSource(1)));
        Assert.Equal(0, LogisticMixture.Loss(parameters, [SequencePairBatch.Ignored, SequencePairBatch.Ignored], 256).Item());
    }

    private static void Contains(string message, Func<object> action) => Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(action).Message, StringComparison.Ordinal);

    private static double[] Parameters(RandomSource random, int components) =>
    [
        .. Enumerable.Range(0, components).Select(_ => random.NextNormal()),
        .. Enumerable.Range(0, components).Select(_ => (2.4 * random.NextDouble()) - 1.2),
        .. Enumerable.Range(0, components).Select(_ => -4 * random.NextDouble()),
    ];

    private static double Mass(ReadOnlySpan<double> parameters, int level, int levels)
    {
        var components = parameters.Length / 3;
        var (total, mass) = (0.0, 0.0);
        for (var m = 0; m < components; m++)
        {
            var (weight, mean, scale) = (Math.Exp(parameters[m]), parameters[components + m], Math.Exp(parameters[(2 * components) + m]));
            var upper = level == levels - 1 ? 1 : 1 / (1 + Math.Exp(-(((2.0 * level) + 1) / (levels - 1) - 1 - mean) / scale));
            var lower = level == 0 ? 0 : 1 / (1 + Math.Exp(-(((2.0 * level) - 1) / (levels - 1) - 1 - mean) / scale));
            mass += weight * (upper - lower);
            total += weight;
        }

        return mass / total;
    }
}
