using System.Numerics;
using Rnn.Tests.Golden;
using Rnn.Training;

namespace Rnn.Tests.Training;

public class GradientClippingTests
{
    private static readonly GoldenFile Golden = GoldenFile.Open("optimizers.safetensors");

    [Theory]
    [InlineData("0.5")]
    [InlineData("5.0")]
    [InlineData("100.0")]
    public void Norm_and_clipped_gradients_are_those_of_PyTorch(string limit)
    {
        Check<double>(1e-13);
        Check<float>(1e-6);

        void Check<T>(double tolerance)
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            var module = TestModule<T>.Split(new double[57], 37, 20);
            var optimizer = new Sgd<T>(module);
            foreach (var byModule in new[] { true, false })
            {
                module.SetGradients(Golden.Values("clip/gradients"));
                var max = double.Parse(limit);
                var norm = byModule ? GradientClipping.ByGlobalNorm(module, max) : GradientClipping.ByGlobalNorm(optimizer, max);
                Assert.Equal(Golden.Values($"clip/norm/{limit}")[0], norm, tolerance * 10);
                TestModule<T>.AssertClose(Golden.Values($"clip/clipped/{limit}"), module.Gradients, tolerance);
            }
        }
    }

    [Fact]
    public void By_value_limits_every_element()
    {
        var module = new TestModule<double>(new double[3], new double[3]);
        module.SetGradients([-7, 0.5, 0, -3, 2, 9]);
        Assert.True(GradientClipping.ByValue(module, 2));
        Assert.Equal([-2, 0.5, 0, -2, 2, 2], module.Gradients);
        Assert.True(GradientClipping.ByValue(new Sgd<double>(module), 0.25));
        Assert.Equal([-0.25, 0.25, 0, -0.25, 0.25, 0.25], module.Gradients);
    }

    // A limit would make a good gradient of an infinite one.
    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void By_value_hides_nothing(double value)
    {
        var module = new TestModule<float>(new double[40], new double[70]);
        var gradients = Enumerable.Range(0, 110).Select(i => (double)i).ToArray();
        gradients[40 + 33] = value;
        module.SetGradients(gradients);
        Assert.Equal(("p1", 33), At(Assert.Throws<NonFiniteGradientException>(() => GradientClipping.ByValue(module, 1))));
        Assert.False(GradientClipping.ByValue(module, 1, NonFinitePolicy.SkipStep));
        var optimizer = new Adam<float>(module);
        Assert.Equal(("p1", 33), At(Assert.Throws<NonFiniteGradientException>(() => GradientClipping.ByValue(optimizer, 1))));
        Assert.False(GradientClipping.ByValue(optimizer, 1, NonFinitePolicy.SkipStep));
        Assert.Equal(gradients, module.Gradients);

        static (string, int) At(NonFiniteGradientException error) => (error.ParameterName, error.Index);
    }

    // Squares that leave the range of the element type, or of double precision.
    [Fact]
    public void Norms_at_the_ends_of_the_range_are_right()
    {
        Check<float>([1e25, 1e25], Math.Sqrt(2) * 1e25, 1e-6);
        Check<float>([3e-25, 4e-25], 5e-25, 1e-6);
        Check<float>([3e38, -3e38, 0], Math.Sqrt(2) * 3e38, 1e-6);
        Check<float>([1e-45, 0], 1.4012984643e-45, 1e-6);
        Check<float>([3e-19, 4e-19], 5e-19, 1e-6);
        Check<double>([3e154, 4e154], 5e154, 1e-15);
        Check<double>([3e200, 4e200], 5e200, 1e-15);
        Check<double>([3e-200, 4e-200], 5e-200, 1e-15);
        Check<double>([5e-324, 0], 5e-324, 1e-15);
        Check<double>([3e-160, 4e-160], 5e-160, 1e-15);
        Check<double>([1.2e308, 1.2e308], Math.Sqrt(2) * 1.2e308, 1e-15);
        Assert.Equal(0, GradientClipping.GlobalNorm(new TestModule<double>([1])));

        static void Check<T>(double[] gradients, double expected, double tolerance)
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            // In one parameter, in several, and beside others of the usual size that make them nothing.
            foreach (var lengths in new[] { [gradients.Length], Enumerable.Repeat(1, gradients.Length).ToArray() })
            {
                var module = TestModule<T>.Split(gradients, lengths);
                module.SetGradients(gradients);
                Assert.Equal(1, GradientClipping.GlobalNorm(module) / expected, tolerance);
                var optimizer = new Sgd<T>(module);
                Assert.Equal(1, GradientClipping.GlobalNorm(optimizer) / expected, tolerance);
                foreach (var limit in new[] { 1, expected / 2 })
                {
                    if (T.CreateTruncating(limit) == T.Zero || (limit == 1 && expected < 1))
                    {
                        continue;
                    }

                    module.SetGradients(gradients);
                    var norm = limit == 1 ? GradientClipping.ByGlobalNorm(module, limit) : GradientClipping.ByGlobalNorm(optimizer, limit);
                    Assert.Equal(1, norm / expected, tolerance);
                    if (limit > 1e-300 && (typeof(T) == typeof(double) || limit > 1e-37))
                    {
                        Assert.All(gradients.Zip(module.Gradients), pair => Assert.Equal(pair.First / expected * limit, pair.Second, 2e-3 * limit));
                    }
                }
            }
        }
    }

    // Two parameters whose length together exceeds double precision are clipped all the same.
    [Fact]
    public void A_norm_beyond_double_is_still_a_limit()
    {
        var module = new TestModule<double>([0, 0], [0, 0]);
        module.SetGradients([1.7e308, 1.7e308, 1.7e308, -1.7e308]);
        Assert.Equal(double.PositiveInfinity, GradientClipping.ByGlobalNorm(module, 2));
        Assert.All(module.Gradients, gradient => Assert.Equal(1, Math.Abs(gradient), 1e-6));
    }

    [Fact]
    public void Sizes_of_all_kinds_add_up()
    {
        var module = new TestModule<double>([0], [0], [0], [0]);
        module.SetGradients([3e200, 1, 4e200, 1e-200]);
        Assert.Equal(5e200, GradientClipping.GlobalNorm(module), 1e186);
        module.SetGradients([1e-200, 3, 0, 4]);
        Assert.Equal(5, GradientClipping.GlobalNorm(module), 1e-14);
    }

    [Fact]
    public void Frozen_parameters_do_not_count()
    {
        var module = new TestModule<double>([0], [0]);
        module.SetGradients([3, 400]);
        module.Parameters.Last().Frozen = true;
        Assert.Equal(3, GradientClipping.ByGlobalNorm(module, 1), 1e-12);
        Assert.Equal(400, module.Gradients[1]);
        Assert.Equal(1, module.Gradients[0], 1e-6);
    }

    [Fact]
    public void Gradients_that_were_never_computed_count_as_zero()
    {
        var module = new TestModule<double>([1, 2]);
        Assert.Equal(0, GradientClipping.ByGlobalNorm(module, 1));
        GradientClipping.ByValue(module, 1);
        Assert.Null(GradientClipping.FindNonFinite(module));
    }

    // The sum of squares of large singles exceeds single precision, the norm does not.
    [Fact]
    public void Large_gradients_have_a_finite_norm()
    {
        var module = new TestModule<float>(new double[100]);
        module.SetGradients(Enumerable.Repeat(1e30, 100).ToArray());
        Assert.Equal(1e31, GradientClipping.ByGlobalNorm(module, 1), 1e25);
        Assert.All(module.Gradients, gradient => Assert.Equal(0.1, gradient, 1e-6));
    }

    // Long enough for many pieces; added in the wrong precision the ones would be lost beside the large element.
    [Fact]
    public void The_sum_is_precise()
    {
        var module = new TestModule<float>([.. Enumerable.Repeat(1.0, 400_000)]);
        var gradients = Enumerable.Repeat(1.0, 400_000).ToArray();
        gradients[7] = 1000;
        module.SetGradients(gradients);
        Assert.Equal(Math.Sqrt(1e6 + 399_999), GradientClipping.GlobalNorm(module), 1e-9);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void A_gradient_that_is_not_finite_is_named(double value)
    {
        var module = new TestModule<float>(new double[40], new double[70]);
        var gradients = new double[110];
        gradients[40 + 33] = value;
        module.SetGradients(gradients);
        var error = Assert.Throws<NonFiniteGradientException>(() => GradientClipping.ByGlobalNorm(module, 1));
        Assert.Equal(("p1", 33, value), (error.ParameterName, error.Index, error.Value));
        Assert.Contains($"the gradient of 'p1' is {value} at element 33", error.Message);
        var optimizer = new Adam<float>(module);
        Assert.Equal("p1", Assert.Throws<NonFiniteGradientException>(() => GradientClipping.ByGlobalNorm(optimizer, 1)).ParameterName);
        Assert.Equal(new NonFiniteGradient("p1", 33, value), GradientClipping.FindNonFinite(optimizer));

        Assert.False(double.IsFinite(GradientClipping.ByGlobalNorm(optimizer, 1, NonFinitePolicy.SkipStep)));
        Assert.Equal(gradients, module.Gradients);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    public void An_impossible_limit_is_named(double limit)
    {
        var module = new TestModule<float>([1]);
        Assert.Contains($"maxNorm: expected a number above zero but got {limit}", Assert.Throws<ArgumentOutOfRangeException>(() => GradientClipping.ByGlobalNorm(module, limit)).Message);
        Assert.Contains("limit: expected a number above zero", Assert.Throws<ArgumentOutOfRangeException>(() => GradientClipping.ByValue(module, limit)).Message);
        Assert.Contains("limit: expected a number above zero but got 1E-50", Assert.Throws<ArgumentOutOfRangeException>(() => GradientClipping.ByValue(new TestModule<float>([1]), 1e-50)).Message);
    }
}
