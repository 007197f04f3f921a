using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>A nonlinearity with up to two numbers, α and β, that are known only when a program runs; applied to whole rows (<see cref="ActivationRow{T}"/>).</summary>
internal interface IRowActivation
{
    /// <summary>y = φ(x; α, β).</summary>
    static abstract V Apply<V, T>(V x, V alpha, V beta)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>;

    /// <summary>y = φ(x; α, β) and φ′(x; α, β).</summary>
    static abstract V Apply<V, T>(V x, V alpha, V beta, out V derivative)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>;
}

/// <summary>A nonlinearity without numbers of its own.</summary>
/// <typeparam name="TActivation">φ.</typeparam>
internal readonly struct PlainActivation<TActivation> : IRowActivation
    where TActivation : struct, IActivation
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => TActivation.Apply<V, T>(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x, V alpha, V beta, out V derivative)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var y = TActivation.Apply<V, T>(x);
        derivative = TActivation.Derivative<V, T>(x, y);
        return y;
    }
}
