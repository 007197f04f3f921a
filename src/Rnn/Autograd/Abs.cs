using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Autograd;

public static partial class TensorOperations
{
    /// <summary>The absolute value of every element; the slope at zero is zero.</summary>
    /// <param name="input">The tensor.</param>
    public static Tensor<T> Abs<T>(this Tensor<T> input)
        where T : unmanaged, IFloatingPointIeee754<T> => Unary.Apply(input, default(AbsFunction<T>));

    private readonly struct AbsFunction<T> : IUnaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Value<V>(V x)
            where V : struct, IVector<V, T> => V.Abs(x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Slope<V>(V x, V y)
            where V : struct, IVector<V, T> => V.Select(V.EqualTo(x, V.Zero), V.Zero, V.CopySign(V.One, x));
    }
}
