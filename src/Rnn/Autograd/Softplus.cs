using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Autograd;

public static partial class TensorOperations
{
    /// <summary>log(1 + eˣ) for every element, without overflow and with all digits.</summary>
    /// <param name="input">The tensor.</param>
    public static Tensor<T> Softplus<T>(this Tensor<T> input)
        where T : unmanaged, IFloatingPointIeee754<T> => Unary.Apply(input, default(SoftplusFunction<T>));

    private readonly struct SoftplusFunction<T> : IUnaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Value<V>(V x)
            where V : struct, IVector<V, T>
        {
            // max(x, 0) + log(1 + t) with t = e^−|x| ≤ 1, and log(1 + t) = 2 artanh(s) with s = t / (2 + t) ≤ ⅓ as a series in s².
            var t = V.Exp(-V.Abs(x));
            var s = t / (t + V.Constant(2));
            var square = s * s;
            var last = Unsafe.SizeOf<T>() == sizeof(float) ? 17 : 33;
            var sum = V.Constant(1.0 / last);
            for (var k = last - 2; k >= 1; k -= 2)
            {
                sum = V.MultiplyAdd(sum, square, V.Constant(1.0 / k));
            }

            return V.MultiplyAdd(s + s, sum, V.Max(x, V.Zero));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Slope<V>(V x, V y)
            where V : struct, IVector<V, T> => V.Sigmoid(x);
    }
}
