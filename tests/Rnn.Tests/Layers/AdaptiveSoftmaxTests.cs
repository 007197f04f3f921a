using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Layers;

public sealed class AdaptiveSoftmaxTests
{
    private static readonly AdaptiveSoftmaxOptions Options = new() { Cutoffs = [4, 9], ProjectionDivisor = 2, Seed = 3 };

    [Fact]
    public void Probabilities_are_those_of_the_paper_and_sum_to_one()
    {
        var output = new AdaptiveSoftmax<double>(6, 17, Options);
        var input = Tensor<double>.RandomNormal(new RandomSource(1), 0, 1, 5, 6);
        var actual = output.Forward(input);
        Assert.Equal([5, 17], actual.Shape.Dimensions);
        for (var row = 0; row < 5; row++)
        {
            var x = Row(input, row);
            var head = Probabilities(Product(output.Head, x));
            var expected = new List<double>(head[..4]);
            for (var cluster = 0; cluster < 2; cluster++)
            {
                var inside = Probabilities(Product(output.Scores(cluster), Product(output.Projection(cluster), x)));
                expected.AddRange(inside.Select(p => p * head[4 + cluster]));
            }

            var found = Row(actual, row).Select(Math.Exp).ToArray();
            Assert.Equal(1, found.Sum(), 12);
            for (var c = 0; c < 17; c++)
            {
                Assert.Equal(expected[c], found[c], 12);
            }
        }
    }

    [Fact]
    public void Sizes_of_the_projections_shrink_and_names_are_those_of_PyTorch()
    {
        var output = new AdaptiveSoftmax<float>(64, 1500);
        Assert.Equal([100, 300], output.Cutoffs.ToArray());
        Assert.Equal(
            ["head.weight [102, 64]", "head.bias [102]", "tail.0.0.weight [16, 64]", "tail.0.1.weight [200, 16]", "tail.1.0.weight [4, 64]", "tail.1.1.weight [1200, 4]"],
            output.NamedParameters.Select(pair => $"{pair.Key} {pair.Value.Shape}"));
        Assert.Equal(1, new AdaptiveSoftmax<float>(2, 1500).Projection(1).OutputSize);
        Assert.Empty(new AdaptiveSoftmax<float>(2, 1).Cutoffs.ToArray());
    }

    [Fact]
    public void Without_clusters_it_is_the_full_softmax()
    {
        var output = new AdaptiveSoftmax<double>(6, 17, new() { Cutoffs = Array.Empty<int>(), Seed = 3 });
        var input = Tensor<double>.RandomNormal(new RandomSource(1), 0, 1, 5, 6);
        int[] targets = [0, 16, 3, -100, 9];
        Assert.Equal(output.Head.Forward(input).LogSoftmax().ToArray(), output.Forward(input).ToArray());
        Assert.Equal(Loss.LinearCrossEntropy(input, output.Head, targets).Item(), Loss.AdaptiveCrossEntropy(input, output, targets).Item(), 14);
    }

    [Theory]
    [InlineData(LossReduction.Mean)]
    [InlineData(LossReduction.Sum)]
    [InlineData(LossReduction.SumOverStepsMeanOverRows)]
    [InlineData(LossReduction.SumOverFeaturesMeanOverSteps)]
    public void The_loss_and_its_gradients_are_those_of_its_own_distribution(LossReduction reduction)
    {
        // Steps of every cluster, of one only, of none, and none at all.
        foreach (int[] targets in new int[][] { [0, 16, 4, -100, 9, 8], [10, 11, 12, 13, 14, 15], [0, 1, 2, 3, 0, 1], [-100, -100, -100, -100, -100, -100] })
        {
            var options = new CrossEntropyOptions { Reduction = reduction };
            var (expected, expectedGradients) = Run((input, output) => Loss.CrossEntropy(output.Forward(input), targets, options: options));
            var (actual, gradients) = Run((input, output) => Loss.AdaptiveCrossEntropy(input, output, targets, options));
            Assert.Equal(expected, actual, 12);
            for (var i = 0; i < gradients.Length; i++)
            {
                Assert.Equal(expectedGradients[i].Length, gradients[i].Length);
                Assert.All(gradients[i].Zip(expectedGradients[i]), pair => Assert.Equal(pair.Second, pair.First, 12));
            }
        }

        static (double Loss, double[][] Gradients) Run(Func<Tensor<double>, AdaptiveSoftmax<double>, Tensor<double>> loss)
        {
            var output = new AdaptiveSoftmax<double>(6, 17, Options);
            var input = Tensor<double>.RandomNormal(new RandomSource(1), 0, 1, 2, 3, 6);
            input.RequiresGradient = true;
            var value = loss(input, output);
            value.Backward();
            return (value.Item(), [input.Gradient!.ToArray(), .. output.Parameters.Select(parameter => parameter.Value.Gradient?.ToArray() ?? new double[parameter.Value.Length])]);
        }
    }

