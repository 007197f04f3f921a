using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>left / right, element by element.</summary>
    /// <param name="left">The left operand.</param>
    /// <param name="right">The right operand; dimensions of one element repeat, as in NumPy.</param>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public static Tensor<T> Divide<T>(this Tensor<T> left, Tensor<T> right)
        where T : unmanaged, IFloatingPointIeee754<T> => Binary.Apply<T, DivideFunction<T>>(left, right);

    /// <summary>input / value for every element.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="value">The divisor.</param>
    public static Tensor<T> Divide<T>(this Tensor<T> input, T value)
        where T : unmanaged, IFloatingPointIeee754<T> => Unary.Apply(input, new DivideScalarFunction<T>(value));

    // value / input, which users write by the operator.
    private static Tensor<T> DivideInto<T>(Tensor<T> input, T value)
        where T : unmanaged, IFloatingPointIeee754<T> => Unary.Apply(input, new DivideIntoFunction<T>(value));

    private readonly struct DivideScalarFunction<T>(T value) : IUnaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public static bool ReadsValues => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Value<V>(V x)
            where V : struct, IVector<V, T> => x / V.Broadcast(value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Derivative<V>(V x, V y)
            where V : struct, IVector<V, T> => V.One / V.Broadcast(value);
    }

    private readonly struct DivideIntoFunction<T>(T value) : IUnaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Value<V>(V x)
            where V : struct, IVector<V, T> => V.Broadcast(value) / x;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Derivative<V>(V x, V y)
            where V : struct, IVector<V, T> => -(y / x);
    }

    private readonly struct DivideFunction<T> : IBinaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public static string Name => "Divide";

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Value<V>(V a, V b)
            where V : struct, IVector<V, T> => a / b;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V LeftDerivative<V>(V a, V b, V y)
            where V : struct, IVector<V, T> => V.One / b;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V RightDerivative<V>(V a, V b, V y)
            where V : struct, IVector<V, T> => -(y / b);
    }
}
