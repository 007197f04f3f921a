using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>Every element brought into a range; no gradient flows through elements outside of it.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="minimum">The lower end.</param>
    /// <param name="maximum">The upper end.</param>
    /// <exception cref="ArgumentException">The lower end is above the upper.</exception>
    public static Tensor<T> Clamp<T>(this Tensor<T> input, double minimum, double maximum)
        where T : unmanaged, IFloatingPointIeee754<T> => minimum <= maximum
        ? Unary.Apply(input, new ClampFunction<T>(Element.From<T>(minimum), Element.From<T>(maximum)))
        : throw new ArgumentException($"minimum: expected at most the maximum, {maximum}, but got {minimum}.", nameof(minimum));

    private readonly struct ClampFunction<T>(T minimum, T maximum) : IUnaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Value<V>(V x)
            where V : struct, IVector<V, T> => V.Min(V.Max(x, V.Broadcast(minimum)), V.Broadcast(maximum));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Derivative<V>(V x, V y)
            where V : struct, IVector<V, T> => V.Select(V.EqualTo(x, y), V.One, V.Zero);
    }
}
