using System.Numerics;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Autograd;

public static partial class TensorOperations
{
    /// <summary>The hyperbolic tangent of every element.</summary>
    /// <param name="input">The tensor.</param>
    public static Tensor<T> Tanh<T>(this Tensor<T> input)
        where T : unmanaged, IFloatingPointIeee754<T> => Unary.Apply(input, default(ActivationFunction<T, Tanh>));
}
