using System.Numerics;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Autograd;

/// <summary>Sines, signs, running sums, variances, logarithms of sums, largest elements: against plain loops and finite differences.</summary>
public class BasicOperationTests
{
    private const double Infinity = double.PositiveInfinity;

    private static readonly int[][] Shapes = [[1], [3], [17], [129], [3, 37], [2, 3, 5], [3, 1, 4], [2, 0, 3], [0, 4]];

    [Fact]
    public void Sines_cosines_and_signs_are_those_of_the_runtime()
    {
        Check<float>();
        Check<double>();

        static void Check<T>()
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            foreach (var size in new[] { 0, 1, 3, 17, 37, 129 })
            {
                var x = Tensor<T>.RandomNormal(new RandomSource(1), 0, 1e3, size);
                Assert.Equal(x.ToArray().Select(T.Sin), x.Sin().ToArray());
                Assert.Equal(x.ToArray().Select(T.Cos), x.Cos().ToArray());
                Assert.Equal(x.ToArray().Select(v => T.CreateChecked(T.Sign(v))), x.Sign().ToArray());
            }
        }
    }

    [Fact]
    public void Sines_cosines_and_signs_of_special_values()
    {
        var x = Tensor<double>.From([double.NaN, Infinity, -Infinity, 0, -0.0, 5e-324, -5e-324, 1e300]);
        Assert.Equal([double.NaN, 1, -1, 0, -0.0, 1, -1, 1], x.Sign().ToArray());
        Assert.True(double.IsNegative(x.Sign()[4]));
        Assert.Equal([double.NaN, double.NaN, double.NaN, 0, -0.0, 5e-324, -5e-324, Math.Sin(1e300)], x.Sin().ToArray());
        Assert.Equal([double.NaN, double.NaN, double.NaN, 1, 1, 1, 1, Math.Cos(1e300)], x.Cos().ToArray());
    }

    [Fact]
    public void The_gradient_of_a_sign_is_zero()
    {
        var x = Leaf(-2, 0, 3);
        x.Sign().Sum().Backward();
        Assert.Equal([0.0, 0, 0], x.Gradient!.ToArray());
    }

    [Fact]
    public void Running_sums_agree_with_plain_loops_along_every_axis()
    {
        foreach (var shape in Shapes)
        {
            var x = Draw("x", shape);
            for (var axis = -shape.Length; axis < shape.Length; axis++)
            {
                foreach (var reverse in new[] { false, true })
                {
                    var y = x.CumulativeSum(axis, reverse);
                    Assert.Equal(x.Shape, y.Shape);
                    foreach (var (slice, result) in Slices(x, axis).Zip(Slices(y, axis)))
                    {
                        var values = reverse ? slice.Reverse().ToArray() : slice;
                        var expected = values.Select((_, i) => values.Take(i + 1).Aggregate(0.0, (sum, value) => sum + value)).ToArray();
                        Assert.Equal(reverse ? expected.Reverse() : expected, result);
                    }
                }
            }
        }
    }

    [Fact]
    public void Long_running_sums_of_floats_lose_no_digits()
    {
        var y = Tensor<float>.Full(0.1f, 1_000_000).CumulativeSum(0);
        Assert.Equal((float)(0.1f * 1e6), y[-1]);
        var columns = Tensor<float>.Full(0.1f, 1_000_000, 2).CumulativeSum(0);
        Assert.Equal(y[-1], columns[999_999, 1]);
    }

    [Fact]
    public void Running_sums_pass_infinities_on()
    {
        Assert.Equal([1, Infinity, Infinity, double.NaN, double.NaN], Tensor<double>.From([1, Infinity, 2, -Infinity, 3]).CumulativeSum(0).ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => Tensor<double>.Scalar(1).CumulativeSum(0));
    }

    [Fact]
    public void Logarithms_of_sums_agree_with_plain_loops_over_any_axes()
    {
        foreach (var shape in Shapes)
        {
            var x = Draw("x", shape) * 3.0;
            for (var axis = -shape.Length; axis < shape.Length; axis++)
            {
                var y = x.LogSumExp(axis);
                Assert.Equal(Slices(x, axis).Select(LogSumExp), y.ToArray(), Near);
                Assert.Equal(y.ToArray(), x.LogSumExp([axis], keepDimensions: true).ToArray());
                Assert.Equal(x.Sum(axis, keepDimensions: true).Shape, x.LogSumExp(axis, keepDimensions: true).Shape);
            }

            Assert.Equal(LogSumExp(x.ToArray()), x.LogSumExp().Item(), Near);
        }

        Assert.Equal(2.5, Tensor<double>.Scalar(2.5).LogSumExp().Item());
        static double LogSumExp(double[] values) => values.Length == 0 ? -Infinity : values.Max() + Math.Log(values.Sum(value => Math.Exp(value - values.Max())));
    }

    [Theory]
    [InlineData(new[] { 1000.0, 1000 }, 1000.6931471805599, new[] { 0.5, 0.5 })]
    [InlineData(new[] { -1e5, -1e5 }, -99999.306852819439, new[] { 0.5, 0.5 })]
    [InlineData(new[] { 0, double.NegativeInfinity }, 0.0, new[] { 1.0, 0 })]
    [InlineData(new[] { Infinity, 0 }, Infinity, new[] { 1.0, 0 })]
    [InlineData(new[] { Infinity, 3, Infinity }, Infinity, new[] { 0.5, 0, 0.5 })]
    [InlineData(new[] { Infinity, double.NegativeInfinity }, Infinity, new[] { 1.0, 0 })]
    [InlineData(new[] { double.NegativeInfinity, double.NegativeInfinity }, double.NegativeInfinity, new[] { 0.5, 0.5 })]
    [InlineData(new[] { double.NaN, 0 }, double.NaN, new[] { double.NaN, double.NaN })]
    public void Logarithms_of_sums_hold_at_the_ends_of_the_range(double[] values, double expected, double[] gradient)
    {
        var x = Leaf(values);
        var y = x.LogSumExp(0);
        Assert.Equal(expected, y.Item(), Near);
        y.Backward();
        Assert.Equal(gradient, x.Gradient!.ToArray(), Near);
    }

    [Fact]
    public void Dimensions_of_one_come_and_go_without_a_copy()
    {
        var x = Draw("x", 3, 1, 4, 1);
        Assert.Equal([3, 4], x.Squeeze().Shape);
        Assert.Equal([3, 4, 1], x.Squeeze(1).Shape);
        Assert.Equal([3, 4], x.Squeeze(-1, 1).Shape);
        Assert.Equal([], Tensor<double>.Zeros(1, 1).Squeeze().Shape);
        Assert.Equal([3, 4], Draw("x", 3, 4).Squeeze().Shape);
        Assert.Equal([0], Tensor<double>.Zeros(1, 0).Squeeze().Shape);
        Assert.Equal([1, 3, 4], Draw("x", 3, 4).Unsqueeze(0).Shape);
        Assert.Equal([3, 4, 1], Draw("x", 3, 4).Unsqueeze(-1).Shape);
        Assert.Equal([3, 1, 4], Draw("x", 3, 4).Unsqueeze(-2).Shape);
        Assert.Equal([1], Tensor<double>.Scalar(7).Unsqueeze(0).Shape);
        Assert.Same(x.Memory, x.Squeeze().Unsqueeze(1).Memory);
        Assert.Equal(x.ToArray(), x.Squeeze().ToArray());
        var error = Assert.Throws<ArgumentException>(() => x.Squeeze(0));
        Assert.StartsWith("axes: expected dimensions of size 1 but dimension 0 of the shape [3, 1, 4, 1] has 3.", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => x.Squeeze(1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => x.Squeeze(4));
        Assert.Throws<ArgumentOutOfRangeException>(() => x.Unsqueeze(5));
        Assert.Throws<ArgumentOutOfRangeException>(() => x.Unsqueeze(-6));
    }

    [Fact]
    public void Variances_agree_with_plain_loops_over_any_axes()
    {
        foreach (var shape in Shapes)
        {
            var x = Draw("x", shape) + 3.0;
            foreach (var unbiased in new[] { false, true })
            {
                for (var axis = -shape.Length; axis < shape.Length; axis++)
                {
                    var expected = Slices(x, axis).Select(slice => Variance(slice, unbiased)).ToArray();
                    Assert.Equal(expected, x.Variance(axis, unbiased).ToArray(), Near);
                    Assert.Equal(expected, x.Variance([axis], unbiased, keepDimensions: true).ToArray(), Near);
                    Assert.Equal(expected.Select(Math.Sqrt), x.StandardDeviation(axis, unbiased).ToArray(), Near);
                    Assert.Equal(x.Sum(axis, keepDimensions: true).Shape, x.StandardDeviation(axis, unbiased, keepDimensions: true).Shape);
                }

                Assert.Equal(Variance(x.ToArray(), unbiased), x.Variance(unbiased).Item(), Near);
                Assert.Equal(Math.Sqrt(Variance(x.ToArray(), unbiased)), x.StandardDeviation(unbiased).Item(), Near);
            }
        }

        static double Variance(double[] values, bool unbiased)
        {
            var mean = values.Length == 0 ? double.NaN : values.Average();
            return values.Sum(value => (value - mean) * (value - mean)) / Math.Max(0, values.Length - (unbiased ? 1 : 0));
        }
    }

    [Fact]
    public void Standard_deviations_neither_overflow_nor_vanish_and_equal_elements_have_no_gradient()
    {
        Assert.Equal(1e30f, Tensor<float>.From([1e30f, 3e30f]).StandardDeviation(0, unbiased: false).Item(), 1e-6f * 1e30f);
        Assert.Equal(1e-30f, Tensor<float>.From([1e-30f, 3e-30f]).StandardDeviation(0, unbiased: false).Item(), 1e-6f * 1e-30f);
        Assert.Equal(float.PositiveInfinity, Tensor<float>.From([1e30f, 3e30f]).Variance().Item());
        Assert.True(double.IsNaN(Tensor<double>.From([Infinity, 1]).Variance().Item()));
        var x = Leaf(2, 2, 2);
        x.StandardDeviation().Backward();
        Assert.Equal([0.0, 0, 0], x.Gradient!.ToArray());
    }

    [Fact]
    public void The_largest_and_the_smallest_agree_with_sorting()
    {
        foreach (var shape in Shapes)
        {
            // Few different numbers, so that there are ties.
            var x = Tensor<double>.From([.. Draw("x", shape).ToArray().Select(value => Math.Round(2 * value))], shape);
            for (var axis = -shape.Length; axis < shape.Length; axis++)
            {
                foreach (var count in new[] { 0, 1, 2, 5, shape[axis < 0 ? axis + shape.Length : axis] }.Where(count => count <= x.Shape[axis]).Distinct())
                {
                    foreach (var largest in new[] { true, false })
                    {
                        var (values, indices) = x.TopK(count, axis, largest);
                        Assert.Equal(count, values.Shape[axis]);
                        Assert.Equal(values.Length, indices.Length);
                        var chosen = Slices(Tensor<double>.From([.. indices.Select(index => (double)index)], values.Shape), axis).ToArray();
                        foreach (var ((slice, best), order) in Slices(x, axis).Zip(Slices(values, axis)).Zip(chosen))
                        {
                            var expected = Enumerable.Range(0, slice.Length).OrderBy(i => largest ? -slice[i] : slice[i]).ThenBy(i => i).Take(count).ToArray();
                            Assert.Equal(expected.Select(i => (double)i), order);
                            Assert.Equal(expected.Select(i => slice[i]), best);
                        }
                    }
                }
            }
        }
    }

    [Fact]
    public void Of_the_largest_NaN_comes_first_and_equal_ones_in_their_order()
    {
        var x = Tensor<double>.From([1, double.NaN, Infinity, -Infinity, 1, double.NaN, -0.0, 0]);
        Assert.Equal([1, 5, 2, 0, 4, 6, 7, 3], x.TopK(8).Indices);
        Assert.Equal([1, 5, 3, 6, 7, 0, 4, 2], x.TopK(8, largest: false).Indices);
        Assert.Equal([x.ArgMax()[0]], x.TopK(1).Indices);
        Assert.Throws<ArgumentOutOfRangeException>(() => x.TopK(9));
        Assert.Throws<ArgumentOutOfRangeException>(() => x.TopK(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => x.TopK(1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Tensor<double>.Scalar(1).TopK(1));
    }

    [Fact]
    public void Indices_of_the_largest_belong_to_the_caller()
    {
        var x = Leaf(1, 5, 3);
        var (values, indices) = x.TopK(2);
        indices.AsSpan().Clear();
        values.Sum().Backward();
        Assert.Equal([0.0, 1, 1], x.Gradient!.ToArray());
    }

    [Fact]
    public void All_are_differentiated_along_any_axis()
    {
        foreach (var shape in new int[][] { [1], [17], [3, 37], [2, 3, 5] })
        {
            var x = Draw("x", shape);
            Check(() => x.Sin() + (x.Cos() * 2.0), x);
            Check(() => x.LogSumExp() * x, x);
            for (var axis = -1; axis < shape.Length; axis++)
            {
                var size = x.Shape[axis];
                Check(() => x.CumulativeSum(axis), x);
                Check(() => x.CumulativeSum(axis, reverse: true) * x, x);
                Check(() => x.LogSumExp(axis), x);
                Check(() => x.LogSumExp(axis, keepDimensions: true) + x, x);
                Check(() => x.Variance(axis, unbiased: false, keepDimensions: true) * x, x);
                Check(() => x.TopK((size + 1) / 2, axis).Values, x);
                Check(() => x.TopK(size, axis, largest: false).Values * x, x);
                Check(() => x.Unsqueeze(axis).Squeeze(axis) * x, x);
                if (size > 1)
                {
                    Check(() => x.Variance(axis), x);
                    Check(() => x.StandardDeviation(axis), x);
                    Check(() => x.StandardDeviation() * x.Variance(), x);
                }
            }
        }

        var cube = Draw("cube", 2, 3, 4);
        Check(() => cube.LogSumExp([0, 2]), cube);
        Check(() => cube.Variance([0, 1]), cube);
        Check(() => cube.LogSumExp([]), cube);
    }

    private static Tensor<double> Draw(string name, params int[] shape) => Tensor<double>.RandomNormal(new RandomSource(7).Split(name), 0, 1, shape);

    private static Tensor<double> Leaf(params double[] values)
    {
        var x = Tensor<double>.From(values);
        x.RequiresGradient = true;
        return x;
    }

    // The elements along an axis, for every place in the other dimensions in row-major order; by the operation that moves elements only.
    private static IEnumerable<double[]> Slices(Tensor<double> x, int axis)
    {
        axis = axis < 0 ? axis + x.Rank : axis;
        int[] order = [.. Enumerable.Range(0, x.Rank).Where(i => i != axis), axis];
        var rows = x.Permute(order).ToArray();
        var size = x.Shape[axis];
        var count = x.Shape.Where((_, i) => i != axis).Aggregate(1, (product, dimension) => product * dimension);
        return Enumerable.Range(0, count).Select(i => rows[(i * size)..((i + 1) * size)]);
    }

    private static void Check(Func<Tensor<double>> function, Tensor<double> x)
    {
        var result = GradientCheck.Run(() => GradientCheck.Weigh(function()), [("x", x)], new() { Tolerance = 1e-9 });
        Assert.True(result.Passed, result.ToString());
    }

    private static bool Near(double expected, double actual) =>
        expected.Equals(actual) || (double.IsNaN(expected) && double.IsNaN(actual)) || Math.Abs(expected - actual) <= 1e-12 * Math.Max(1, Math.Abs(expected));
}
