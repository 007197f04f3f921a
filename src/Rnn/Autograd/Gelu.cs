using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>
    /// x·Φ(x), where Φ is the distribution function of the normal distribution (Hendrycks and Gimpel, "Gaussian error linear units", 2016).
    /// </summary>
    /// <param name="input">The tensor.</param>
    /// <param name="approximate">Whether to take the paper's formula by tanh, which is faster and off by up to 5e-4.</param>
    public static Tensor<T> Gelu<T>(this Tensor<T> input, bool approximate = false)
        where T : unmanaged, IFloatingPointIeee754<T> => approximate
        ? Unary.Apply(input, default(ApproximateGeluFunction<T>))
        : Unary.Apply(input, default(ActivationFunction<T, Gelu>));

    private readonly struct ApproximateGeluFunction<T> : IUnaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // x·σ(2u), u = √(2/π)·(x + 0.044715 x³), the same as ½x·(1 + tanh u).
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Value<V>(V x)
            where V : struct, IVector<V, T> => x * V.Sigmoid(Argument(x));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Derivative<V>(V x, V y)
            where V : struct, IVector<V, T>
        {
            // Where s·(1 − s) is zero anyway the other factor must not be infinite.
            var s = V.Sigmoid(Argument(x));
            var inner = V.MultiplyAdd(V.Min(x * x, V.Constant(1e6)), V.Constant(1.5957691216057308 * 3 * 0.044715), V.Constant(1.5957691216057308));
            return V.MultiplyAdd(x * s * (V.One - s), inner, s);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static V Argument<V>(V x)
            where V : struct, IVector<V, T> =>
            x * V.MultiplyAdd(x * x, V.Constant(1.5957691216057308 * 0.044715), V.Constant(1.5957691216057308));
    }
}
