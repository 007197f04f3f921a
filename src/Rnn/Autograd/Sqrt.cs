using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>The square root of every element; its derivative at zero is infinite.</summary>
    /// <param name="input">The tensor.</param>
    public static Tensor<T> Sqrt<T>(this Tensor<T> input)
        where T : unmanaged, IFloatingPointIeee754<T> => Unary.Apply(input, default(SqrtFunction<T>));

    private readonly struct SqrtFunction<T> : IUnaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Value<V>(V x)
            where V : struct, IVector<V, T> => V.Sqrt(x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Derivative<V>(V x, V y)
            where V : struct, IVector<V, T> => V.Constant(0.5) / y;
    }
}
