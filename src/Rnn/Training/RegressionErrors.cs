using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Training;

/// <summary>(x − y)².</summary>
internal readonly struct SquaredError<T> : IElementLoss<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Value<V>(V x, V y, V w)
        where V : struct, IVector<V, T> => (x - y) * (x - y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Derivative<V>(V x, V y, V w)
        where V : struct, IVector<V, T> => (x - y) + (x - y);
}

/// <summary>|x − y|.</summary>
internal readonly struct AbsoluteError<T> : IElementLoss<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Value<V>(V x, V y, V w)
        where V : struct, IVector<V, T> => V.Abs(x - y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Derivative<V>(V x, V y, V w)
        where V : struct, IVector<V, T>
    {
        // Zero and NaN are their own derivatives.
        var difference = x - y;
        return V.Select(V.LessThan(V.Zero, V.Abs(difference)), V.CopySign(V.One, difference), difference);
    }
}

/// <summary>½ (x − y)² near zero, δ (|x − y| − ½ δ) where the difference is above δ.</summary>
internal readonly struct HuberError<T>(T delta) : IElementLoss<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly T _delta = delta;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Value<V>(V x, V y, V w)
        where V : struct, IVector<V, T>
    {
        var distance = V.Abs(x - y);
        var near = V.Min(distance, V.Broadcast(_delta));
        return near * V.MultiplyAdd(V.Constant(-0.5), near, distance);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Derivative<V>(V x, V y, V w)
        where V : struct, IVector<V, T> => V.Max(V.Broadcast(-_delta), V.Min(x - y, V.Broadcast(_delta)));
}
