using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Autograd;

/// <summary>A cell's activation as a function that is applied to tensors.</summary>
internal readonly struct ActivationFunction<T, TActivation> : IUnaryFunction<T>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TActivation : struct, IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Value<V>(V x)
        where V : struct, IVector<V, T> => TActivation.Apply<V, T>(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Derivative<V>(V x, V y)
        where V : struct, IVector<V, T> => TActivation.Derivative<V, T>(x, y);
}
