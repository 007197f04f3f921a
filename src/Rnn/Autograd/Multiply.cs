using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>left · right, element by element.</summary>
    /// <param name="left">The left operand.</param>
    /// <param name="right">The right operand; dimensions of one element repeat, as in NumPy.</param>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public static Tensor<T> Multiply<T>(this Tensor<T> left, Tensor<T> right)
        where T : unmanaged, IFloatingPointIeee754<T> => Binary.Apply<T, MultiplyFunction<T>>(left, right);

    /// <summary>input · value for every element.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="value">The factor.</param>
    public static Tensor<T> Multiply<T>(this Tensor<T> input, T value)
        where T : unmanaged, IFloatingPointIeee754<T> => Unary.Apply(input, new MultiplyScalarFunction<T>(value));

    private readonly struct MultiplyScalarFunction<T>(T value) : IUnaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public static bool ReadsValues => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Value<V>(V x)
            where V : struct, IVector<V, T> => x * V.Broadcast(value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Derivative<V>(V x, V y)
            where V : struct, IVector<V, T> => V.Broadcast(value);
    }

    private readonly struct MultiplyFunction<T> : IBinaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public static string Name => "Multiply";

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Value<V>(V a, V b)
            where V : struct, IVector<V, T> => a * b;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V LeftDerivative<V>(V a, V b, V y)
            where V : struct, IVector<V, T> => b;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V RightDerivative<V>(V a, V b, V y)
            where V : struct, IVector<V, T> => a;
    }
}
