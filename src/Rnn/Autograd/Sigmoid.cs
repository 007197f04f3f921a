using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>The logistic function 1 / (1 + e⁻ˣ) of every element.</summary>
    /// <param name="input">The tensor.</param>
    public static Tensor<T> Sigmoid<T>(this Tensor<T> input)
        where T : unmanaged, IFloatingPointIeee754<T> => Unary.Apply(input, default(ActivationFunction<T, Sigmoid>));
}
