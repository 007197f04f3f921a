using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Autograd;

public static partial class TensorOperations
{
    /// <summary>Every element where it is positive, else zero; the slope at zero is zero.</summary>
    /// <param name="input">The tensor.</param>
    public static Tensor<T> Relu<T>(this Tensor<T> input)
        where T : unmanaged, IFloatingPointIeee754<T> => Unary.Apply(input, default(ReluFunction<T>));

    private readonly struct ReluFunction<T> : IUnaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Value<V>(V x)
            where V : struct, IVector<V, T> => V.Max(x, V.Zero);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Slope<V>(V x, V y)
            where V : struct, IVector<V, T> => V.Select(V.LessThan(V.Zero, x), V.One, V.Zero);
    }
}
