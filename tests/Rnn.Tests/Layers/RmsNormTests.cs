using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Tests.Layers;

/// <summary>Root mean square normalisation against plain loops; its gradients stand in <c>OperationTests</c>.</summary>
public sealed class RmsNormTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 3)]
    [InlineData(17, 1)]
    [InlineData(37, 37)]
    [InlineData(129, 3)]
    [InlineData(128, 4)]
    public void Rows_are_divided_by_their_root_mean_square(int size, int groups)
    {
        var layer = new RmsNorm<double>(size, new() { Groups = groups });
        new RandomSource(1).FillUniform(layer.Weight!.Value.AsSpan(), -2, 2);
        var x = Tensor<double>.RandomNormal(new RandomSource(2), 0, 3, 2, 5, size);
        var y = layer.Forward(x);
        var group = size / groups;
        for (var row = 0; row < 10; row++)
        {
            for (var i = 0; i < size; i++)
            {
                var sum = 0.0;
                for (var k = i / group * group; k < (i / group * group) + group; k++)
                {
                    sum += x[row / 5, row % 5, k] * x[row / 5, row % 5, k];
                }

                Assert.Equal(layer.Weight.Value[i] * x[row / 5, row % 5, i] / Math.Sqrt((sum / group) + 1e-6), y[row / 5, row % 5, i], 1e-13);
            }
        }
    }

    [Fact]
    public void Rows_whose_squares_leave_the_range_are_normalised_too()
    {
        CheckScales<float>(1e-6, 1e-38, 1e-30, 1e18, 1e30, 1e38);
        CheckScales<double>(1e-14, 1e-300, 1e-160, 1e150, 1e200, 1e307);
    }

    [Fact]
    public void Rows_of_zeros_stay_zeros_and_infinity_gives_no_number()
    {
        Assert.Equal([0f, 0, 0], Tensor<float>.Zeros(1, 3).RmsNorm().ToArray());
        Assert.Contains(float.NaN, Tensor<float>.From([1, float.PositiveInfinity, 2], 1, 3).RmsNorm().ToArray());
        Assert.Equal(new Shape(0, 3), Tensor<float>.Zeros(0, 3).RmsNorm().Shape);
    }

    [Fact]
    public void Sizes_that_do_not_fit_are_refused()
    {
        Starts("options.Groups", Assert.Throws<ArgumentOutOfRangeException>(() => new RmsNorm<float>(4, new() { Groups = 0 })).ParamName);
        Starts("Groups: expected a number that divides the size 4 but got 3", Message(() => new RmsNorm<float>(4, new() { Groups = 3 })));
        Starts("input: expected [..., 4] but got [3]", Message(() => new RmsNorm<float>(4).Forward(Tensor<float>.Zeros(3))));
        Starts("weight: expected [4], the last dimension of the input, but got [3]", Message(() => Tensor<float>.Zeros(2, 4).RmsNorm(Tensor<float>.Zeros(3))));
        Starts("groups: expected a number that divides the last dimension of the input, 4, but got 3", Message(() => Tensor<float>.Zeros(2, 4).RmsNorm(groups: 3)));
        Starts("input: expected one dimension or more but got a scalar", Message(() => Tensor<float>.Scalar(1).RmsNorm()));
        Starts("epsilon", Assert.Throws<ArgumentOutOfRangeException>(() => Tensor<float>.Zeros(2).RmsNorm(epsilon: -1)).ParamName);

        static string Message(Action action) => Assert.ThrowsAny<ArgumentException>(action).Message;

        static void Starts(string expected, string? actual) => Assert.StartsWith(expected, actual, StringComparison.Ordinal);
    }

    // The direction of a row decides, not its length; of its gradient likewise, over the length.
    private static void CheckScales<T>(double tolerance, params double[] scales)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        T[] values = [T.CreateTruncating(0.5), T.CreateTruncating(-1), T.CreateTruncating(0.25)];
        var length = Math.Sqrt((0.25 + 1 + 0.0625) / 3);
        foreach (var scale in scales)
        {
            var x = Tensor<T>.From([.. values.Select(value => value * T.CreateTruncating(scale))], 1, 3);
            x.RequiresGradient = true;
            var y = x.RmsNorm(epsilon: 0);
            y.Slice(1, ..1).Sum().Backward();

            // ∂ŷ₀/∂xₖ = (δ₀ₖ − ŷ₀ŷₖ/3) / (scale·length)
            for (var k = 0; k < 3; k++)
            {
                var expected = double.CreateTruncating(values[k]) / length;
                Assert.Equal(expected, double.CreateTruncating(y[0, k]), tolerance);
                var slope = ((k == 0 ? 1 : 0) - (0.5 / length * expected / 3)) / length;
                Assert.Equal(slope, double.CreateTruncating(x.Gradient![0, k]) * scale, 10 * tolerance);
            }
        }
    }
}
