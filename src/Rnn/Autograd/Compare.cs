using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>1 where left &gt; right, else 0; no gradient flows through it.</summary>
    /// <param name="left">The left operand.</param>
    /// <param name="right">The right operand; dimensions of one element repeat, as in NumPy.</param>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public static Tensor<T> GreaterThan<T>(this Tensor<T> left, Tensor<T> right)
        where T : unmanaged, IFloatingPointIeee754<T> => LessThan(right, left);

    /// <summary>1 where left &lt; right, else 0; no gradient flows through it.</summary>
    /// <param name="left">The left operand.</param>
    /// <param name="right">The right operand; dimensions of one element repeat, as in NumPy.</param>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public static Tensor<T> LessThan<T>(this Tensor<T> left, Tensor<T> right)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        return Binary.Apply<T, LessThanFunction<T>>(left.Detach(), right.Detach());
    }

    /// <summary>1 where left = right, else 0; no gradient flows through it.</summary>
    /// <param name="left">The left operand.</param>
    /// <param name="right">The right operand; dimensions of one element repeat, as in NumPy.</param>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public static Tensor<T> EqualTo<T>(this Tensor<T> left, Tensor<T> right)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        return Binary.Apply<T, EqualToFunction<T>>(left.Detach(), right.Detach());
    }

    private readonly struct LessThanFunction<T> : IBinaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public static string Name => "LessThan";

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Value<V>(V a, V b)
            where V : struct, IVector<V, T> => V.Select(V.LessThan(a, b), V.One, V.Zero);

        public static V LeftDerivative<V>(V a, V b, V y)
            where V : struct, IVector<V, T> => V.Zero;

        public static V RightDerivative<V>(V a, V b, V y)
            where V : struct, IVector<V, T> => V.Zero;
    }

    private readonly struct EqualToFunction<T> : IBinaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public static string Name => "EqualTo";

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Value<V>(V a, V b)
            where V : struct, IVector<V, T> => V.Select(V.EqualTo(a, b), V.One, V.Zero);

        public static V LeftDerivative<V>(V a, V b, V y)
            where V : struct, IVector<V, T> => V.Zero;

        public static V RightDerivative<V>(V a, V b, V y)
            where V : struct, IVector<V, T> => V.Zero;
    }
}
