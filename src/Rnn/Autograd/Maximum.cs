using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>The larger of two elements; where they are equal each gets half of the gradient.</summary>
    /// <param name="left">The left operand.</param>
    /// <param name="right">The right operand; dimensions of one element repeat, as in NumPy.</param>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public static Tensor<T> Maximum<T>(this Tensor<T> left, Tensor<T> right)
        where T : unmanaged, IFloatingPointIeee754<T> => Binary.Apply<T, MaximumFunction<T>>(left, right);

    /// <summary>The smaller of two elements; where they are equal each gets half of the gradient.</summary>
    /// <param name="left">The left operand.</param>
    /// <param name="right">The right operand; dimensions of one element repeat, as in NumPy.</param>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public static Tensor<T> Minimum<T>(this Tensor<T> left, Tensor<T> right)
        where T : unmanaged, IFloatingPointIeee754<T> => Binary.Apply<T, MinimumFunction<T>>(left, right);

    // 1 where a is below b, ½ where both are equal, else 0.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ShareBelow<V, T>(V a, V b)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> =>
        V.Select(V.LessThan(a, b), V.One, V.Select(V.EqualTo(a, b), V.Constant(0.5), V.Zero));

    private readonly struct MaximumFunction<T> : IBinaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public static string Name => "Maximum";

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Value<V>(V a, V b)
            where V : struct, IVector<V, T> => V.Max(a, b);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V LeftDerivative<V>(V a, V b, V y)
            where V : struct, IVector<V, T> => ShareBelow<V, T>(b, a);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V RightDerivative<V>(V a, V b, V y)
            where V : struct, IVector<V, T> => ShareBelow<V, T>(a, b);
    }

    private readonly struct MinimumFunction<T> : IBinaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public static string Name => "Minimum";

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Value<V>(V a, V b)
            where V : struct, IVector<V, T> => V.Min(a, b);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V LeftDerivative<V>(V a, V b, V y)
            where V : struct, IVector<V, T> => ShareBelow<V, T>(a, b);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V RightDerivative<V>(V a, V b, V y)
            where V : struct, IVector<V, T> => ShareBelow<V, T>(b, a);
    }
}
