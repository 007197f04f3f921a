using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Onnx.Import;

/// <summary>The error function; slope 2/√π·e^(−x²).</summary>
internal readonly struct ErfFunction<T> : IUnaryFunction<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static bool ReadsValues => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Value<V>(V x)
        where V : struct, IVector<V, T>
    {
        // erf x = 2Φ(x√2) − 1; near zero, where that cancels, the first terms of the series.
        var wide = (V.Constant(2) * VectorMath.NormalCdf<V, T>(x * V.Constant(1.4142135623730951), out _)) - V.One;
        var square = x * x;
        var series = x * V.MultiplyAdd(square, V.MultiplyAdd(square, V.Constant(0.11283791670955126), V.Constant(-0.37612638903183754)), V.Constant(1.1283791670955126));
        return V.Select(V.LessThan(V.Abs(x), V.Constant(1e-3)), series, wide);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Derivative<V>(V x, V y)
        where V : struct, IVector<V, T> => V.Constant(1.1283791670955126) * V.Exp(V.Zero - (x * x));
}

/// <summary>max(0, min(1, αx + β)).</summary>
internal readonly struct HardSigmoidFunction<T>(double alpha, double beta) : IUnaryFunction<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static bool ReadsValues => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Value<V>(V x)
        where V : struct, IVector<V, T> => V.Max(V.Zero, V.Min(V.One, (x * V.Constant(alpha)) + V.Constant(beta)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Derivative<V>(V x, V y)
        where V : struct, IVector<V, T> => V.Select(V.LessThan(V.Zero, y), V.Select(V.LessThan(y, V.One), V.Constant(alpha), V.Zero), V.Zero);
}

/// <summary>αx + β.</summary>
internal readonly struct AffineFunction<T>(double alpha, double beta) : IUnaryFunction<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static bool ReadsValues => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Value<V>(V x)
        where V : struct, IVector<V, T> => (x * V.Constant(alpha)) + V.Constant(beta);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Derivative<V>(V x, V y)
        where V : struct, IVector<V, T> => V.Constant(alpha);
}

/// <summary>α·tanh(βx).</summary>
internal readonly struct ScaledTanhFunction<T>(double alpha, double beta) : IUnaryFunction<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static bool ReadsValues => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Value<V>(V x)
        where V : struct, IVector<V, T> => V.Tanh(x * V.Constant(beta)) * V.Constant(alpha);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Derivative<V>(V x, V y)
        where V : struct, IVector<V, T>
    {
        var tanh = V.Tanh(x * V.Constant(beta));
        return (V.One - (tanh * tanh)) * V.Constant(alpha * beta);
    }
}

/// <summary>x where it is above α (for the activation of recurrent nodes: α or more), else zero.</summary>
internal readonly struct ThresholdedReluFunction<T>(double alpha, bool inclusive) : IUnaryFunction<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static bool ReadsValues => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Value<V>(V x)
        where V : struct, IVector<V, T> => V.Select(IsAbove(x), x, V.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Derivative<V>(V x, V y)
        where V : struct, IVector<V, T> => V.Select(IsAbove(x), V.One, V.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private V IsAbove<V>(V x)
        where V : struct, IVector<V, T> => inclusive ? V.LessThanOrEqual(V.Constant(alpha), x) : V.LessThan(V.Constant(alpha), x);
}

/// <summary>γx where x is positive, else γα(eˣ − 1): Selu.</summary>
internal readonly struct SeluFunction<T>(double alpha, double gamma) : IUnaryFunction<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static bool ReadsValues => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Value<V>(V x)
        where V : struct, IVector<V, T> =>
        V.Constant(gamma) * V.Select(V.LessThan(V.Zero, x), x, V.Constant(alpha) * (V.Exp(V.Min(x, V.Zero)) - V.One));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Derivative<V>(V x, V y)
        where V : struct, IVector<V, T> => V.Constant(gamma) * V.Select(V.LessThan(V.Zero, x), V.One, V.Constant(alpha) * V.Exp(V.Min(x, V.Zero)));
}

/// <summary>1/x.</summary>
internal readonly struct ReciprocalFunction<T> : IUnaryFunction<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static bool ReadsValues => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Value<V>(V x)
        where V : struct, IVector<V, T> => V.One / x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Derivative<V>(V x, V y)
        where V : struct, IVector<V, T> => V.Zero - (y * y);
}
