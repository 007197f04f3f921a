using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Tests.Autograd;

/// <summary>Values and slopes at the ends of the number range.</summary>
public class ExtremeValueTests
{
    [Theory]
    [InlineData(new[] { 1e25f, 1e25f }, 1.41421356e25f)]
    [InlineData(new[] { 3e-25f, 4e-25f }, 5e-25f)]
    [InlineData(new[] { 3e-38f, 4e-38f }, 5e-38f)]
    [InlineData(new[] { 3e25f, 4e-25f }, 3e25f)]
    [InlineData(new[] { 3f, -4f }, 5f)]
    [InlineData(new[] { 0f, 0f }, 0f)]
    [InlineData(new[] { 1f, float.NegativeInfinity }, float.PositiveInfinity)]
    [InlineData(new[] { 1e30f, float.NaN }, float.NaN)]
    public void Norms_neither_overflow_nor_vanish(float[] values, float norm)
    {
        var x = Leaf(values);
        var y = x.Norm();
        Close(norm, y.Item(), 1e-6);
        y.Backward();
        for (var i = 0; i < values.Length && float.IsFinite(norm); i++)
        {
            Close(norm == 0 ? 0 : values[i] / norm, x.Gradient![i], 1e-5);
        }

        // Along both axes, beside a row of ordinary size.
        var rows = Tensor<float>.FromRows(values, [3, 4]);
        Close(norm, rows.Norm(1)[0], 1e-6);
        Assert.Equal(5, rows.Norm(1)[1]);
        Close(norm, rows.Transpose().Norm(0)[0], 1e-6);
        Assert.Equal(5, rows.Transpose().Norm(0)[1]);
    }

    [Fact]
    public void Norms_of_doubles_do_so_too()
    {
        foreach (var size in new[] { 1e200, 3e154, 1e-200, 1e-320 })
        {
            var x = Leaf(3 * size, 4 * size);
            var y = x.Norm();
            Close(5 * size, y.Item(), size < 1e-300 ? 1e-2 : 1e-15);
            y.Backward();
            Close(0.6, x.Gradient![0], size < 1e-300 ? 1e-2 : 1e-15);
        }
    }

    [Fact]
    public void Slopes_of_powers_are_those_of_the_power_below()
    {
        Close(3e-32f, Slope(1e-16f, 3), 1e-6);
        Close(3e26f, Slope(1e13f, 3), 1e-6);
        double[] bases = [0, 1e-300, 1e-100, 1e-16, 0.3, 1, 2.5, 1e13, 1e100, 1e300, -1e-100, -0.3, -2, -1e13];
        foreach (var exponent in new[] { -3, -2, -1, -0.5, 0, 0.25, 0.5, 1, 1.5, 2, 3, 4, 7.5 })
        {
            foreach (var value in bases)
            {
                var expected = exponent == 0 ? 0 : exponent * Math.Pow(value, exponent - 1);
                Close(expected, Slope(value, exponent), 1e-14);
                var (a, b) = (Leaf(value), Leaf(exponent));
                a.Power(b).Backward();
                Close(expected, a.Gradient!.Item(), 1e-14);
                var power = Math.Pow(value, exponent);
                Close(power == 0 || (value == 0 && exponent >= 0) ? 0 : power * Math.Log(value), b.Gradient!.Item(), 1e-14);
            }
        }
    }

    [Fact]
    public void The_largest_and_its_index_agree_on_NaN()
    {
        var x = Leaf(2, double.NaN, 3);
        Assert.Equal([1], x.ArgMax());
        Assert.Equal(double.NaN, x.Max().Item());
        Assert.Equal(double.NaN, x.Min().Item());
        x.Max().Backward();
        Assert.Equal([0.0, 1, 0], x.Gradient!.ToArray());
        for (var length = 1; length < 40; length++)
        {
            for (var at = 0; at < length; at++)
            {
                var values = Enumerable.Range(0, length).Select(i => (float)(i * 7 % 11)).ToArray();
                values[at] = float.NaN;
                values[^1] = at % 2 == 0 ? float.NaN : values[^1];
                var first = Array.FindIndex(values, float.IsNaN);
                var row = Tensor<float>.From(values, 1, length);
                Assert.Equal([first], row.ArgMax());
                Assert.Equal([first], row.Transpose().ArgMax(0));
                Assert.Equal(float.NaN, row.Max().Item());
                Assert.Equal(float.NaN, row.Max(1).Item());
                Assert.Equal(float.NaN, row.Transpose().Min(0).Item());
                Assert.Equal(float.NaN, row.Transpose().BroadcastTo(length, 3).Max(0)[2]);
            }
        }

        Assert.Equal([0], Tensor<float>.Full(float.NegativeInfinity, 3).ArgMax());
        Assert.Equal([2, 0], Tensor<float>.FromRows([1, float.NegativeInfinity, float.PositiveInfinity], [5, 5, 4]).ArgMax());
    }

