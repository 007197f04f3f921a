using System.Numerics;
using MathNet.Numerics;
using Rnn.Tensors;

namespace Rnn.Tests.Autograd;

/// <summary>Values of elementwise operations against the runtime's scalar functions, in both element types and odd sizes.</summary>
public class ElementwiseValueTests
{
    private static readonly int[] Sizes = [0, 1, 3, 17, 37, 129];

    [Fact]
    public void Unary_values_in_float() => Unary<float>(4e-7);

    [Fact]
    public void Unary_values_in_double() => Unary<double>(1e-15);

    [Fact]
    public void Binary_values_in_float() => Binary<float>(2e-7);

    [Fact]
    public void Binary_values_in_double() => Binary<double>(5e-16);

    [Fact]
    public void Special_values_pass_as_in_scalar_arithmetic()
    {
        var x = Tensor<double>.From([double.NaN, double.PositiveInfinity, double.NegativeInfinity, 0, -1]);
        Assert.Equal([double.NaN, double.PositiveInfinity, 0, 1, Math.Exp(-1)], x.Exp().ToArray(), Same);
        Assert.Equal([double.NaN, double.PositiveInfinity, double.NaN, double.NegativeInfinity, double.NaN], x.Log().ToArray(), Same);
        Assert.Equal([double.NaN, double.PositiveInfinity, double.NaN, 0, double.NaN], x.Sqrt().ToArray(), Same);
        Assert.Equal([double.NaN, 1, -1, 0, Math.Tanh(-1)], x.Tanh().ToArray(), Same);
        Assert.Equal([double.NaN, 1, 0, 0.5, 1 / (1 + Math.E)], x.Sigmoid().ToArray(), Same);
        Assert.Equal([double.NaN, double.PositiveInfinity, double.PositiveInfinity, 0, 1], x.Abs().ToArray(), Same);
        Assert.Equal([double.NaN, 2, -3, 0, -1], x.Clamp(-3, 2).ToArray(), Same);
        Assert.Equal([double.NaN, double.PositiveInfinity, 0, Math.Log(2), Math.Log(1 + Math.Exp(-1))], x.Softplus().ToArray(), Same);
        Assert.Equal([double.NaN, double.PositiveInfinity, -1, 0, Math.Exp(-1) - 1], x.Elu().ToArray(), Same);
        Assert.Equal([double.NaN, 0, 0, double.PositiveInfinity, -1], (1.0 / x).ToArray(), Same);
        Assert.Equal([-1000.0, 1000 - 0.0], Tensor<double>.From([-1000.0, 1000]).Softplus().Add(Tensor<double>.From([-1000.0, 0])).ToArray(), Same);

        static bool Same(double expected, double actual) => expected.Equals(actual) || Math.Abs(expected - actual) <= 4e-16 * Math.Abs(expected);
    }

    [Fact]
    public void Slopes_at_corners_are_finite_and_as_documented()
    {
        var x = Tensor<double>.From([0.0, 0, 0]);
        x.RequiresGradient = true;
        x.Relu().Sum().Backward();
        x.Abs().Sum().Backward();
        x.Power(3).Sum().Backward();
        x.Power(0).Sum().Backward();
        x.Norm().Backward();
        x.Norm(0).Backward();
        Assert.Equal([0.0, 0, 0], x.Gradient!.ToArray());
        x.Power(1).Sum().Backward();
        x.Clamp(0, 1).Sum().Backward();
        x.Max().Backward();
        Assert.Equal([2 + (1.0 / 3), 2 + (1.0 / 3), 2 + (1.0 / 3)], x.Gradient.ToArray());
    }

    [Fact]
    public void Wrong_arguments_are_named()
    {
        var error = Assert.Throws<ArgumentException>(() => Tensor<float>.Zeros(3, 4) + Tensor<float>.Zeros(3));
        Assert.StartsWith("Add: the shapes [3, 4] and [3] do not fit together", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Tensor<float>.Zeros(3, 4) * Tensor<float>.Zeros(2, 3, 2));
        error = Assert.Throws<ArgumentException>(() => Tensor<float>.Zeros(3).Clamp(2, 1));
        Assert.StartsWith("minimum: expected at most the maximum, 1, but got 2.", error.Message, StringComparison.Ordinal);
        Tensor<float>? missing = null;
        Assert.Throws<ArgumentNullException>(() => Tensor<float>.Zeros(3) + missing!);
    }

