using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>αx + β.</summary>
internal readonly struct AffineRow : IRowActivation
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.MultiplyAdd(alpha, x, beta);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta, out V derivative)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        derivative = alpha;
        return V.MultiplyAdd(alpha, x, beta);
    }
}

/// <summary>x, or αx where x is negative (Maas, Hannun and Ng 2013).</summary>
internal readonly struct LeakyReluRow : IRowActivation
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.Select(V.LessThan(x, V.Zero), alpha * x, x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta, out V derivative)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        derivative = V.Select(V.LessThan(x, V.Zero), alpha, V.One);
        return V.Select(V.LessThan(x, V.Zero), alpha * x, x);
    }
}

/// <summary>x where x ≥ α, else 0 (Konda, Memisevic and Krueger 2015).</summary>
internal readonly struct ThresholdedReluRow : IRowActivation
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.Select(V.LessThan(x, alpha), V.Zero, x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta, out V derivative)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        derivative = V.Select(V.LessThan(x, alpha), V.Zero, V.One);
        return V.Select(V.LessThan(x, alpha), V.Zero, x);
    }
}

/// <summary>α·tanh(βx).</summary>
internal readonly struct ScaledTanhRow : IRowActivation
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => alpha * V.Tanh(beta * x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta, out V derivative)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var t = V.Tanh(beta * x);
        derivative = alpha * beta * (V.One - (t * t));
        return alpha * t;
    }
}

/// <summary>αx + β, cut to between 0 and 1.</summary>
internal readonly struct HardSigmoidRow : IRowActivation
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.MinNative(V.One, V.MaxNative(V.Zero, V.MultiplyAdd(alpha, x, beta)));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta, out V derivative)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var y = V.MinNative(V.One, V.MaxNative(V.Zero, V.MultiplyAdd(alpha, x, beta)));
        derivative = V.Select(V.LessThan(V.Zero, y * (V.One - y)), alpha, V.Zero);
        return y;
    }
}

/// <summary>x, or α(eˣ − 1) where x is not positive (Clevert, Unterthiner and Hochreiter 2016).</summary>
internal readonly struct EluRow : IRowActivation
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.Select(V.LessThan(V.Zero, x), x, alpha * VectorMath.ExpM1<V, T>(x));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta, out V derivative)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var y = alpha * VectorMath.ExpM1<V, T>(x);
        var positive = V.LessThan(V.Zero, x);
        derivative = V.Select(positive, V.One, y + alpha);
        return V.Select(positive, x, y);
    }
}

/// <summary>λx, or λα(eˣ − 1) where x is not positive, with the paper's λ and α (Klambauer et al. 2017, arXiv:1706.02515).</summary>
internal readonly struct SeluRow : IRowActivation
{
    private const double Scale = 1.0507009873554804934;
    private const double ScaledAlpha = 1.7580993408473768600;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.Select(V.LessThan(V.Zero, x), x * V.Constant(Scale), V.Constant(ScaledAlpha) * VectorMath.ExpM1<V, T>(x));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta, out V derivative)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var y = V.Constant(ScaledAlpha) * VectorMath.ExpM1<V, T>(x);
        var positive = V.LessThan(V.Zero, x);
        derivative = V.Select(positive, V.Constant(Scale), y + V.Constant(ScaledAlpha));
        return V.Select(positive, x * V.Constant(Scale), y);
    }
}

/// <summary>eˣ.</summary>
internal readonly struct ExponentialRow : IRowActivation
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.Exp(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta, out V derivative)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        derivative = V.Exp(x);
        return derivative;
    }
}

/// <summary>x·σ(x), also called swish (Ramachandran, Zoph and Le 2017, arXiv:1710.05941).</summary>
internal readonly struct SiluRow : IRowActivation
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => Limited<V, T>(x) * V.Sigmoid(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta, out V derivative)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var s = V.Sigmoid(x);
        var limited = Limited<V, T>(x);
        derivative = V.MultiplyAdd(limited * s, V.One - s, s);
        return limited * s;
    }

    /// <summary>x, from below no lower than where its product with what vanishes there is zero: −∞ times zero would be NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Limited<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.MaxNative(V.Constant(-1000.0), x);
}

/// <summary>½x(1 + tanh(√(2/π)(x + 0.044715x³))), the approximation of the Gaussian error linear unit (Hendrycks and Gimpel 2016).</summary>
internal readonly struct GeluTanhRow : IRowActivation
{
    private const double Inner = 0.79788456080286535588;
    private const double Cubic = 0.044715;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        x = V.MaxNative(V.Constant(-40.0), x);
        var bounded = V.MinNative(V.Constant(40.0), x);
        var t = V.Tanh(bounded * V.MultiplyAdd(bounded * bounded, V.Constant(Inner * Cubic), V.Constant(Inner)));
        return x * (V.Constant(0.5) * (V.One + t));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta, out V derivative)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        x = V.MaxNative(V.Constant(-40.0), x);
        var bounded = V.MinNative(V.Constant(40.0), x);
        var square = bounded * bounded;
        var t = V.Tanh(bounded * V.MultiplyAdd(square, V.Constant(Inner * Cubic), V.Constant(Inner)));
        var slope = V.MultiplyAdd(square, V.Constant(3 * Inner * Cubic), V.Constant(Inner));
        derivative = V.Constant(0.5) * V.MultiplyAdd(bounded * (V.One - (t * t)), slope, V.One + t);
        return x * (V.Constant(0.5) * (V.One + t));
    }
}

/// <summary>x·tanh(log(1 + eˣ)) (Misra 2019, arXiv:1908.08681).</summary>
internal readonly struct MishRow : IRowActivation
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => SiluRow.Limited<V, T>(x) * V.Tanh(VectorMath.Softplus<V, T>(x));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta, out V derivative)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var t = V.Tanh(VectorMath.Softplus<V, T>(x));
        var limited = SiluRow.Limited<V, T>(x);
        derivative = V.MultiplyAdd(limited * (V.One - (t * t)), V.Sigmoid(x), t);
        return limited * t;
    }
}

/// <summary>x, cut to between 0 and 6.</summary>
internal readonly struct Relu6Row : IRowActivation
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.MinNative(V.Constant(6), V.MaxNative(V.Zero, x));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta, out V derivative)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var y = V.MinNative(V.Constant(6), V.MaxNative(V.Zero, x));
        derivative = V.Select(V.LessThan(V.Zero, y * (V.Constant(6) - y)), V.One, V.Zero);
        return y;
    }
}

/// <summary>x·(x/6 + ½, cut to between 0 and 1), also called hard swish (Howard et al. 2019, arXiv:1905.02244).</summary>
internal readonly struct HardSiluRow : IRowActivation
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => x * V.MinNative(V.One, V.MaxNative(V.Zero, V.MultiplyAdd(x, V.Constant(1.0 / 6), V.Constant(0.5))));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta, out V derivative)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var gate = V.MinNative(V.One, V.MaxNative(V.Zero, V.MultiplyAdd(x, V.Constant(1.0 / 6), V.Constant(0.5))));
        derivative = gate + V.Select(V.LessThan(V.Zero, gate * (V.One - gate)), x * V.Constant(1.0 / 6), V.Zero);
        return x * gate;
    }
}
