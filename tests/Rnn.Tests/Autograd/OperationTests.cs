using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Autograd;

public class OperationTests
{
    private static Tensor<double> Draw(string name, params int[] shape) =>
        Tensor<double>.RandomNormal(new RandomSource(7).Split(name), 0, 1, shape);

    private static Tensor<double> Positive(string name, params int[] shape) =>
        Tensor<double>.RandomUniform(new RandomSource(7).Split(name), 0.5, 2, shape);

    [Theory]
    [InlineData(new[] { 5 }, new[] { 5 })]
    [InlineData(new[] { 3, 37 }, new[] { 3, 37 })]
    [InlineData(new[] { 3, 37 }, new[] { 37 })]
    [InlineData(new[] { 17 }, new[] { 3, 17 })]
    [InlineData(new[] { 3, 1 }, new[] { 1, 17 })]
    [InlineData(new[] { 2, 3, 1, 5 }, new[] { 3, 4, 1 })]
    [InlineData(new[] { 2, 1, 3, 1 }, new[] { 2, 5, 1, 7 })]
    [InlineData(new int[0], new[] { 2, 9 })]
    [InlineData(new int[0], new int[0])]
    [InlineData(new[] { 1, 1 }, new[] { 1 })]
    public void Binary_operations_broadcast_forward_and_back(int[] left, int[] right)
    {
        var a = Positive("a", left);
        var b = Positive("b", right);
        Check(() => a + b, ("a", a), ("b", b));
        Check(() => a - b, ("a", a), ("b", b));
        Check(() => a * b, ("a", a), ("b", b));
        Check(() => a / b, ("a", a), ("b", b));
    }

    [Fact]
    public void Unary_operations_are_differentiated()
    {
        var x = Draw("x", 3, 37);
        var p = Positive("p", 3, 37);
        Check(() => -x, ("x", x));
        Check(() => x.Exp(), ("x", x));
        Check(() => x.Tanh(), ("x", x));
        Check(() => x.Sigmoid(), ("x", x));
        Check(() => p.Relu() - (p - 3.0).Relu(), ("p", p));
        Check(() => p.Sqrt(), ("p", p));
        Check(() => x.Square(), ("x", x));
        Check(() => p.Abs() + (-p).Abs(), ("p", p));
        Check(() => 2.0 - (3.0 * x) + (x / 5.0) + 1.0 - 7.0, ("x", x));
        Check(() => 2.0 / p, ("p", p));
        Check(() => p.Log(), ("p", p));
        Check(() => x.LeakyRelu(0.2), ("x", x));
        Check(() => x.Elu(0.7), ("x", x));
        Check(() => x.Softplus(), ("x", x));
        Check(() => x.Gelu(), ("x", x));
        Check(() => x.Gelu(approximate: true), ("x", x));
        Check(() => p.Power(2.5), ("p", p));
        Check(() => x.Power(3), ("x", x));
        Check(() => x.Power(2), ("x", x));
        Check(() => x.Clamp(-0.5, 0.8), ("x", x));
    }

    [Fact]
    public void Two_argument_functions_are_differentiated()
    {
        var a = Positive("a", 3, 1, 17);
        var b = Draw("b", 5, 1);
        Check(() => a.Power(b), ("a", a), ("b", b));
        Check(() => a.Maximum(b), ("a", a), ("b", b));
        Check(() => a.Minimum(b), ("a", a), ("b", b));
        Check(() => Tensor<double>.Where(b.GreaterThan(Tensor<double>.Scalar(0)), a, b), ("a", a), ("b", b));
        Check(() => a.MaskedFill(Tensor<double>.From([0.0, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]), -3), ("a", a));
    }

    [Fact]
    public void Softmax_and_its_logarithm_are_differentiated_along_any_axis()
    {
        foreach (var shape in new int[][] { [17], [3, 37], [3, 5, 2], [1, 1], [600] })
        {
            var x = Draw("x", shape);
            for (var axis = -1; axis < shape.Length; axis++)
            {
                Check(() => x.Softmax(axis), ("x", x));
                Check(() => x.LogSoftmax(axis) * x, ("x", x));
                Check(() => x.Softmax(axis) + x, ("x", x));
            }
        }
    }

    [Fact]
    public void Extremes_and_norms_are_differentiated()
    {
        var x = Draw("x", 3, 4, 5);
        foreach (var axes in new int[][] { [0], [1], [2], [0, 2], [0, 1, 2] })
        {
            Check(() => x.Max(axes), ("x", x));
            Check(() => x.Min(axes, keepDimensions: true) * x, ("x", x));
        }

        Check(() => x.Norm() * x, ("x", x));
        Check(() => x.Norm(1), ("x", x));
        Check(() => x.Norm(-1, keepDimensions: true) * x, ("x", x));
    }

