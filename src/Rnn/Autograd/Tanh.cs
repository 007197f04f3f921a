using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Autograd;

public static partial class TensorOperations
{
    /// <summary>The hyperbolic tangent of every element.</summary>
    /// <param name="input">The tensor.</param>
    public static Tensor<T> Tanh<T>(this Tensor<T> input)
        where T : unmanaged, IFloatingPointIeee754<T> => Unary.Apply(input, default(TanhFunction<T>));

    private readonly struct TanhFunction<T> : IUnaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Value<V>(V x)
            where V : struct, IVector<V, T> => V.Tanh(x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Slope<V>(V x, V y)
            where V : struct, IVector<V, T> => V.One - (y * y);
    }
}
