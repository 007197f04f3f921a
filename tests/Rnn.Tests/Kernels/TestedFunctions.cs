using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Tests.Kernels;

/// <summary>A function of <see cref="VectorMath"/> beside its reference and the error that its documentation states.</summary>
internal interface ITestedFunction
{
    static abstract double MaxUlpSingle { get; }

    static abstract double MaxUlpDouble { get; }

    static abstract V Apply<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>;

    static abstract Scaled Reference(double x);
}

internal readonly struct ExpFunction : ITestedFunction
{
    public static double MaxUlpSingle => 0.96;

    public static double MaxUlpDouble => 0.9;

    public static V Apply<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.Exp(x);

    public static Scaled Reference(double x) => ReferenceMath.Exp(x);
}

internal readonly struct ExpM1Function : ITestedFunction
{
    public static double MaxUlpSingle => 2.1;

    public static double MaxUlpDouble => 2.6;

    public static V Apply<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => VectorMath.ExpM1<V, T>(x);

    public static Scaled Reference(double x) => ReferenceMath.ExpM1(x);
}

internal readonly struct SigmoidFunction : ITestedFunction
{
    public static double MaxUlpSingle => 2.5;

    public static double MaxUlpDouble => 2.5;

    public static V Apply<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.Sigmoid(x);

    public static Scaled Reference(double x) => ReferenceMath.Sigmoid(x);
}

internal readonly struct TanhFunction : ITestedFunction
{
    public static double MaxUlpSingle => 2.5;

    public static double MaxUlpDouble => 2.5;

    public static V Apply<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.Tanh(x);

    public static Scaled Reference(double x) => ReferenceMath.Tanh(x);
}

internal readonly struct LogFunction : ITestedFunction
{
    public static double MaxUlpSingle => 0.85;

    public static double MaxUlpDouble => 0.8;

    public static V Apply<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => VectorMath.Log<V, T>(x);

    public static Scaled Reference(double x) => ReferenceMath.Log(x);
}

internal readonly struct SoftplusFunction : ITestedFunction
{
    public static double MaxUlpSingle => 2.4;

    public static double MaxUlpDouble => 2.2;

    public static V Apply<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => VectorMath.Softplus<V, T>(x);

    public static Scaled Reference(double x) => ReferenceMath.Softplus(x);
}

internal readonly struct NormalCdfFunction : ITestedFunction
{
    public static double MaxUlpSingle => 6;

    public static double MaxUlpDouble => 7;

    public static V Apply<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => VectorMath.NormalCdf<V, T>(x, out _);

    public static Scaled Reference(double x) => ReferenceMath.NormalCdf(x);
}
