using System.Numerics;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Training;

public class CrossEntropyTests
{
    public static TheoryData<int, int, LossReduction, bool, bool> Cases()
    {
        var data = new TheoryData<int, int, LossReduction, bool, bool>();
        var turn = 0;
        foreach (var classes in new[] { 1, 2, 3, 16, 17, 37, 65, 129 })
        {
            foreach (var reduction in Enum.GetValues<LossReduction>())
            {
                data.Add(classes, 1 + (turn % 5), reduction, turn % 2 == 0, turn % 3 == 0);
                turn++;
            }
        }

        return data;
    }

    // Against the definition, written out in double, for ragged batches with ignored steps.
    [Theory]
    [MemberData(nameof(Cases))]
    public void Ragged_batches_follow_the_definition(int classes, int steps, LossReduction reduction, bool weighted, bool smoothed)
    {
        // The gradient of a leaf is added to, that of a value in between is written first.
        foreach (var leaf in new[] { true, false })
        {
            Check<double>(classes, steps, reduction, weighted, smoothed, leaf, 1e-13);
            Check<float>(classes, steps, reduction, weighted, smoothed, leaf, 3e-6);
        }
    }

    [Fact]
    public void Extreme_logits_lose_nothing()
    {
        var logits = Tensor<float>.FromRows([1e30f, 0, -1e30f], [-1e30f, -1e30f, -1e30f], [0, 40, 0], [200, 100, 0], [float.NegativeInfinity, 0, 0]);
        logits.RequiresGradient = true;
        var loss = Loss.CrossEntropy(logits, [0, 2, 1, 1, 2], options: new() { Reduction = LossReduction.Sum });
        loss.Backward();
        Assert.Equal(0 + Math.Log(3) + 2 * Math.Exp(-40) + 100 + Math.Log(2), loss.Item(), 1e-5);
        var third = 1f / 3;
        float[] expected = [0, 0, 0, third, third, third - 1, 0, 0, 0, 1, -1, 0, 0, 0.5f, -0.5f];
        Assert.All(expected.Zip(logits.Gradient!.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
    }

    // The loss of an almost certain right answer is as exact as its size allows, not lost in log Σ eˣ − x.
    [Fact]
    public void Small_losses_keep_their_digits()
    {
        var logits = Tensor<double>.FromRows([1000, 1000 - 30]);
        Assert.Equal(Math.Exp(-30), Loss.CrossEntropy(logits, [0]).Item(), 1e-15 * Math.Exp(-30) + 1e-16);
    }

    [Fact]
    public void Where_nothing_counts_the_loss_is_zero()
    {
        var logits = Tensor<double>.Ones(2, 3, 4);
        logits.RequiresGradient = true;
        foreach (var reduction in Enum.GetValues<LossReduction>())
        {
            var loss = Loss.CrossEntropy(logits, [-100, -100, -100, 9, 9, 9], [3, 0], new() { Reduction = reduction });
            loss.Backward();
            Assert.Equal(0, loss.Item());
            Assert.All(logits.Gradient!.ToArray(), gradient => Assert.Equal(0, gradient));
        }

        Assert.Equal(0, Loss.CrossEntropy(Tensor<double>.Zeros(0, 5), []).Item());
    }

    [Fact]
    public void NaN_is_seen()
    {
        var logits = Tensor<float>.FromRows([0, float.NaN, 0]);
        Assert.True(float.IsNaN(Loss.CrossEntropy(logits, [0]).Item()));
    }

    [Fact]
    public void Gradients_add_up_where_two_losses_meet()
    {
        var logits = Tensor<double>.FromRows([1, 2, 3], [3, 1, 0]);
        logits.RequiresGradient = true;
        (Loss.CrossEntropy(logits, [0, -100]) + Loss.CrossEntropy(logits * 2, [1, 2])).Backward();
        var both = logits.Gradient!.ToArray();
        logits.ZeroGradient();
        Loss.CrossEntropy(logits, [0, -100]).Backward();
        Loss.CrossEntropy(logits * 2, [1, 2]).Backward();
        TestModule<double>.AssertClose(logits.Gradient!.ToArray(), both, 1e-15);
    }

    [Fact]
    public void A_kept_graph_gives_the_same_gradients_again()
    {
        var logits = Tensor<double>.FromRows([1, 2, 3], [3, 1, 0]);
        logits.RequiresGradient = true;
        var loss = Loss.CrossEntropy(-logits, [0, 2]);
        loss.Backward(keepGraph: true);
        var once = logits.Gradient!.ToArray();
        loss.Backward();
        TestModule<double>.AssertClose([.. once.Select(gradient => 2 * gradient)], logits.Gradient!.ToArray(), 1e-15);
    }

    [Fact]
    public void Wrong_input_is_explained()
    {
        var logits = Tensor<float>.Ones(2, 3, 4);
        Refuses("targets: expected 6 targets, one for each step of logits [2, 3, 4], but got 2", () => Loss.CrossEntropy(logits, [0, 1]));
        Refuses("targets: expected 0 to 3, or -100 to ignore a step, but got 4 at index 5", () => Loss.CrossEntropy(logits, [0, 0, 0, 0, 0, 4]));
        Refuses("targets: expected 0 to 3, or -1 to ignore a step, but got -100 at index 0", () => Loss.CrossEntropy(logits, [-100, -1, 0, 0, 0, 0], options: new() { IgnoreIndex = -1 }));
        Refuses("lengths: expected 2 lengths, one for each row of logits [2, 3, 4], but got 1", () => Loss.CrossEntropy(logits, new int[6], [3]));
        Refuses("lengths: expected 0 to 3 steps but row 1 has 4", () => Loss.CrossEntropy(logits, new int[6], [3, 4]));
        Refuses("lengths: they cut steps, but logits is [2, 4]", () => Loss.CrossEntropy(Tensor<float>.Ones(2, 4), new int[2], [1, 1]));
        Refuses("logits: expected […, classes] with one class or more but got [2, 0]", () => Loss.CrossEntropy(Tensor<float>.Ones(2, 0), new int[2]));
        Refuses("logits: expected […, classes] with one class or more but got []", () => Loss.CrossEntropy(Tensor<float>.Ones(), [0]));
        Refuses("ClassWeights: expected 4 weights, one for each class of logits [2, 3, 4], but got 1", () => Loss.CrossEntropy(logits, new int[6], options: new() { ClassWeights = [1] }));
        Refuses("ClassWeights: expected finite numbers of zero or more but class 2 has -1", () => Loss.CrossEntropy(logits, new int[6], options: new() { ClassWeights = [1, 0, -1, 1] }));
        Refuses("LabelSmoothing: expected a number from 0 to 1 but got 1.5", () => _ = new CrossEntropyOptions { LabelSmoothing = 1.5 });

        static void Refuses(string message, Action action) => Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(action).Message);
    }

    private static void Check<T>(int classes, int steps, LossReduction reduction, bool weighted, bool smoothed, bool leaf, double tolerance)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        const int Rows = 3;
        var random = new RandomSource((ulong)(classes + (steps * 1000)));
        var logits = Tensor<T>.RandomNormal(random, 0, 4, Rows, steps, classes);
        logits.RequiresGradient = true;
        var targets = Enumerable.Range(0, Rows * steps).Select(i => i % 4 == 1 ? -7 : random.Next(classes)).ToArray();
        int[] lengths = [steps, steps / 2, 0];
        var weights = weighted ? Enumerable.Range(0, classes).Select(_ => random.NextDouble() + 0.1).ToArray() : null;
        var options = new CrossEntropyOptions { Reduction = reduction, IgnoreIndex = -7, LabelSmoothing = smoothed ? 0.3 : 0, ClassWeights = weights };
        var loss = Loss.CrossEntropy(leaf ? logits : -(-logits), targets, lengths, options);
        (loss * T.CreateTruncating(3)).Backward();

        var x = logits.ToArray().Select(double.CreateTruncating).ToArray();
        var (sum, divisor, gradient) = (0.0, 0.0, new double[x.Length]);
        for (var i = 0; i < targets.Length; i++)
        {
            if (targets[i] < 0 || i % steps >= lengths[i / steps])
            {
                continue;
            }

            var row = x[(i * classes)..((i + 1) * classes)];
            var exponentials = row.Select(value => Math.Exp(value - row.Max())).ToArray();
            var probabilities = exponentials.Select(value => value / exponentials.Sum()).ToArray();
            var weight = weights?[targets[i]] ?? 1;
            divisor += reduction == LossReduction.Mean ? weight : 1;
            for (var c = 0; c < classes; c++)
            {
                var share = ((1 - options.LabelSmoothing) * (c == targets[i] ? weight : 0)) + (options.LabelSmoothing / classes * (weights?[c] ?? 1));
                sum -= share * Math.Log(probabilities[c]);
                for (var j = 0; j < classes; j++)
                {
                    gradient[(i * classes) + j] += share * (probabilities[j] - (j == c ? 1 : 0));
                }
            }
        }

        divisor = reduction switch { LossReduction.Sum => 1, LossReduction.SumOverStepsMeanOverRows => Rows, _ => Math.Max(divisor, 1e-300) };
        TestModule<T>.AssertClose([sum / divisor], [double.CreateTruncating(loss.Item())], tolerance);
        TestModule<T>.AssertClose(
            [.. gradient.Select(value => 3 * value / divisor)], [.. logits.Gradient!.ToArray().Select(double.CreateTruncating)], tolerance);
    }

    [Fact]
    public void Scores_of_one_dimension_are_one_row()
    {
        var logits = Tensor<double>.From([0.5, -1, 2]);
        var expected = Loss.CrossEntropy(logits.Unsqueeze(0), [1]).Item();
        foreach (var reduction in new[] { LossReduction.Mean, LossReduction.Sum, LossReduction.SumOverStepsMeanOverRows })
        {
            Assert.Equal(expected, Loss.CrossEntropy(logits, [1], options: new() { Reduction = reduction }).Item(), 15);
            var layer = new Rnn.Layers.Linear<double>(3, 3, new() { WeightInitializer = Rnn.Layers.Initializer.Identity });
            Assert.Equal(expected, Loss.LinearCrossEntropy(logits, layer, [1], new() { Reduction = reduction }).Item(), 14);
        }
    }
}
