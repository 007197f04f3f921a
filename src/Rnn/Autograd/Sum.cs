using System.Numerics;
using Rnn.Autograd;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>The sum of all elements, a scalar.</summary>
    /// <param name="input">The tensor.</param>
    public static Tensor<T> Sum<T>(this Tensor<T> input)
        where T : unmanaged, IFloatingPointIeee754<T> => Reduction.Sum(input, AxisSet.All(input), keepDimensions: false, T.One);

    /// <summary>The sum over one axis.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="axis">The axis to sum over; negative ones count from the last.</param>
    /// <param name="keepDimensions">Whether the axis stays as a dimension of one element.</param>
    public static Tensor<T> Sum<T>(this Tensor<T> input, int axis, bool keepDimensions = false)
        where T : unmanaged, IFloatingPointIeee754<T> => Reduction.Sum(input, AxisSet.Of(input, [axis]), keepDimensions, T.One);

    /// <summary>The sum over several axes.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="axes">The axes to sum over; negative ones count from the last.</param>
    /// <param name="keepDimensions">Whether the axes stay as dimensions of one element.</param>
    public static Tensor<T> Sum<T>(this Tensor<T> input, ReadOnlySpan<int> axes, bool keepDimensions = false)
        where T : unmanaged, IFloatingPointIeee754<T> => Reduction.Sum(input, AxisSet.Of(input, axes), keepDimensions, T.One);
}
