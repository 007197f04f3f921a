using System.Numerics;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Training;

public class ElementLossTests
{
    public static TheoryData<string, int, LossReduction> Cases()
    {
        var data = new TheoryData<string, int, LossReduction>();
        foreach (var name in new[] { "squared", "absolute", "huber", "quantile", "quantiles", "binary", "weighted" })
        {
            foreach (var features in new[] { 1, 3, 17, 37, 129 })
            {
                data.Add(name, features, (LossReduction)((features + name.Length) % 4));
            }

            data.Add(name, 700, LossReduction.Mean);
        }

        return data;
    }

    // Against the definition, written out in double, for ragged batches.
    [Theory]
    [MemberData(nameof(Cases))]
    public void Ragged_batches_follow_the_definition(string name, int features, LossReduction reduction)
    {
        // The gradient of a leaf is added to, that of a value in between is written first.
        foreach (var leaf in new[] { true, false })
        {
            Check<double>(name, features, reduction, leaf, 1e-13);
            Check<float>(name, features, reduction, leaf, 2e-6);
        }
    }

    [Fact]
    public void Without_steps_every_element_counts()
    {
        var (x, y) = (Tensor<double>.From([1, 2, 4]), Tensor<double>.From([1, 0, 1]));
        Assert.Equal(13.0 / 3, Loss.MeanSquaredError(x, y).Item(), 1e-15);
        Assert.Equal(13.0 / 3, Loss.MeanSquaredError(x, y, reduction: LossReduction.SumOverStepsMeanOverRows).Item(), 1e-15);
        Assert.Equal(4, Loss.MeanSquaredError(Tensor<double>.Scalar(3), Tensor<double>.Scalar(1)).Item());
        var (rows, zeros) = (Tensor<double>.FromRows([1, 2], [3, 4]), Tensor<double>.Zeros(2, 2));
        Assert.Equal(2.5, Loss.MeanAbsoluteError(rows, zeros).Item());
        Assert.Equal(5, Loss.MeanAbsoluteError(rows, zeros, reduction: LossReduction.SumOverFeaturesMeanOverSteps).Item());
        Assert.Equal(5, Loss.MeanAbsoluteError(rows, zeros, reduction: LossReduction.SumOverStepsMeanOverRows).Item());
        Assert.Equal(0, Loss.MeanSquaredError(Tensor<double>.Zeros(0, 4), Tensor<double>.Zeros(0, 4)).Item());
    }

    [Fact]
    public void Gradients_flow_into_both_sides()
    {
        var (x, y) = (Tensor<double>.From([1, 5, 2]), Tensor<double>.From([2, 2, 2]));
        y.RequiresGradient = true;
        Loss.MeanSquaredError(x, y, reduction: LossReduction.Sum).Backward();
        Assert.Equal([2, -6, 0], y.Gradient!.ToArray());
        y.ZeroGradient();
        Loss.MeanAbsoluteError(y, y).Backward();
        Assert.Equal([0, 0, 0], y.Gradient!.ToArray());
        x.RequiresGradient = true;
        y.ZeroGradient();
        Loss.Huber(x, y, 2, reduction: LossReduction.Sum).Backward();
        Assert.Equal([-1, 2, 0], x.Gradient!.ToArray());
        Assert.Equal([1, -2, 0], y.Gradient!.ToArray());
    }

    [Fact]
    public void A_quantile_loss_is_least_at_the_quantile_and_flows_into_both_sides()
    {
        var y = Tensor<double>.From([.. Enumerable.Range(1, 100).Select(i => (double)i)]);
        var best = Enumerable.Range(1, 100).MinBy(i => Loss.Quantile(Tensor<double>.Full(i, 100), y, 0.8).Item());
        Assert.InRange(best, 80, 81);
        var (x, target) = (Tensor<double>.FromRows([1, 5, 2], [1, 3, 2]), Tensor<double>.From([2, 3]));
        (x.RequiresGradient, target.RequiresGradient) = (true, true);
        Loss.Quantile(x, target, [0.25, 0.5, 0.9], reduction: LossReduction.Sum).Backward();
        Assert.Equal([-0.25, 0.5, 0, -0.25, 0, -0.9], x.Gradient!.ToArray(), (a, b) => Math.Abs(a - b) < 1e-15);
        Assert.Equal([-0.25, 1.15], target.Gradient!.ToArray(), (a, b) => Math.Abs(a - b) < 1e-15);
    }

    // Neither side of the answer loses its small loss: e^−x for a sure and right one.
    [Fact]
    public void Binary_losses_keep_their_digits()
    {
        foreach (var (score, target, loss, slope) in new[]
        {
            (-50.0, 0.0, Math.Exp(-50), Math.Exp(-50)), (50, 1, Math.Exp(-50), -Math.Exp(-50)), (800, 0, 800, 1), (-800, 1, 800, -1), (0, 0.5, Math.Log(2), 0),
        })
        {
            var logit = Tensor<double>.From([score]);
            logit.RequiresGradient = true;
            var value = Loss.BinaryCrossEntropy(logit, Tensor<double>.From([target]));
            value.Backward();
            Assert.Equal(loss, value.Item(), 1e-15 * loss);
            Assert.Equal(slope, logit.Gradient!.Item(), 1e-15 * Math.Abs(slope));
        }
    }