    [Fact]
    public void Means_of_huge_values_are_numbers()
    {
        Assert.Equal(3e38f, Tensor<float>.Full(3e38f, 4).Mean().Item(), 1e33f);
        Assert.Equal([2e38f, 3e38f], Tensor<float>.FromRows([1e38f, 3e38f], [3e38f, 3e38f]).Mean(1).ToArray(), (a, b) => Math.Abs(a - b) < 1e33f);
        Assert.Equal(float.PositiveInfinity, Tensor<float>.From([1f, float.PositiveInfinity]).Mean().Item());
        Assert.Equal(float.NaN, Tensor<float>.From([1f, float.NaN]).Mean().Item());
        Assert.Equal(float.NaN, Tensor<float>.Zeros(0).Mean().Item());
    }

    [Fact]
    public void Slopes_of_activations_are_numbers_everywhere()
    {
        double[] values = [-1e300, -1e20, -800, -50, -1e-300, 0, 1e-300, 50, 800, 1e20, 1e300];
        foreach (var (name, function) in new (string, Func<Tensor<double>, Tensor<double>>)[]
        {
            ("tanh", x => x.Tanh()), ("sigmoid", x => x.Sigmoid()), ("softplus", x => x.Softplus()), ("gelu", x => x.Gelu()),
            ("gelu by tanh", x => x.Gelu(approximate: true)), ("elu", x => x.Elu()), ("relu", x => x.Relu()), ("leaky relu", x => x.LeakyRelu()),
            ("clamp", x => x.Clamp(-1, 1)), ("softmax", x => x.Softmax(0)), ("log softmax", x => x.LogSoftmax(0).Select(0, 10)),
        })
        {
            var x = Leaf(values);
            function(x).Sum().Backward();
            Assert.All(x.Gradient!.ToArray(), slope => Assert.True(double.IsFinite(slope), $"{name}: {slope}"));
        }

        var elu = Leaf(-50.0, 50);
        elu.Elu(2.0).Sum().Backward();
        Close(2 * Math.Exp(-50), elu.Gradient![0], 1e-14);
        Assert.Equal(1, elu.Gradient![1]);
        var gelu = Leaf(-1e20, 1e20);
        gelu.Gelu(approximate: true).Sum().Backward();
        Assert.Equal([0.0, 1], gelu.Gradient!.ToArray());
    }

    [Fact]
    public void Infinite_scores_have_probabilities()
    {
        var x = Leaf(double.NegativeInfinity, 0, Math.Log(3));
        var y = x.Softmax();
        Assert.Equal([0, 0.25, 0.75], y.ToArray(), (a, b) => Math.Abs(a - b) < 1e-15);
        y.Select(0, 1).Backward();
        Assert.Equal([0, 0.1875, -0.1875], x.Gradient!.ToArray(), (a, b) => Math.Abs(a - b) < 1e-15);
        x.ZeroGradient();
        x.LogSoftmax().Select(0, 1).Backward();
        Assert.Equal([0, 0.75, -0.75], x.Gradient!.ToArray(), (a, b) => Math.Abs(a - b) < 1e-15);
        Assert.Equal(double.NaN, Tensor<double>.Full(double.NegativeInfinity, 2).Softmax()[0]);
    }

    [Fact]
    public void NaN_is_passed_on_and_not_hidden()
    {
        var nan = Leaf(double.NaN, 1);
        Assert.Equal(double.NaN, nan.Clamp(-1, 1)[0]);
        Assert.Equal(double.NaN, nan.Maximum(Tensor<double>.Scalar(0))[0]);
        Assert.Equal(double.NaN, Tensor<double>.Scalar(0).Minimum(nan)[0]);
        Assert.Equal(double.NaN, nan.Relu()[0]);
        Assert.Equal(double.NaN, nan.Softplus()[0]);
        var (a, b) = (Leaf(2.0, 3, 1), Leaf(2.0, 1, 3));
        a.Maximum(b).Sum().Backward();
        Assert.Equal([0.5, 1, 0], a.Gradient!.ToArray());
        Assert.Equal([0.5, 0, 1], b.Gradient!.ToArray());
    }

    private static T Slope<T>(T x, T exponent)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var leaf = Leaf(x);
        leaf.Power(double.CreateChecked(exponent)).Backward();
        return leaf.Gradient!.Item();
    }

    private static Tensor<T> Leaf<T>(params T[] values)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var tensor = values.Length == 1 ? Tensor<T>.Scalar(values[0]) : Tensor<T>.From(values);
        tensor.RequiresGradient = true;
        return tensor;
    }

    private static void Close(double expected, double actual, double relative)
    {
        if (!expected.Equals(actual))
        {
            Assert.True(Math.Abs(expected - actual) <= relative * Math.Abs(expected), $"expected {expected} but got {actual}");
        }
    }
}
