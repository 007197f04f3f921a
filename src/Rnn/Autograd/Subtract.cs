using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>left − right.</summary>
    /// <param name="left">The left operand.</param>
    /// <param name="right">The right operand; dimensions of one element repeat, as in NumPy.</param>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public static Tensor<T> Subtract<T>(this Tensor<T> left, Tensor<T> right)
        where T : unmanaged, IFloatingPointIeee754<T> => Binary.Apply<T, SubtractFunction<T>>(left, right);

    // value − input, which users write by the operator.
    private static Tensor<T> SubtractFrom<T>(Tensor<T> input, T value)
        where T : unmanaged, IFloatingPointIeee754<T> => Unary.Apply(input, new SubtractFromFunction<T>(value));

    private readonly struct SubtractFromFunction<T>(T value) : IUnaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public static bool ReadsValues => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Value<V>(V x)
            where V : struct, IVector<V, T> => V.Broadcast(value) - x;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Derivative<V>(V x, V y)
            where V : struct, IVector<V, T> => -V.One;
    }

    private readonly struct SubtractFunction<T> : IBinaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public static bool ReadsValues => false;

        public static string Name => "Subtract";

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Value<V>(V a, V b)
            where V : struct, IVector<V, T> => a - b;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V LeftDerivative<V>(V a, V b, V y)
            where V : struct, IVector<V, T> => V.One;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V RightDerivative<V>(V a, V b, V y)
            where V : struct, IVector<V, T> => -V.One;
    }
}