    [Fact]
    public void Wrong_input_is_explained()
    {
        var (x, y) = (Tensor<float>.Ones(2, 3), Tensor<float>.Ones(3, 2));
        Refuses("target: expected the shape of prediction, [2, 3], but got [3, 2]", () => Loss.MeanSquaredError(x, y));
        Refuses("targets: expected the shape of logits, [2, 3], but got [3, 2]", () => Loss.BinaryCrossEntropy(x, y));
        Refuses("lengths: they cut steps, but prediction is [2, 3]", () => Loss.MeanAbsoluteError(x, x, [1, 2]));
        Refuses("delta: expected a finite number above zero but got 0", () => Loss.Huber(x, x, 0));
        Refuses("PositiveWeights: expected 1 or 3 weights, one for each feature of logits [2, 3], but got 2", () => Loss.BinaryCrossEntropy(x, x, options: new() { PositiveWeights = [1, 2] }));
        Refuses("PositiveWeights: expected finite numbers of zero or more but feature 1 has NaN", () => Loss.BinaryCrossEntropy(x, x, options: new() { PositiveWeights = [1, double.NaN, 1] }));
        Refuses("quantile: expected a number above 0 and below 1 but got 1", () => Loss.Quantile(x, x, 1));
        Refuses("quantiles: expected a number above 0 and below 1 but got NaN", () => Loss.Quantile(x, Tensor<float>.Ones(2), [0.1, double.NaN, 0.9]));
        Refuses("prediction: expected [2, 2], the shape of target and behind it one prediction for each quantile, but got [2, 3]", () => Loss.Quantile(x, Tensor<float>.Ones(2), [0.1, 0.9]));
        Refuses("expected [2, 3, 0]", () => Loss.Quantile(x, x, []));
        Refuses("expected one of the reductions", () => Loss.MeanSquaredError(x, x, reduction: (LossReduction)9));
        y = Tensor<float>.Ones(2, 3);
        y.RequiresGradient = true;
        Refuses("targets: no gradient flows into them; pass targets.Detach()", () => Loss.BinaryCrossEntropy(x, y));

        static void Refuses(string message, Action action) => Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(action).Message);
    }

    private static void Check<T>(string name, int features, LossReduction reduction, bool leaf, double tolerance)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var random = new RandomSource((ulong)features);
        int[] lengths = [2, 0, 4, 1];
        var x = Tensor<T>.RandomNormal(random, 0, 3, 4, 4, features);
        var y = name is "binary" or "weighted" ? Tensor<T>.RandomUniform(random, 0, 1, 4, 4, features) : Tensor<T>.RandomNormal(random, 0, 3, 4, 4, features);

        // What lies past the end of a row must not matter.
        x[1, 0, 0] = T.NaN;
        y[0, 2, features - 1] = T.PositiveInfinity;
        x.RequiresGradient = true;
        var weights = Enumerable.Range(0, features).Select(_ => random.NextDouble() * 3).ToArray();
        var quantiles = weights.Select(weight => 0.01 + (weight * 0.32)).ToArray();
        var given = leaf ? x : -(-x);
        var loss = name switch
        {
            "squared" => Loss.MeanSquaredError(given, y, lengths, reduction),
            "absolute" => Loss.MeanAbsoluteError(given, y, lengths, reduction),
            "huber" => Loss.Huber(given, y, 0.7, lengths, reduction),
            "quantile" => Loss.Quantile(given, y, 0.8, lengths, reduction),
            "quantiles" => Loss.Quantile(given, y.Select(-1, 0), quantiles, lengths, reduction),
            "binary" => Loss.BinaryCrossEntropy(given, y, lengths, new() { Reduction = reduction }),
            _ => Loss.BinaryCrossEntropy(given, y, lengths, new() { Reduction = reduction, PositiveWeights = weights }),
        };
        (loss * T.CreateTruncating(2)).Backward();

        var divisor = reduction switch { LossReduction.Mean => 7.0 * features, LossReduction.Sum => 1, LossReduction.SumOverStepsMeanOverRows => 4, _ => 7 };
        var (sum, expected) = (0.0, new double[x.Length]);
        for (var i = 0; i < x.Length; i++)
        {
            if (i / features % 4 >= lengths[i / features / 4])
            {
                continue;
            }

            var (a, b, w) = (double.CreateTruncating(x.AsReadOnlySpan()[i]), double.CreateTruncating(y.AsReadOnlySpan()[i]), weights[i % features]);
            b = name == "quantiles" ? double.CreateTruncating(y.AsReadOnlySpan()[i / features * features]) : b;
            var q = name == "quantile" ? 0.8 : quantiles[i % features];
            var (d, s) = (a - b, 1 / (1 + Math.Exp(-a)));
            var (value, slope) = name switch
            {
                "squared" => (d * d, 2 * d),
                "absolute" => (Math.Abs(d), Math.Sign(d)),
                "huber" => Math.Abs(d) <= 0.7 ? (d * d / 2, d) : (0.7 * (Math.Abs(d) - 0.35), 0.7 * Math.Sign(d)),
                "quantile" or "quantiles" => (d < 0 ? -q * d : (1 - q) * d, d < 0 ? -q : 1 - q),
                "binary" => (-(b * Math.Log(s)) - ((1 - b) * Math.Log(1 - s)), s - b),
                _ => (-(w * b * Math.Log(s)) - ((1 - b) * Math.Log(1 - s)), ((1 - b) * s) - (w * b * (1 - s))),
            };
            sum += value;
            expected[i] = 2 * slope / divisor;
        }

        TestModule<T>.AssertClose([sum / divisor], [double.CreateTruncating(loss.Item())], tolerance);
        TestModule<T>.AssertClose(expected, [.. x.Gradient!.ToArray().Select(double.CreateTruncating)], tolerance);
    }
}
