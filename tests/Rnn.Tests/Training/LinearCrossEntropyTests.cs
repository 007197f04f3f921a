using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Training;

public class LinearCrossEntropyTests
{
    public static TheoryData<int, int, int> Sizes => new()
    {
        { 1, 1, 1 }, { 3, 17, 2 }, { 37, 5, 129 }, { 129, 37, 65 }, { 50, 3, 3000 }, { 0, 3, 4 },
    };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void It_is_the_cross_entropy_of_the_layers_scores(int rows, int inputs, int classes)
    {
        foreach (var options in Options(classes))
        {
            var (expected, expectedGradients) = Run(rows, inputs, classes, options, fused: false);
            var (actual, gradients) = Run(rows, inputs, classes, options, fused: true);
            Assert.Equal(expected, actual, 1e-12 * Math.Max(1, Math.Abs(expected)));
            for (var i = 0; i < gradients.Length; i++)
            {
                for (var j = 0; j < gradients[i].Length; j++)
                {
                    Assert.Equal(expectedGradients[i][j], gradients[i][j], 1e-12);
                }
            }
        }
    }

    [Fact]
    public void One_and_two_threads_give_the_same_bits()
    {
        var before = Workers.MaxThreads;
        try
        {
            Workers.MaxThreads = 1;
            var (one, oneGradients) = Run(300, 64, 500, new(), fused: true);
            Workers.MaxThreads = 2;
            var (two, twoGradients) = Run(300, 64, 500, new(), fused: true);
            Assert.Equal(one, two);
            Assert.Equal(oneGradients, twoGradients);
        }
        finally
        {
            Workers.MaxThreads = before;
        }
    }

    [Fact]
    public void Gradients_follow_the_gradient_of_the_loss_and_a_kept_graph_gives_them_again()
    {
        var (input, layer, targets) = Problem(7, 3, 5);
        var loss = Loss.LinearCrossEntropy(input, layer, targets);
        loss.Backward(keepGraph: true);
        var once = input.Gradient!.ToArray();
        var weight = layer.Weight.Gradient!.ToArray();
        (loss * 0.0).Backward(keepGraph: true);
        Assert.Equal(once, input.Gradient!.ToArray());
        (loss * -3.0).Backward();
        Assert.All(Enumerable.Range(0, once.Length), i => Assert.Equal(-2 * once[i], input.Gradient![i / 3, i % 3], 1e-15));
        Assert.All(Enumerable.Range(0, weight.Length), i => Assert.Equal(-2 * weight[i], layer.Weight.Gradient![i / 3, i % 3], 1e-15));
    }

    [Fact]
    public void Wrong_shapes_and_targets_are_refused()
    {
        var (input, layer, targets) = Problem(4, 3, 5);
        Assert.Contains("input: expected [..., 3] but got [4, 2]", Error(() => Loss.LinearCrossEntropy(Tensor<double>.Zeros(4, 2), layer, targets)), StringComparison.Ordinal);
        Assert.Contains("targets: expected 4 targets", Error(() => Loss.LinearCrossEntropy(input, layer, targets.AsSpan(1))), StringComparison.Ordinal);
        Assert.Contains("got 5 at index 0", Error(() => Loss.LinearCrossEntropy(input, layer, [5, 0, 0, 0])), StringComparison.Ordinal);
        static string Error(Func<object> make) => Assert.ThrowsAny<ArgumentException>(make).Message;
    }

    private static IEnumerable<CrossEntropyOptions> Options(int classes) =>
    [
        new(),
        new() { Reduction = LossReduction.Sum, IgnoreIndex = 0 },
        new() { LabelSmoothing = 0.1, ClassWeights = [.. Enumerable.Range(0, classes).Select(i => 0.5 + (i % 3))], IgnoreIndex = classes - 1 },
    ];

    private static (double Loss, double[][] Gradients) Run(int rows, int inputs, int classes, CrossEntropyOptions options, bool fused)
    {
        var (input, layer, targets) = Problem(rows, inputs, classes);
        var loss = fused ? Loss.LinearCrossEntropy(input, layer, targets, options) : Loss.CrossEntropy(layer.Forward(input), targets, default, options);
        (loss * 2.5).Backward();
        return (loss.Item(), [input.Gradient!.ToArray(), layer.Weight.Gradient!.ToArray(), layer.Bias!.Gradient!.ToArray()]);
    }

    internal static (Tensor<double> Input, Linear<double> Layer, int[] Targets) Problem(int rows, int inputs, int classes)
    {
        var random = new RandomSource((ulong)(rows + inputs + classes));
        var input = Tensor<double>.RandomNormal(random, 0, 1, rows, inputs);
        input.RequiresGradient = true;
        var layer = new Linear<double>(inputs, classes, new() { BiasInitializer = Initializer.Normal(0, 1), Seed = 2 });
        return (input, layer, [.. Enumerable.Range(0, rows).Select(_ => random.Next(classes))]);
    }
}