    private static void Unary<T>(double tolerance)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var size in Sizes)
        {
            var x = Tensor<T>.RandomNormal(new RandomSource(1), 0, 2, size);
            var positive = Tensor<T>.RandomUniform(new RandomSource(2), 0.01, 9, size);
            Check(x, x.Exp(), Math.Exp);
            Check(x, x.Tanh(), Math.Tanh);
            Check(x, x.Sigmoid(), v => 1 / (1 + Math.Exp(-v)));
            Check(x, x.Relu(), v => Math.Max(v, 0));
            Check(x, x.LeakyRelu(), v => v > 0 ? v : double.CreateChecked(T.CreateChecked(0.01)) * v);
            Check(x, x.Elu(), v => v > 0 ? v : Math.Exp(v) - 1, 4);
            Check(x, x.Softplus(), v => 2 * Math.Atanh(Math.Exp(v) / (2 + Math.Exp(v))), 4);
            Check(x, x.Gelu(), v => v * 0.5 * SpecialFunctions.Erfc(-v / Math.Sqrt(2)), 8);
            Check(x, x.Gelu(approximate: true), v => 0.5 * v * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (v + (0.044715 * v * v * v)))), 64);
            Check(x, x.Square(), v => v * v);
            Check(x, x.Abs(), Math.Abs);
            Check(x, -x, v => -v);
            Check(x, x.Clamp(-1, 1), v => Math.Clamp(v, -1, 1));
            Check(x, x.Power(3), v => v * v * v);
            Check(positive, positive.Log(), Math.Log, 2);
            Check(positive, positive.Sqrt(), Math.Sqrt);
            Check(positive, positive.Power(-1.5), v => Math.Pow(v, -1.5));
            Check(x, x + T.One, v => v + 1);
            Check(x, T.One - x, v => 1 - v);
            Check(x, x * T.CreateChecked(3), v => v * 3);
            Check(positive, T.CreateChecked(3) / positive, v => 3 / v);
            Check(x, x / T.CreateChecked(3), v => v / 3);
        }

        void Check(Tensor<T> input, Tensor<T> output, Func<double, double> expected, double factor = 1)
        {
            Assert.Equal(input.Shape, output.Shape);
            for (var i = 0; i < input.Length; i++)
            {
                var value = expected(double.CreateChecked(input[i]));
                var error = Math.Abs(double.CreateChecked(output[i]) - value);
                Assert.True(error <= factor * tolerance * (Math.Abs(value) + 0.01), $"f({input[i]}) = {output[i]}, expected {value}");
            }
        }
    }

    private static void Binary<T>(double tolerance)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var (left, right) in new (int[], int[])[]
        {
            ([0], [0]), ([0, 3], [1]), ([2, 0, 3], [3]), ([1], [1]), ([129], [129]), ([3, 37], [37]), ([17], [3, 17]), ([3, 1], [1, 17]), ([], [5]),
            ([2, 3, 1, 5], [3, 4, 1]), ([37, 1], []), ([4, 1, 1], [1, 3, 1]), ([1, 1, 129], [2, 1, 1]),
        })
        {
            var a = Tensor<T>.RandomUniform(new RandomSource(1), 0.5, 3, left);
            var b = Tensor<T>.RandomUniform(new RandomSource(2), 0.5, 3, right);
            Check(a, b, a + b, (x, y) => x + y);
            Check(a, b, a - b, (x, y) => x - y);
            Check(a, b, a * b, (x, y) => x * y);
            Check(a, b, a / b, (x, y) => x / y);
            Check(a, b, a.Power(b), Math.Pow);
            Check(a, b, a.Maximum(b), Math.Max);
            Check(a, b, a.Minimum(b), Math.Min);
            Check(a, b, a.GreaterThan(b), (x, y) => x > y ? 1 : 0);
            Check(a, b, a.LessThan(b), (x, y) => x < y ? 1 : 0);
            Check(a, b, a.EqualTo(b), (x, y) => x == y ? 1 : 0);
            Check(a, a, a.EqualTo(a), (_, _) => 1);
            Check(a, b, Tensor<T>.Where(a.LessThan(b), a, b * T.CreateChecked(2)), (x, y) => x < y ? x : 2 * y);
        }

        void Check(Tensor<T> a, Tensor<T> b, Tensor<T> output, Func<double, double, double> expected)
        {
            // The oracle walks over the indices of the result one by one, as NumPy's rules say.
            var shape = output.Shape;
            var index = new int[shape.Rank];
            for (var i = 0; i < output.Length; i++)
            {
                var rest = i;
                for (var d = shape.Rank - 1; d >= 0; d--)
                {
                    (rest, index[d]) = Math.DivRem(rest, shape[d]);
                }

                var value = expected(At(a, index), At(b, index));
                var error = Math.Abs(double.CreateChecked(output.AsReadOnlySpan()[i]) - value);
                Assert.True(error <= tolerance * (Math.Abs(value) + 3), $"{shape} at {i}: {output.AsReadOnlySpan()[i]}, expected {value}");
            }

            static double At(Tensor<T> tensor, int[] index)
            {
                var own = new int[tensor.Rank];
                for (var d = 0; d < own.Length; d++)
                {
                    own[d] = tensor.Shape[d] == 1 ? 0 : index[index.Length - own.Length + d];
                }

                return double.CreateChecked(tensor[own]);
            }
        }
    }
}
