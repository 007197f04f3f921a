using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>−1, 0 or 1 by the sign of every element, NaN where it is NaN; the gradient is zero everywhere.</summary>
    /// <param name="input">The tensor.</param>
    public static Tensor<T> Sign<T>(this Tensor<T> input)
        where T : unmanaged, IFloatingPointIeee754<T> => Unary.Apply(input, default(SignFunction<T>));

    private readonly struct SignFunction<T> : IUnaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public static bool ReadsValues => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Value<V>(V x)
            where V : struct, IVector<V, T> => V.Select(V.LessThan(V.Zero, V.Abs(x)), V.CopySign(V.One, x), x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Derivative<V>(V x, V y)
            where V : struct, IVector<V, T> => V.Zero;
    }
}
