using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>The hyperbolic tangent; φ′ = 1 − y².</summary>
public readonly struct Tanh : IActivation
{
    /// <inheritdoc/>
    public static string Name => "tanh";

    /// <inheritdoc/>
    public static bool DerivativeFromOutput => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.Tanh(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Derivative<V, T>(V x, V y)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.One - (y * y);
}

/// <summary>The logistic function 1 / (1 + e⁻ˣ); φ′ = y(1 − y).</summary>
public readonly struct Sigmoid : IActivation
{
    /// <inheritdoc/>
    public static string Name => "sigmoid";

    /// <inheritdoc/>
    public static bool DerivativeFromOutput => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.Sigmoid(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Derivative<V, T>(V x, V y)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => y * (V.One - y);
}

/// <summary>max(0, x) (Nair and Hinton 2010); φ′ is 1 for positive y, else 0.</summary>
public readonly struct Relu : IActivation
{
    /// <inheritdoc/>
    public static string Name => "relu";

    /// <inheritdoc/>
    public static bool DerivativeFromOutput => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.MaxNative(V.Zero, x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Derivative<V, T>(V x, V y)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.Select(V.LessThanOrEqual(y, V.Zero), V.Zero, V.One);
}

/// <summary>x for positive x, else x / 100 (Maas, Hannun and Ng 2013); φ′ is 1 for positive y, else 0.01.</summary>
public readonly struct LeakyRelu : IActivation
{
    /// <inheritdoc/>
    public static string Name => "leaky_relu";

    /// <inheritdoc/>
    public static bool DerivativeFromOutput => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.MaxNative(x * V.Constant(0.01), x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Derivative<V, T>(V x, V y)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.Select(V.LessThanOrEqual(y, V.Zero), V.Constant(0.01), V.One);
}

/// <summary>x for positive x, else eˣ − 1 (Clevert, Unterthiner and Hochreiter 2016); φ′ = min(1, y + 1).</summary>
public readonly struct Elu : IActivation
{
    /// <inheritdoc/>
    public static string Name => "elu";

    /// <inheritdoc/>
    public static bool DerivativeFromOutput => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.Select(V.LessThan(V.Zero, x), x, VectorMath.ExpM1<V, T>(x));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Derivative<V, T>(V x, V y)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.MinNative(V.One, y + V.One);
}

/// <summary>log(1 + eˣ); φ′ = 1 − e⁻ʸ, which is σ(x).</summary>
public readonly struct Softplus : IActivation
{
    /// <inheritdoc/>
    public static string Name => "softplus";

    /// <inheritdoc/>
    public static bool DerivativeFromOutput => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => VectorMath.Softplus<V, T>(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Derivative<V, T>(V x, V y)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => -VectorMath.ExpM1<V, T>(-y);
}

/// <summary>x / (1 + |x|); φ′ = (1 − |y|)².</summary>
public readonly struct Softsign : IActivation
{
    /// <inheritdoc/>
    public static string Name => "softsign";

    /// <inheritdoc/>
    public static bool DerivativeFromOutput => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // The largest number stands in for infinity, whose quotient would be NaN.
        var a = V.MinNative(V.Constant(typeof(T) == typeof(float) ? float.MaxValue : double.MaxValue), V.Abs(x));
        return V.CopySign(a / (V.One + a), x);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Derivative<V, T>(V x, V y)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var rest = V.One - V.Abs(y);
        return rest * rest;
    }
}

/// <summary>x/6 + ½ between 0 and 1, as PyTorch and Keras 3 define it; φ′ is 1/6 where 0 &lt; y &lt; 1, else 0.</summary>
public readonly struct HardSigmoid : IActivation
{
    /// <inheritdoc/>
    public static string Name => "hard_sigmoid";

    /// <inheritdoc/>
    public static bool DerivativeFromOutput => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.MinNative(V.One, V.MaxNative(V.Zero, V.MultiplyAdd(x, V.Constant(1.0 / 6), V.Constant(0.5))));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Derivative<V, T>(V x, V y)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.Select(V.LessThan(V.Zero, y * (V.One - y)), V.Constant(1.0 / 6), V.Zero);
}

/// <summary>x·Φ(x) with the normal distribution function Φ (Hendrycks and Gimpel 2016), exact; φ′ = Φ(x) + x·Φ′(x) cannot be had from y.</summary>
public readonly struct Gelu : IActivation
{
    /// <inheritdoc/>
    public static string Name => "gelu";

    /// <inheritdoc/>
    public static bool DerivativeFromOutput => false;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => VectorMath.Gelu<V, T>(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Derivative<V, T>(V x, V y)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => VectorMath.GeluDerivative<V, T>(x);
}

/// <summary>y = x, the linear unit; φ′ = 1.</summary>
public readonly struct Identity : IActivation
{
    /// <inheritdoc/>
    public static string Name => "identity";

    /// <inheritdoc/>
    public static bool DerivativeFromOutput => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => x;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Derivative<V, T>(V x, V y)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.One;
}