    [Fact]
    public void Gradients_are_those_of_finite_differences()
    {
        var output = new AdaptiveSoftmax<double>(6, 17, Options);
        var input = Tensor<double>.RandomNormal(new RandomSource(1), 0, 1, 2, 3, 6);
        int[] targets = [0, 16, 4, -100, 9, 8];
        Check(() => Loss.AdaptiveCrossEntropy(input, output, targets));
        Check(() => output.Forward(input).Gather([0, 16, 4, 5, 9, 8]).Square().Sum());

        void Check(Func<Tensor<double>> function)
        {
            var result = GradientCheck.Run(output, function, [new("input", input)]);
            Assert.True(result.Passed, result.ToString());
        }
    }

    [Fact]
    public void A_step_gives_what_the_forward_pass_gives_and_allocates_nothing()
    {
        var output = new AdaptiveSoftmax<float>(6, 17, Options);
        foreach (var rows in new[] { 1, 3 })
        {
            var input = Tensor<float>.RandomNormal(new RandomSource(1), 0, 1, rows, 6);
            var expected = output.Forward(input).ToArray();
            var (features, actual) = (input.ToArray(), new float[rows * 17]);
            output.StepRows(rows, features, actual);
            for (var i = 0; i < actual.Length; i++)
            {
                Assert.Equal(expected[i], actual[i], 5);
            }

            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var t = 0; t < 100; t++)
            {
                output.StepRows(rows, features, actual);
            }

            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        }
    }

    [Fact]
    public void No_steps_give_nothing()
    {
        var output = new AdaptiveSoftmax<double>(6, 17, Options);
        var input = Tensor<double>.Zeros(0, 4, 6);
        Assert.Equal([0, 4, 17], output.Forward(input).Shape.Dimensions);
        Assert.Equal(0, Loss.AdaptiveCrossEntropy(input, output, []).Item());
    }

    [Fact]
    public void It_comes_back_from_a_file()
    {
        var output = new Sequential<double>(new AdaptiveSoftmax<double>(6, 17, Options with { HeadBias = false }));
        using var file = new MemoryStream();
        output.Save(file);
        file.Position = 0;
        var opened = Module<double>.Open(file);
        Assert.Equal(output.ToString(), opened.ToString());
        var input = Tensor<double>.RandomNormal(new RandomSource(1), 0, 1, 5, 6);
        Assert.Equal(output.Forward(input).ToArray(), ((Sequential<double>)opened).Forward(input).ToArray());
    }

    [Fact]
    public void Wrong_input_is_named()
    {
        var output = new AdaptiveSoftmax<float>(6, 17, Options);
        var input = Tensor<float>.Zeros(2, 6);
        Assert.Contains("ascending numbers above 0 and below 17", Assert.Throws<ArgumentException>(() => new AdaptiveSoftmax<float>(6, 17, new() { Cutoffs = [4, 4] })).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new AdaptiveSoftmax<float>(6, 17, new() { Cutoffs = [17] }));
        Assert.Throws<ArgumentException>(() => new AdaptiveSoftmax<float>(6, 17, new() { Cutoffs = [0, 3] }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new AdaptiveSoftmax<float>(0, 17));
        Assert.Contains("1 or more", Assert.Throws<ArgumentOutOfRangeException>(() => new AdaptiveSoftmaxOptions { ProjectionDivisor = 0.5 }).Message, StringComparison.Ordinal);
        Assert.Contains("[..., 6]", Assert.Throws<ArgumentException>(() => Loss.AdaptiveCrossEntropy(Tensor<float>.Zeros(2, 5), output, [0, 0])).Message, StringComparison.Ordinal);
        Assert.Contains("2 targets", Assert.Throws<ArgumentException>(() => Loss.AdaptiveCrossEntropy(input, output, [0])).Message, StringComparison.Ordinal);
        Assert.Contains("target 1 is 17", Assert.Throws<ArgumentException>(() => Loss.AdaptiveCrossEntropy(input, output, [0, 17])).Message, StringComparison.Ordinal);
        Assert.Contains("LabelSmoothing", Assert.Throws<ArgumentException>(() => Loss.AdaptiveCrossEntropy(input, output, [0, 1], new() { LabelSmoothing = 0.1 })).Message, StringComparison.Ordinal);
    }

    private static double[] Row(Tensor<double> tensor, int row) => tensor.ToArray()[(row * tensor.Shape[1])..((row + 1) * tensor.Shape[1])];

    private static double[] Product(Linear<double> layer, double[] x) =>
        [.. Enumerable.Range(0, layer.OutputSize).Select(o => (layer.Bias?.Value[o] ?? 0) + x.Select((value, i) => value * layer.Weight.Value[o, i]).Sum())];

    private static double[] Probabilities(double[] scores)
    {
        var sum = scores.Sum(Math.Exp);
        return [.. scores.Select(score => Math.Exp(score) / sum)];
    }
}
