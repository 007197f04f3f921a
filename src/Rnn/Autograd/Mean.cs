using System.Numerics;
using Rnn.Autograd;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>The mean of all elements, a scalar; NaN where there are none.</summary>
    /// <param name="input">The tensor.</param>
    public static Tensor<T> Mean<T>(this Tensor<T> input)
        where T : unmanaged, IFloatingPointIeee754<T> => Mean(input, AxisSet.All(input), keepDimensions: false);

    /// <summary>The mean over one axis.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="axis">The axis to average over; negative ones count from the last.</param>
    /// <param name="keepDimensions">Whether the axis stays as a dimension of one element.</param>
    public static Tensor<T> Mean<T>(this Tensor<T> input, int axis, bool keepDimensions = false)
        where T : unmanaged, IFloatingPointIeee754<T> => Mean(input, AxisSet.Of(input, [axis]), keepDimensions);

    /// <summary>The mean over several axes.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="axes">The axes to average over; negative ones count from the last.</param>
    /// <param name="keepDimensions">Whether the axes stay as dimensions of one element.</param>
    public static Tensor<T> Mean<T>(this Tensor<T> input, ReadOnlySpan<int> axes, bool keepDimensions = false)
        where T : unmanaged, IFloatingPointIeee754<T> => Mean(input, AxisSet.Of(input, axes), keepDimensions);

    private static Tensor<T> Mean<T>(Tensor<T> input, AxisSet axes, bool keepDimensions)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Reduction.Sum(input, axes, keepDimensions, T.One / T.CreateTruncating(axes.Count(input.Shape)));
}
