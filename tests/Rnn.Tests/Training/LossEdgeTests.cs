using System.Numerics;
using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Training;

public class LossEdgeTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(255)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(1.0000001)]
    public void A_target_that_is_no_probability_is_refused(double target)
    {
        Check<float>();
        Check<double>();

        void Check<T>()
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            foreach (var at in new[] { 0, 5, 36 })
            {
                var (logits, targets) = (Tensor<T>.Zeros(37), Tensor<T>.Zeros(37));
                targets[at] = T.CreateTruncating(target);
                var error = Assert.Throws<ArgumentException>(() => Loss.BinaryCrossEntropy(logits, targets));
                Assert.Contains("targets: expected numbers from 0 to 1 but got", error.Message);
                Assert.Contains($"at index {at}.", error.Message);
            }

            // Past the end of a row it may be anything.
            var ragged = Tensor<T>.Zeros(2, 2, 3);
            ragged[1, 1, 2] = T.CreateTruncating(target);
            Assert.Equal(Math.Log(2), double.CreateTruncating(Loss.BinaryCrossEntropy(Tensor<T>.Zeros(2, 2, 3), ragged, [2, 1]).Item()), 1e-6);
            Assert.Throws<ArgumentException>(() => Loss.BinaryCrossEntropy(Tensor<T>.Zeros(2, 2, 3), ragged, [2, 2]));
        }
    }

    // Sure answers: right costs nothing, wrong costs infinity, and nothing is 0·∞.
    [Fact]
    public void Infinite_scores_of_yes_or_no()
    {
        Check<float>();
        Check<double>();

        static void Check<T>()
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            // Alone, and often enough for whole vectors.
            foreach (var count in new[] { 1, 40 })
            {
                foreach (var (score, target, weight, loss, slope) in new[]
                {
                    (double.PositiveInfinity, 1.0, 1.0, 0.0, 0.0), (double.NegativeInfinity, 0, 1, 0, 0), (double.PositiveInfinity, 0, 1, double.PositiveInfinity, 1),
                    (double.NegativeInfinity, 1, 1, double.PositiveInfinity, -1), (double.NegativeInfinity, 1, 0, 0, 0), (double.PositiveInfinity, 1, 0, 0, 0),
                })
                {
                    var logits = Tensor<T>.Full(T.CreateTruncating(score), count);
                    logits.RequiresGradient = true;
                    var value = Loss.BinaryCrossEntropy(logits, Tensor<T>.Full(T.CreateTruncating(target), count), default, new() { PositiveWeights = [weight] });
                    value.Backward();
                    Assert.Equal(loss, double.CreateTruncating(value.Item()));
                    Assert.All(logits.Gradient!.ToArray(), gradient => Assert.Equal(slope / count, double.CreateTruncating(gradient), 1e-7));
                }
            }

            Assert.True(T.IsNaN(Loss.BinaryCrossEntropy(Tensor<T>.From([T.NaN]), Tensor<T>.From([T.One])).Item()));
            Assert.True(T.IsNaN(Loss.BinaryCrossEntropy(Tensor<T>.From([T.NaN]), Tensor<T>.From([T.Zero])).Item()));
        }
    }

    // A class that cannot be (a logit of −∞) and has no weight takes no part, with smoothing, as a target, in the fused form, and going back.
    [Theory]
    [InlineData(0, 2)]
    [InlineData(0.1, 2)]
    [InlineData(1, 2)]
    [InlineData(0.1, 0)]
    [InlineData(0, 0)]
    public void An_impossible_class_without_weight_takes_no_part(double smoothing, int target)
    {
        var options = new CrossEntropyOptions { LabelSmoothing = smoothing, ClassWeights = [0, 1, 2], Reduction = LossReduction.Sum };
        double[] scores = [double.NegativeInfinity, 0, 1];
        var logits = Tensor<double>.FromRows(scores);
        logits.RequiresGradient = true;
        var loss = Loss.CrossEntropy(logits, [target], options: options);
        loss.Backward();
        var logarithm = Math.Log(1 + Math.E);
        double[] weights = [0, 1, 2];
        double[] share = [.. weights.Select((weight, i) => weight * ((smoothing / 3) + (i == target ? 1 - smoothing : 0)))];
        Assert.Equal((share[1] * logarithm) + (share[2] * (logarithm - 1)), loss.Item(), 1e-14);
        double[] probabilities = [0, 1 / (1 + Math.E), Math.E / (1 + Math.E)];
        TestModule<double>.AssertClose([.. probabilities.Select((p, i) => (p * share.Sum()) - share[i])], logits.Gradient!.ToArray(), 1e-14);

        // The output layer masks the class by its bias.
        var layer = new Linear<double>(2, 3, new() { Seed = 1 });
        var (input, bias) = (Tensor<double>.FromRows([0.3, -0.2]), layer.Bias!.Value);
        input.RequiresGradient = true;
        bias[0] = double.NegativeInfinity;
        var fused = Loss.LinearCrossEntropy(input, layer, [target], options);
        var plain = Loss.CrossEntropy(layer.Forward(input), [target], options: options);
        Assert.True(double.IsFinite(fused.Item()));
        Assert.Equal(plain.Item(), fused.Item(), 1e-14);
        fused.Backward();
        Assert.All(layer.Parameters.SelectMany(parameter => parameter.Gradient!.ToArray()).Concat(input.Gradient!.ToArray()), gradient => Assert.True(double.IsFinite(gradient)));
    }

    [Fact]
    public void An_impossible_target_costs_infinity_with_a_finite_gradient()
    {
        var logits = Tensor<float>.FromRows([float.NegativeInfinity, 0, 0]);
        logits.RequiresGradient = true;
        var loss = Loss.CrossEntropy(logits, [0]);
        loss.Backward();
        Assert.Equal(float.PositiveInfinity, loss.Item());
        Assert.Equal([-1, 0.5f, 0.5f], logits.Gradient!.ToArray());
        Assert.Equal(float.PositiveInfinity, Loss.CrossEntropy(logits, [1], options: new() { LabelSmoothing = 0.1 }).Item());
        Assert.True(float.IsNaN(Loss.CrossEntropy(Tensor<float>.FromRows([float.NaN, 0, 0]), [1], options: new() { LabelSmoothing = 0.1, ClassWeights = [0, 1, 1] }).Item()));
    }

    [Fact]
    public void Targets_without_weight_leave_a_zero()
    {
        var logits = Tensor<double>.FromRows([double.NegativeInfinity, 1, 2]);
        logits.RequiresGradient = true;
        var loss = Loss.CrossEntropy(logits, [0], options: new() { ClassWeights = [0, 1, 1] });
        loss.Backward();
        Assert.Equal(0, loss.Item());
        Assert.Equal([0, 0, 0], logits.Gradient!.ToArray());
    }

    // A regression takes targets as they come: they may be the result of a network. What is not a number shows in the loss.
    [Fact]
    public void NaN_in_a_regression_is_seen()
    {
        var (x, y) = (Tensor<double>.From([1, 2]), Tensor<double>.From([1, double.NaN]));
        foreach (var loss in new[] { Loss.MeanSquaredError(x, y), Loss.MeanAbsoluteError(x, y), Loss.Huber(x, y), Loss.MeanSquaredError(y, x) })
        {
            Assert.True(double.IsNaN(loss.Item()));
        }
    }

    [Fact]
    public void Options_are_checked_when_they_are_made()
    {
        Refuses("delta: expected a finite number above zero but got 1E-50", () => Loss.Huber(Tensor<float>.Ones(1), Tensor<float>.Ones(1), 1e-50));
        Refuses("Reduction: expected one of the reductions of the list but got 9", () => new CrossEntropyOptions { Reduction = (LossReduction)9 }, () => new BinaryCrossEntropyOptions { Reduction = (LossReduction)9 });
        Refuses("ClassWeights: expected finite numbers of zero or more but class 1 has NaN", () => new CrossEntropyOptions { ClassWeights = [1, double.NaN] }, () => new CrossEntropyOptions() with { ClassWeights = [1, double.NaN] });
        Refuses("PositiveWeights: expected finite numbers of zero or more but feature 0 has -1", () => new BinaryCrossEntropyOptions { PositiveWeights = [-1] });
        Refuses("LabelSmoothing", () => new CrossEntropyOptions { LabelSmoothing = double.NaN }, () => new CrossEntropyOptions() with { LabelSmoothing = -0.1 });
        Assert.Contains("class 0 has 1E+300", Assert.Throws<ArgumentException>(() => Loss.CrossEntropy(Tensor<float>.Ones(1, 1), [0], options: new() { ClassWeights = [1e300] })).Message);
        Assert.Contains("feature 0 has 1E+300", Assert.Throws<ArgumentException>(() => Loss.BinaryCrossEntropy(Tensor<float>.Ones(1, 1), Tensor<float>.Ones(1, 1), options: new() { PositiveWeights = [1e300] })).Message);

        static void Refuses(string message, params Func<object>[] makes) =>
            Assert.All(makes, make => Assert.Contains(message, Assert.Throws<ArgumentOutOfRangeException>(make).Message));
    }

    // No share of the loss is a gradient of zero, not none: an optimiser and a test for "was it used" see the same as with the plain form.
    [Fact]
    public void A_gradient_of_zero_is_not_none()
    {
        var (input, layer, targets) = LinearCrossEntropyTests.Problem(4, 3, 5);
        (Loss.LinearCrossEntropy(input, layer, targets) * 0.0).Backward();
        Assert.Equal(new double[15], layer.Weight.Gradient!.ToArray());
        Assert.Equal(new double[5], layer.Bias!.Gradient!.ToArray());
        Assert.Equal(new double[12], input.Gradient!.ToArray());

        // Also where none of the targets counts.
        (input, layer, targets) = LinearCrossEntropyTests.Problem(4, 3, 5);
        Loss.LinearCrossEntropy(input, layer, [-100, -100, -100, -100]).Backward();
        Assert.Equal(new double[15], layer.Weight.Gradient!.ToArray());
    }

    // Sizes beyond an array are told before anything is allocated.
    [Fact]
    public void Sizes_beyond_an_array_are_told()
    {
        var sequences = Enumerable.Repeat(Array.Empty<int>(), 70_000).ToList();
        sequences[5] = new int[40_000];
        Refuses("70000 rows padded to 40000 steps are 2800000000 numbers", () => SequenceBatch.Pad(sequences), () => SequenceBatch.Bucket(sequences, 70_000).First());
        var features = Enumerable.Repeat(Tensor<float>.Zeros(0, 10), 70_000).ToList();
        features[5] = Tensor<float>.Zeros(4_000, 10);
        Refuses("70000 rows padded to 4000 steps of 10 features are 2800000000 numbers", () => FeatureBatch<float>.Pad(features), () => FeatureBatch<float>.Bucket(features, 70_000).First());
        sequences = Enumerable.Repeat(new int[2], 70_000).ToList();
        sequences[5] = new int[40_001];
        Refuses("70000 rows of windows of 40000 steps are 2800000000 tokens", () => new TokenSequenceSource(sequences, 70_000));
        Assert.Equal(70_000, new TokenSequenceSource(sequences, 70_000, steps: 10).Current.Rows);
        var layer = new Linear<float>(1, 40_000);
        Refuses("70000 steps of 40000 scores are 2800000000 numbers", () => Loss.LinearCrossEntropy(Tensor<float>.Zeros(70_000, 1), layer, new int[70_000]));

        static void Refuses(string message, params Func<object>[] makes) =>
            Assert.All(makes, make => Assert.Contains(message, Assert.Throws<ArgumentException>(make).Message));
    }
}
