using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>Every element where it is positive, else zero; the derivative at zero is zero.</summary>
    /// <param name="input">The tensor.</param>
    public static Tensor<T> Relu<T>(this Tensor<T> input)
        where T : unmanaged, IFloatingPointIeee754<T> => Unary.Apply(input, default(ActivationFunction<T, Relu>));
}
