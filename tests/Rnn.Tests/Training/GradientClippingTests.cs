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
    public void NormAndClippedGradientsAreThoseOfPyTorch(string limit)
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
    public void ByValueLimitsEveryElementAndKeepsNaN()
    {
        var module = new TestModule<double>(new double[3], new double[3]);
        module.SetGradients([-7, 0.5, double.NaN, double.NegativeInfinity, 2, 9]);
        GradientClipping.ByValue(module, 2);
        Assert.Equal([-2, 0.5, double.NaN, -2, 2, 2], module.Gradients);
        GradientClipping.ByValue(new Sgd<double>(module), 0.25);
        Assert.Equal([-0.25, 0.25, double.NaN, -0.25, 0.25, 0.25], module.Gradients);
    }

    [Fact]
    public void FrozenParametersDoNotCount()
    {
        var module = new TestModule<double>([0], [0]);
        module.SetGradients([3, 400]);
        module.Parameters.Last().Frozen = true;
        Assert.Equal(3, GradientClipping.ByGlobalNorm(module, 1), 1e-12);
        Assert.Equal(400, module.Gradients[1]);
        Assert.Equal(1, module.Gradients[0], 1e-6);
    }

    [Fact]
    public void GradientsThatWereNeverComputedCountAsZero()
    {
        var module = new TestModule<double>([1, 2]);
        Assert.Equal(0, GradientClipping.ByGlobalNorm(module, 1));
        GradientClipping.ByValue(module, 1);
        Assert.Null(GradientClipping.FindNonFinite(module));
    }

    // The sum of squares of large singles exceeds single precision, the norm does not.
    [Fact]
    public void LargeGradientsHaveAFiniteNorm()
    {
        var module = new TestModule<float>(new double[100]);
        module.SetGradients(Enumerable.Repeat(1e30, 100).ToArray());
        Assert.Equal(1e31, GradientClipping.ByGlobalNorm(module, 1), 1e25);
        Assert.All(module.Gradients, gradient => Assert.Equal(0.1, gradient, 1e-6));
    }

    // Long enough for many pieces; added in the wrong precision the ones would be lost beside the large element.
    [Fact]
    public void TheSumIsPrecise()
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
    public void AGradientThatIsNotFiniteIsNamed(double value)
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
    public void AnImpossibleLimitIsNamed(double limit)
    {
        var module = new TestModule<float>([1]);
        Assert.Contains($"maxNorm: expected a number above zero but got {limit}", Assert.Throws<ArgumentOutOfRangeException>(() => GradientClipping.ByGlobalNorm(module, limit)).Message);
        Assert.Contains("limit: expected a number above zero", Assert.Throws<ArgumentOutOfRangeException>(() => GradientClipping.ByValue(module, limit)).Message);
    }
}
