using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>Every element where it is positive, else times a small slope.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="negativeSlope">The slope for negative elements and at zero.</param>
    public static Tensor<T> LeakyRelu<T>(this Tensor<T> input, double negativeSlope = 0.01)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Unary.Apply(input, new LeakyReluFunction<T>(Element.From<T>(negativeSlope)));

    private readonly struct LeakyReluFunction<T>(T slope) : IUnaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Value<V>(V x)
            where V : struct, IVector<V, T> => V.Select(V.LessThan(V.Zero, x), x, x * V.Broadcast(slope));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Derivative<V>(V x, V y)
            where V : struct, IVector<V, T> => V.Select(V.LessThan(V.Zero, x), V.One, V.Broadcast(slope));
    }
}
