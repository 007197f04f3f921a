using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Autograd;

public static partial class TensorOperations
{
    /// <summary>The logistic function 1 / (1 + e⁻ˣ) of every element.</summary>
    /// <param name="input">The tensor.</param>
    public static Tensor<T> Sigmoid<T>(this Tensor<T> input)
        where T : unmanaged, IFloatingPointIeee754<T> => Unary.Apply(input, default(SigmoidFunction<T>));

    private readonly struct SigmoidFunction<T> : IUnaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Value<V>(V x)
            where V : struct, IVector<V, T> => V.Sigmoid(x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Slope<V>(V x, V y)
            where V : struct, IVector<V, T> => y * (V.One - y);
    }
}
