using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Training;

/// <summary>The quantile loss of vectors: with d = y − x the larger of q·d and (q − 1)·d. At d = 0 and for NaN the derivative is d itself.</summary>
internal readonly struct Pinball<V, T>
    where V : struct, IVector<V, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Value(V x, V y, V q)
    {
        var difference = y - x;
        return V.Max(q * difference, (q - V.One) * difference);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Derivative(V x, V y, V q)
    {
        var difference = y - x;
        var slope = V.Select(V.LessThan(V.Zero, difference), V.Zero - q, V.One - q);
        return V.Select(V.LessThan(V.Zero, V.Abs(difference)), slope, difference);
    }
}

/// <summary>The quantile loss of one quantile.</summary>
internal readonly struct QuantileError<T>(T quantile) : IElementLoss<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly T _quantile = quantile;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Value<V>(V x, V y, V w)
        where V : struct, IVector<V, T> => Pinball<V, T>.Value(x, y, V.Broadcast(_quantile));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Derivative<V>(V x, V y, V w)
        where V : struct, IVector<V, T> => Pinball<V, T>.Derivative(x, y, V.Broadcast(_quantile));
}

/// <summary>The quantile loss where the weight of an element is its quantile.</summary>
internal readonly struct WeightedQuantileError<T> : IElementLoss<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Value<V>(V x, V y, V w)
        where V : struct, IVector<V, T> => Pinball<V, T>.Value(x, y, w);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Derivative<V>(V x, V y, V w)
        where V : struct, IVector<V, T> => Pinball<V, T>.Derivative(x, y, w);
}
