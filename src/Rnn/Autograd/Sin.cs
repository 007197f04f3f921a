using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>The sine of every element, in radians; NaN of infinities.</summary>
    /// <param name="input">The tensor.</param>
    public static Tensor<T> Sin<T>(this Tensor<T> input)
        where T : unmanaged, IFloatingPointIeee754<T> => Unary.Apply(input, default(SinFunction<T>));

    private readonly struct SinFunction<T> : IUnaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public V Value<V>(V x)
            where V : struct, IVector<V, T>
        {
            // Lane by lane: the runtime's is exact for large angles too.
            for (var i = 0; i < V.Count; i++)
            {
                LaneOf<V, T>(ref x, i) = T.Sin(LaneOf<V, T>(ref x, i));
            }

            return x;
        }

        public V Derivative<V>(V x, V y)
            where V : struct, IVector<V, T> => default(CosFunction<T>).Value(x);
    }
}
