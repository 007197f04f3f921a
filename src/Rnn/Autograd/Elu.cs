using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>Every element where it is positive, else α·(eˣ − 1) (Clevert, Unterthiner and Hochreiter, 2016).</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="alpha">For very negative elements the result goes to −α.</param>
    public static Tensor<T> Elu<T>(this Tensor<T> input, double alpha = 1)
        where T : unmanaged, IFloatingPointIeee754<T> => Unary.Apply(input, new EluFunction<T>(Element.From<T>(alpha)));

    private readonly struct EluFunction<T>(T alpha) : IUnaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Value<V>(V x)
            where V : struct, IVector<V, T> => V.Select(V.LessThan(V.Zero, x), x, V.Broadcast(alpha) * VectorMath.ExpM1<V, T>(x));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Derivative<V>(V x, V y)
            where V : struct, IVector<V, T> => V.Select(V.LessThan(V.Zero, x), V.One, V.Broadcast(alpha) * V.Exp(x));
    }
}
