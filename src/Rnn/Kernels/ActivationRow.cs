using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>A nonlinearity over rows of numbers: y = φ(x), x cut to within ±clip first.</summary>
/// <remarks>
/// What a cell takes as a type parameter costs nothing there, and one instance of the cell's code for each choice. A cell whose activations are known only when a program runs
/// has them applied to whole rows instead, which lie in the first-level cache: one virtual call for a row.
/// </remarks>
internal abstract unsafe class ActivationRow<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>y = φ(x) for <paramref name="count"/> elements; x and y may be the same.</summary>
    internal abstract void Apply(T* x, T* y, nint count);

    /// <summary>y = φ(x), and φ′(x), which is zero beyond the clip, for <paramref name="count"/> elements; x and y may be the same.</summary>
    internal abstract void Apply(T* x, T* y, T* derivative, nint count);

    /// <summary>to += weights ⊙ source for <paramref name="count"/> elements.</summary>
    internal static void AddWeighted(T* weights, T* source, T* to, nint count) => Elementwise<T, Weighted>.Run(new(weights, source, to), count);

    private readonly struct Weighted(T* weights, T* source, T* to) : IElementwise<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Run<V, TLanes>(TLanes lanes, nint i)
            where V : struct, IVector<V, T>
            where TLanes : struct, ILanes<V, T> => lanes.Store(V.MultiplyAdd(lanes.Load(weights + i), lanes.Load(source + i), lanes.Load(to + i)), to + i);
    }
}

/// <inheritdoc/>
/// <typeparam name="T">The element type.</typeparam>
/// <typeparam name="TActivation">φ.</typeparam>
/// <param name="alpha">α, where φ has one.</param>
/// <param name="beta">β, where φ has one.</param>
/// <param name="clip">What x is cut to; infinity for no limit.</param>
internal sealed unsafe class ActivationRow<T, TActivation>(T alpha, T beta, T clip) : ActivationRow<T>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TActivation : struct, IRowActivation
{
    internal override void Apply(T* x, T* y, nint count) => Elementwise<T, Values>.Run(new(x, y, alpha, beta, clip), count);

    internal override void Apply(T* x, T* y, T* derivative, nint count) =>
        Elementwise<T, ValuesAndDerivatives>.Run(new(x, y, derivative, alpha, beta, clip), count);

    private readonly struct Values(T* x, T* y, T alpha, T beta, T clip) : IElementwise<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Run<V, TLanes>(TLanes lanes, nint i)
            where V : struct, IVector<V, T>
            where TLanes : struct, ILanes<V, T>
        {
            // The value stands second, so that a NaN is handed on.
            var limited = V.MaxNative(V.Broadcast(-clip), V.MinNative(V.Broadcast(clip), lanes.Load(x + i)));
            lanes.Store(TActivation.Apply<V, T>(limited, V.Broadcast(alpha), V.Broadcast(beta)), y + i);
        }
    }

    private readonly struct ValuesAndDerivatives(T* x, T* y, T* derivative, T alpha, T beta, T clip) : IElementwise<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Run<V, TLanes>(TLanes lanes, nint i)
            where V : struct, IVector<V, T>
            where TLanes : struct, ILanes<V, T>
        {
            var value = lanes.Load(x + i);
            var limited = V.MaxNative(V.Broadcast(-clip), V.MinNative(V.Broadcast(clip), value));
            lanes.Store(TActivation.Apply<V, T>(limited, V.Broadcast(alpha), V.Broadcast(beta), out var slope), y + i);
            lanes.Store(V.Select(V.LessThan(V.Broadcast(clip), V.Abs(value)), V.Zero, slope), derivative + i);
        }
    }
}
