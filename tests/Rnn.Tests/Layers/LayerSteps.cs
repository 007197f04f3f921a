using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Tests.Layers;

/// <summary>What tests of sequence layers without the recurrent engine do alike.</summary>
internal static class LayerSteps
{
    /// <summary>Random values that want a gradient.</summary>
    public static Tensor<double> Leaf(ulong seed, params int[] shape)
    {
        var tensor = Tensor<double>.RandomNormal(new RandomSource(seed), 0, 1, shape);
        tensor.RequiresGradient = true;
        return tensor;
    }

    /// <summary>The output of one step.</summary>
    public static double[] Step(SequenceStepper<double> stepper, Tensor<double> input)
    {
        var output = new double[stepper.Rows * stepper.OutputSize];
        stepper.Step(input.AsReadOnlySpan(), output);
        return output;
    }

    /// <summary>The gradients of leaves, which are zero afterwards.</summary>
    public static List<double[]> Take(Tensor<double>[] leaves)
    {
        var gradients = leaves.Select(leaf => leaf.Gradient!.ToArray()).ToList();
        Array.ForEach(leaves, leaf => leaf.ZeroGradient());
        return gradients;
    }

    /// <summary>Equal to 1e-12, of numbers above 1 relative.</summary>
    public static void Close(double[] expected, double[] actual) => Assert.Equal(expected, actual, (a, b) => Math.Abs(a - b) <= 1e-12 * Math.Max(1, Math.Abs(a)));

    /// <summary>One thread and three give the same bits.</summary>
    public static void SameForThreads<T>(Func<T[]> run)
    {
        var threads = Workers.MaxThreads;
        try
        {
            Workers.MaxThreads = 1;
            var one = run();
            Workers.MaxThreads = 3;
            Assert.Equal(one, run());
        }
        finally
        {
            Workers.MaxThreads = threads;
        }
    }
}