    [Fact]
    public void Views_and_joins_are_differentiated()
    {
        var x = Draw("x", 3, 4, 5);
        var y = Draw("y", 3, 2, 5);
        Check(() => x.Permute(2, 0, 1), ("x", x));
        Check(() => x.Transpose() + x.Transpose(), ("x", x));
        Check(() => (x * 2.0).Slice(1, .., -1) + x.Tanh().Slice(2, 1..4, 2).Sum(), ("x", x));
        Check(() => x.Transpose(0, 1), ("x", x));
        Check(() => x.Reshape(-1, 10) + x.Reshape(6, 10), ("x", x));
        Check(() => x.Slice(1.., ..^1), ("x", x));
        Check(() => x.Slice(1, 1..4, 2) + x.Slice(1, .., -2), ("x", x));
        Check(() => x.Select(-1, 2) * x.Select(-1, -1), ("x", x));
        Check(() => x.Split(-1, 2, 0, 3)[2], ("x", x));
        Check(() => Tensor<double>.Concat([x, y, x], 1), ("x", x), ("y", y));
        Check(() => Tensor<double>.Stack([y, x.Slice(.., 1..3), y], 1), ("x", x), ("y", y));
        Check(() => y.Slice(.., ..1).BroadcastTo(2, 3, 4, 5) * x, ("x", x), ("y", y));
        Check(() => x.IndexSelect(1, [3, 0, 3]), ("x", x));
        Check(() => x.Reshape(12, 5).Embedding([3, 0, 3, 11], [2, 2]), ("x", x));
        Check(() => x.Gather([1, 0, 4, 4, 2, 3, 1, 0, 0, 1, 2, 3]), ("x", x));
        Check(() => x.Gather([1, 0, 2, 2, 3, 3, 1, 0, 0, 1, 2, 3, 3, 0, 1], 1) * x.Gather([2, 0, 1, 1, 0, 0, 1, 2, 2, 0, 2, 1, 1, 0, 0, 2, 0, 1, 2, 0], 0, keepDimensions: true).Sum(), ("x", x));
    }

    [Fact]
    public void Layer_norm_and_dropout_are_differentiated()
    {
        var x = Draw("x", 3, 2, 17);
        var w = Draw("w", 17);
        var b = Draw("b", 17);
        Check(() => x.LayerNorm(w, b), ("x", x), ("w", w), ("b", b));
        Check(() => x.LayerNorm() * x, ("x", x));
        Check(() => x.RmsNorm(w), ("x", x), ("w", w));
        Check(() => x.RmsNorm(w, groups: x.Shape[-1], epsilon: 0.1) * x, ("x", x), ("w", w));
        Check(() => x.RmsNorm(epsilon: 0.5) * x, ("x", x));
        Check(() => x.Detach().RmsNorm(w), ("w", w));
        Check(() => w.RmsNorm(w), ("w", w));
        Check(() => x.LayerNorm(w) * x, ("x", x), ("w", w));
        Check(() => x.Detach().LayerNorm(w, b), ("w", w), ("b", b));
        Check(() => w.LayerNorm(w, b), ("w", w), ("b", b));
        Check(() => x.Dropout(0.4, new RandomSource(1)) + x, ("x", x));
    }

    [Fact]
    public void Matrix_products_are_differentiated()
    {
        foreach (var (left, right) in new (int[], int[])[]
        {
            ([3, 5], [5, 2]), ([1, 1], [1, 1]), ([5], [5]), ([5], [5, 3]), ([4, 5], [5]), ([2, 3, 5], [5, 4]),
            ([3, 5], [2, 5, 4]), ([2, 3, 5], [2, 5, 4]), ([2, 1, 3, 5], [4, 5, 2]), ([7, 1, 5], [5, 2]), ([2, 3, 5], [5]), ([2, 3, 5], [1, 5, 4]),
        })
        {
            var a = Draw("a", left);
            var b = Draw("b", right);
            Check(() => a.MatMul(b), ("a", a), ("b", b));
        }
    }

    [Fact]
    public void Sums_and_means_are_differentiated()
    {
        var x = Draw("x", 3, 4, 5);
        foreach (var axes in new int[][] { [0], [1], [2], [-1], [0, 1], [0, 2], [1, 2], [0, 1, 2], [] })
        {
            Check(() => x.Sum(axes), ("x", x));
            Check(() => x.Mean(axes, keepDimensions: true) * x, ("x", x));
        }

        Check(() => x.Mean(), ("x", x));
        Check(() => x.Sum(1), ("x", x));
    }

    private static void Check(Func<Tensor<double>> function, params (string, Tensor<double>)[] inputs)
    {
        var result = GradientCheck.Run(function, inputs, new() { Tolerance = 1e-9 });
        Assert.True(result.Passed, result.ToString());
    }
}
