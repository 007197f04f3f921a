using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>The hyperbolic tangent of every element.</summary>
    /// <param name="input">The tensor.</param>
    public static Tensor<T> Tanh<T>(this Tensor<T> input)
        where T : unmanaged, IFloatingPointIeee754<T> => Unary.Apply(input, default(ActivationFunction<T, Tanh>));
}
