using Rnn.Autograd;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Autograd;

public class OperationTests
{
    private static Tensor<double> Draw(string name, params int[] shape) =>
        Tensor<double>.RandomNormal(new RandomSource(7).Fork(name), 0, 1, shape);

    private static Tensor<double> Positive(string name, params int[] shape) =>
        Tensor<double>.RandomUniform(new RandomSource(7).Fork(name), 0.5, 2, shape);

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
        var result = GradientCheck.Run(() => GradientCheck.Weigh(function()), inputs, new() { Tolerance = 1e-9 });
        Assert.True(result.Passed, result.ToString());
    }
}
