using Rnn.Layers;
using Rnn.Layers.Engine;
using Rnn.Tensors;
using Rnn.Training;
using Rnn.UserTests.Autograd;

namespace Rnn.Tests.Autograd;

/// <summary>Every recorded operation of the library on small leaves, for tests that hold for all of them.</summary>
internal static class OperationCases
{
    private static readonly Dictionary<string, Func<OperationCase>> Cases = new(StringComparer.Ordinal)
    {
        ["add"] = () => Of([3, 4], [4], (a, b) => a + b),
        ["subtract"] = () => Of([3, 4], [4], (a, b) => a - b),
        ["multiply"] = () => Of([3, 4], [3, 1], (a, b) => a * b),
        ["multiply itself"] = () => Of([3, 4], a => a * a),
        ["divide"] = () => Of([3, 4], [4], (a, b) => a / b),
        ["power of tensors"] = () => Of([3, 4], [4], (a, b) => a.Power(b)),
        ["maximum"] = () => Of([3, 4], [4], (a, b) => a.Maximum(b)),
        ["minimum"] = () => Of([3, 4], [4], (a, b) => a.Minimum(b)),
        ["where"] = () => Of([3, 4], [4], (a, b) => Tensor<double>.Where(a.GreaterThan(Tensor<double>.Scalar(1)), a, b)),
        ["masked fill"] = () => Of([3, 4], a => a.MaskedFill(Tensor<double>.From([0.0, 1, 0, 1]), -3)),
        ["negate"] = () => Of([3, 4], a => -a),
        ["scalars"] = () => Of([3, 4], a => 2.0 - (3.0 * a) + (a / 5.0) + (2.0 / a) - 7.0),
        ["exp"] = () => Of([3, 4], a => a.Exp()),
        ["log"] = () => Of([3, 4], a => a.Log()),
        ["sqrt"] = () => Of([3, 4], a => a.Sqrt()),
        ["square"] = () => Of([3, 4], a => a.Square()),
        ["abs"] = () => Of([3, 4], a => a.Abs()),
        ["sign"] = () => Of([3, 4], a => (a - 1.0).Sign() * a),
        ["sin"] = () => Of([3, 4], a => a.Sin()),
        ["cos"] = () => Of([3, 4], a => a.Cos()),
        ["power"] = () => Of([3, 4], a => a.Power(2.5)),
        ["tanh"] = () => Of([3, 4], a => a.Tanh()),
        ["sigmoid"] = () => Of([3, 4], a => a.Sigmoid()),
        ["relu"] = () => Of([3, 4], a => (a - 1.0).Relu()),
        ["leaky relu"] = () => Of([3, 4], a => (a - 1.0).LeakyRelu()),
        ["elu"] = () => Of([3, 4], a => (a - 1.0).Elu()),
        ["softplus"] = () => Of([3, 4], a => a.Softplus()),
        ["gelu"] = () => Of([3, 4], a => a.Gelu() + a.Gelu(approximate: true)),
        ["clamp"] = () => Of([3, 4], a => a.Clamp(0.8, 1.4)),
        ["softmax"] = () => Of([3, 4], a => a.Softmax()),
        ["softmax of columns"] = () => Of([3, 4], a => a.Softmax(0)),
        ["log softmax"] = () => Of([3, 4], a => a.LogSoftmax()),
        ["sum"] = () => Of([3, 4], a => a.Sum(0)),
        ["mean"] = () => Of([3, 4], a => a.Mean(1)),
        ["max"] = () => Of([3, 4], a => a.Max(1)),
        ["min"] = () => Of([3, 4], a => a.Min(0)),
        ["norm"] = () => Of([3, 4], a => a.Norm(1)),
        ["log-sum-exp"] = () => Of([3, 4], a => a.LogSumExp(1)),
        ["cumulative sum"] = () => Of([3, 4], a => a.CumulativeSum(0)),
        ["variance"] = () => Of([3, 4], a => a.Variance(1)),
        ["standard deviation"] = () => Of([3, 4], a => a.StandardDeviation(0)),
        ["top-k"] = () => Of([3, 4], a => a.TopK(2).Values),
        ["conditional random field"] = () => Of([2, 3, 4], [4, 4], (a, b) => CrfLikelihood<double>.Apply(a, b, b.Select(0, 1), b.Select(1, 2), [0, 3, 1, 2, 2, 0], [3, 2])),
        ["root mean square norm"] = () => Of([3, 4], [4], (a, b) => a.RmsNorm(b, groups: 2)),
        ["layer norm"] = () => Of([3, 4], [4], (a, b) => a.LayerNorm(b, b)),
        ["dropout"] = () => Of([3, 4], a => a.Dropout(0.4, new RandomSource(1))),
        ["clone"] = () => Of([3, 4], a => a.Clone()),
        ["reshape"] = () => Of([3, 4], a => a.Reshape(2, 6)),
        ["squeeze"] = () => Of([3, 1, 4], a => a.Squeeze(1)),
        ["unsqueeze"] = () => Of([3, 4], a => a.Unsqueeze(0)),
        ["permute"] = () => Of([3, 4], a => a.Transpose()),
        ["slice"] = () => Of([3, 4], a => a.Slice(1.., ..^1)),
        ["select"] = () => Of([3, 4], a => a.Select(1, 2)),
        ["concat"] = () => Of([3, 4], [3, 2], (a, b) => Tensor<double>.Concat([a, b, a], 1)),
        ["stack"] = () => Of([3, 4], a => Tensor<double>.Stack([a, a])),
        ["broadcast"] = () => Of([3, 1], a => a.BroadcastTo(2, 3, 4)),
        ["index select"] = () => Of([3, 4], a => a.IndexSelect(1, [3, 0, 3])),
        ["embedding"] = () => Of([3, 4], a => a.Embedding([2, 0, 2])),
        ["gather"] = () => Of([3, 4], a => a.Gather([1, 0, 3])),
        ["matrix product"] = () => Of([3, 4], [4, 5], (a, b) => a.MatMul(b)),
        ["matrix products"] = () => Of([2, 3, 4], [2, 4, 5], (a, b) => a.MatMul(b)),
        ["own operation"] = () => Of([3, 4], [4], (a, b) => new SwishOperation().Apply(a, b)),
        ["linear"] = () => OfModule(new Linear<double>(4, 5, new() { Seed = 3 }), [3, 4]),
        ["direction sum"] = () => Of([2, 3, 4], a => DirectionSum.Apply(a, 0.5)),
        ["residual sum"] = () => Of([2, 3, 4], [2, 3, 4], (a, b) => ResidualSum.Apply(a, b, [3, 1])),
        ["residual end"] = () => Of([2, 3, 4], a => ResidualSum.AtEnd(a, [3, 1], backward: false)),
        ["squared error"] = () => Of([2, 3, 4], [2, 3, 4], (a, b) => Loss.MeanSquaredError(a, b, [3, 1])),
        ["absolute error"] = () => Of([3, 4], [3, 4], (a, b) => Loss.MeanAbsoluteError(a, b)),
        ["huber"] = () => Of([3, 4], [3, 4], (a, b) => Loss.Huber(a, b, 0.3)),
        ["quantile"] = () => Of([3, 4], [3, 4], (a, b) => Loss.Quantile(a, b, 0.8)),
        ["quantiles"] = () => Of([3, 4, 2], [3, 4], (a, b) => Loss.Quantile(a, b, [0.1, 0.6])),
        ["binary cross-entropy"] = () => Of([3, 4], a => Loss.BinaryCrossEntropy(a, Tensor<double>.Full(0.3, 3, 4), options: new() { PositiveWeights = [2] })),
        ["cross-entropy"] = () => Of([3, 4], a => Loss.CrossEntropy(a, [1, 0, 3], options: new() { LabelSmoothing = 0.1, ClassWeights = [1, 2, 3, 4] })),
        ["linear cross-entropy"] = LinearCrossEntropy,
        ["scan"] = () => OfModule(new MinLstm<double>(4, 3, new() { Seed = 3 }), [2, 5, 4]),
        ["block-diagonal product"] = () => OfModule(new RgLru<double>(4, new() { Heads = 2, Seed = 3 }), [2, 5, 4]),
        ["scan that reads its input"] = () => OfModule(new RgLru<double>(4, new() { Seed = 3 }), [2, 5, 4]),
        ["convolution"] = () => OfModule(new CausalConvolution<double>(4, 3, new() { KernelSize = 3, Dilation = 2, Seed = 3 }), [2, 5, 4]),
        ["gated convolution"] = () => OfModule(new WaveNet<double>(4, new() { ResidualChannels = 3, DilationChannels = 2, SkipChannels = 3, LayersPerBlock = 2, Blocks = 1, ConditionSize = 1, Seed = 3 }), [2, 5, 4]),
        ["history of a convolution"] = () => Of([2, 3, 4], [2, 5, 4], (a, b) => HistoryNode<double>.Apply(a, b, [5, 1])),
        ["connectionist temporal classification"] = () => Of([3, 4, 3], a => Loss.Ctc(a, [[1, 2], [2, 2], []], [4, 3, 2])),
        ["sum of embeddings"] = () => Of([3, 4], a => EmbeddingSum<double>.Apply(a, [2, 0, 2, 1], [0, 3, 3, 4], EmbeddingSum<double>.Slopes(4), length: null)),
        ["memory hop"] = MemoryHop,
        ["mixture of logistics"] = () => Of([2, 6], a => LogisticMixture.Loss(a, [3, 200], 256)),
        ["lstm"] = () => OfModule(new Lstm<double>(4, 3, new() { Seed = 3 }), [2, 5, 4]),
    };

