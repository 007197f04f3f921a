using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>log(1 + eˣ) of every element, without overflow and with all digits.</summary>
    /// <param name="input">The tensor.</param>
    public static Tensor<T> Softplus<T>(this Tensor<T> input)
        where T : unmanaged, IFloatingPointIeee754<T> => Unary.Apply(input, default(ActivationFunction<T, Softplus>));
}
