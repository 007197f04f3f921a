using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>The cosine of every element, in radians; NaN of infinities.</summary>
    /// <param name="input">The tensor.</param>
    public static Tensor<T> Cos<T>(this Tensor<T> input)
        where T : unmanaged, IFloatingPointIeee754<T> => Unary.Apply(input, default(CosFunction<T>));

    private readonly struct CosFunction<T> : IUnaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public V Value<V>(V x)
            where V : struct, IVector<V, T>
        {
            for (var i = 0; i < V.Count; i++)
            {
                LaneOf<V, T>(ref x, i) = T.Cos(LaneOf<V, T>(ref x, i));
            }

            return x;
        }

        public V Derivative<V>(V x, V y)
            where V : struct, IVector<V, T> => -default(SinFunction<T>).Value(x);
    }
}