    internal static IEnumerable<string> All => Cases.Keys;

    internal static TheoryData<string> Names => [.. All];

    internal static OperationCase Make(string name) => Cases[name]();

    private static OperationCase LinearCrossEntropy()
    {
        var layer = new Linear<double>(4, 5, new() { Seed = 3 });
        var input = Leaf("a", [3, 4]);
        return new([input, layer.Weight.Value, layer.Bias!.Value], () => Loss.LinearCrossEntropy(input, layer, [1, 4, 0]));
    }

    private static OperationCase MemoryHop()
    {
        Tensor<double>[] leaves = [Leaf("u", [3, 4]), Leaf("a", [2, 4]), Leaf("ta", [3, 4]), Leaf("c", [2, 4]), Leaf("tc", [3, 4])];
        return new(leaves, () => MemoryHop<double>.Apply(
            leaves[0], new(leaves[1], leaves[2]), new(leaves[3], leaves[4]), new([0, 3, 3, 4], [1, 0, 1, 0], [2, 1, 0, 0], places: 4), linear: false, out _));
    }

    private static OperationCase OfModule(Layer<double> layer, int[] input)
    {
        var x = Leaf("a", input);
        return new([x, .. layer.Parameters.Select(parameter => parameter.Value)], () => layer.Forward(x));
    }

    private static OperationCase Of(int[] shape, Func<Tensor<double>, Tensor<double>> function)
    {
        var a = Leaf("a", shape);
        return new([a], () => function(a));
    }

    private static OperationCase Of(int[] left, int[] right, Func<Tensor<double>, Tensor<double>, Tensor<double>> function)
    {
        var (a, b) = (Leaf("a", left), Leaf("b", right));
        return new([a, b], () => function(a, b));
    }

    // Positive, so that roots and logarithms have slopes.
    private static Tensor<double> Leaf(string name, int[] shape)
    {
        var tensor = Tensor<double>.RandomUniform(new RandomSource(7).Split(name), 0.5, 2, shape);
        tensor.RequiresGradient = true;
        return tensor;
    }
}

/// <summary>An operation and the leaves that gradients flow into.</summary>
internal sealed record OperationCase(Tensor<double>[] Leaves, Func<Tensor<double>> Run)
{
    internal double[][] Gradients => [.. Leaves.Select(leaf => leaf.Gradient?.ToArray() ?? [])];

    internal void ZeroGradients()
    {
        foreach (var leaf in Leaves)
        {
            leaf.ZeroGradient();
        }
    }
}
