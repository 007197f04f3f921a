using Rnn.Kernels;

namespace Rnn.Tests.Kernels;

/// <summary>The ends of the range of <see cref="VectorMath"/>: infinities, NaN with any payload, signed zeros, denormals, saturation, overflow.</summary>
public class VectorMathSpecialTests
{
    private const float Tiny = 1e-45f;

    // A NaN whose low bits are set: bit tricks must not make a number of it.
    private static readonly float OddNaN = BitConverter.Int32BitsToSingle(0x7FA00155);

    [Fact]
    public void Exp() => Check(
        default(Apply<ExpFunction>),
        (0, 1), (-0f, 1), (Tiny, 1), (88.72283f, 3.4027985e38f), (88.72284f, float.PositiveInfinity), (1e30f, float.PositiveInfinity),
        (float.PositiveInfinity, float.PositiveInfinity), (float.NegativeInfinity, 0), (-103.9f, Tiny), (-104f, 0), (-100f, 3.8e-44f));

    [Fact]
    public void ExpM1() => Check(
        default(Apply<ExpM1Function>),
        (0, 0), (-0f, -0f), (Tiny, Tiny), (-Tiny, -Tiny), (88.72284f, float.PositiveInfinity), (float.PositiveInfinity, float.PositiveInfinity),
        (-18, -1), (float.NegativeInfinity, -1));

    [Fact]
    public void Sigmoid() => Check(
        default(Apply<SigmoidFunction>),
        (0, 0.5f), (-0f, 0.5f), (Tiny, 0.5f), (20, 1), (1e30f, 1), (float.PositiveInfinity, 1), (float.NegativeInfinity, 0), (-1e30f, 0), (-104, 0));

    [Fact]
    public void Tanh() => Check(
        default(Apply<TanhFunction>),
        (0, 0), (-0f, -0f), (Tiny, Tiny), (-Tiny, -Tiny), (1e-30f, 1e-30f), (20, 1), (-20, -1), (9.02f, 1), (float.PositiveInfinity, 1), (float.NegativeInfinity, -1));

    [Fact]
    public void Log() => Check(
        default(Apply<LogFunction>),
        (1, 0), (0, float.NegativeInfinity), (-0f, float.NegativeInfinity), (-1, float.NaN), (float.NegativeInfinity, float.NaN),
        (float.PositiveInfinity, float.PositiveInfinity), (Tiny, -103.27893f), (float.MaxValue, 88.72284f));

    [Fact]
    public void Softplus() => Check(
        default(Apply<SoftplusFunction>),
        (100, 100), (float.MaxValue, float.MaxValue), (float.PositiveInfinity, float.PositiveInfinity), (float.NegativeInfinity, 0), (-100, 3.8e-44f));

    [Fact]
    public void Normal_CDF() => Check(
        default(Apply<NormalCdfFunction>), (6, 1), (float.PositiveInfinity, 1), (-15, 0), (float.NegativeInfinity, 0));

    private static void Check<TFunction>(TFunction function, params (float X, float Expected)[] values)
        where TFunction : struct, ILaneFunction
    {
        foreach (var bits in Simd.SupportedVectorBits)
        {
            foreach (var (x, expected) in values)
            {
                // Equals tells −0 from 0 by the bits below; NaN equals NaN.
                var y = Lanes.Map(bits, function, x);
                Assert.True(
                    y.Equals(expected) && float.IsNegative(y) == float.IsNegative(expected) || (float.IsNaN(y) && float.IsNaN(expected)),
                    $"at {x}: expected {expected} but got {y} with {bits} bits");
            }

            Assert.True(float.IsNaN(Lanes.Map(bits, function, float.NaN)));
            Assert.True(float.IsNaN(Lanes.Map(bits, function, OddNaN)));
            Assert.True(float.IsNaN(Lanes.Map(bits, function, -OddNaN)));
            Assert.True(double.IsNaN(Lanes.Map(bits, function, BitConverter.Int64BitsToDouble(0x7FF4000000000555))));
        }
    }

    private readonly struct Apply<TFunction> : ILaneFunction
        where TFunction : ITestedFunction
    {
        V ILaneFunction.Apply<V, T>(V x) => TFunction.Apply<V, T>(x);
    }
}
