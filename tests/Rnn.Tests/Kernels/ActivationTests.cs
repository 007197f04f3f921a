using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Tests.Kernels;

/// <summary>Every activation against its formula, and its slope against finite differences, at every width and in both types.</summary>
public class ActivationTests
{
    private static readonly double[] Points = [-50, -9.3, -3.2, -2.9, -1, -0.4, -1e-3, 1e-3, 0.3, 1, 2.1, 2.9, 3.1, 7, 33];

    [Fact]
    public void Tanh() => Check<Tanh>(Math.Tanh);

    [Fact]
    public void Sigmoid() => Check<Sigmoid>(x => 1 / (1 + Math.Exp(-x)));

    [Fact]
    public void ReLU() => Check<Relu>(x => Math.Max(0, x));

    [Fact]
    public void Leaky_ReLU() => Check<LeakyRelu>(x => x > 0 ? x : 0.01 * x);

    [Fact]
    public void ELU() => Check<Elu>(x => x > 0 ? x : Math.Exp(x) - 1);

    [Fact]
    public void Softplus() => Check<Softplus>(x => x > 30 ? x : Math.Log(1 + Math.Exp(x)));

    [Fact]
    public void Softsign() => Check<Softsign>(x => x / (1 + Math.Abs(x)));

    [Fact]
    public void Hard_sigmoid() => Check<HardSigmoid>(x => Math.Clamp((x / 6) + 0.5, 0, 1));

    [Fact]
    public void GELU() => Check<Gelu>(x => x * ReferenceMath.NormalCdf(x).Mantissa.Times2To(ReferenceMath.NormalCdf(x).Exponent).High);

    [Fact]
    public void Identity() => Check<Identity>(x => x);

    [Fact]
    public void Infinities_give_the_limits()
    {
        Assert.Equal((-1.0, 1.0), Limits<Tanh>());
        Assert.Equal((0.0, 1.0), Limits<Sigmoid>());
        Assert.Equal((0.0, double.PositiveInfinity), Limits<Relu>());
        Assert.Equal((double.NegativeInfinity, double.PositiveInfinity), Limits<LeakyRelu>());
        Assert.Equal((-1.0, double.PositiveInfinity), Limits<Elu>());
        Assert.Equal((0.0, double.PositiveInfinity), Limits<Softplus>());
        Assert.Equal((-1.0, 1.0), Limits<Softsign>());
        Assert.Equal((0.0, 1.0), Limits<HardSigmoid>());
        Assert.Equal((0.0, double.PositiveInfinity), Limits<Gelu>());
    }

    private static (double Minus, double Plus) Limits<TActivation>()
        where TActivation : struct, IActivation =>
        (Lanes.Map(Simd.SupportedVectorBits[0], new ApplyFunction<TActivation>(), double.NegativeInfinity) + 0.0,
            Lanes.Map(Simd.SupportedVectorBits[0], new ApplyFunction<TActivation>(), double.PositiveInfinity));

    private static void Check<TActivation>(Func<double, double> formula)
        where TActivation : struct, IActivation
    {
        foreach (var bits in Simd.SupportedVectorBits)
        {
            foreach (var x in Points)
            {
                var expected = formula(x);
                var y = Lanes.Map(bits, new ApplyFunction<TActivation>(), x);
                Assert.Equal(expected, y, 1e-13 * Math.Max(1, Math.Abs(expected)));
                var inSingle = Lanes.Map(bits, new ApplyFunction<TActivation>(), (float)x);
                Assert.Equal(formula((float)x), inSingle, 1e-6 * Math.Max(1, Math.Abs(expected)));

                const double Step = 1e-5;
                var difference = (formula(x + Step) - formula(x - Step)) / (2 * Step);
                var slope = Lanes.Map(bits, new SlopeFunction<TActivation>(y), x);
                Assert.Equal(difference, slope, 1e-9);
                if (TActivation.DerivativeFromOutput)
                {
                    Assert.Equal(slope, Lanes.Map(bits, new SlopeFunction<TActivation>(y), double.NaN));
                }
            }

            Assert.True(double.IsNaN(Lanes.Map(bits, new ApplyFunction<TActivation>(), double.NaN)));
            Assert.True(float.IsNaN(Lanes.Map(bits, new ApplyFunction<TActivation>(), float.NaN)));
        }
    }

    private readonly struct ApplyFunction<TActivation> : ILaneFunction
        where TActivation : struct, IActivation
    {
        public V Apply<V, T>(V x)
            where V : struct, IVector<V, T>
            where T : unmanaged, IFloatingPointIeee754<T> => TActivation.Apply<V, T>(x);
    }

    private readonly struct SlopeFunction<TActivation>(double y) : ILaneFunction
        where TActivation : struct, IActivation
    {
        public V Apply<V, T>(V x)
            where V : struct, IVector<V, T>
            where T : unmanaged, IFloatingPointIeee754<T> => TActivation.Derivative<V, T>(x, V.Constant(y));
    }
}
