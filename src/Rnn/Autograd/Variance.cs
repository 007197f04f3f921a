using System.Numerics;
using Rnn.Autograd;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>The variance of all elements, a scalar: the mean of squared differences from the mean.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="unbiased">Whether to divide by n − 1, which estimates the variance of what the elements were drawn from; else by n.</param>
    public static Tensor<T> Variance<T>(this Tensor<T> input, bool unbiased = true)
        where T : unmanaged, IFloatingPointIeee754<T> => VarianceOver(input, AxisSet.All(input), unbiased, keepDimensions: false);

    /// <summary>The variance over one axis; NaN of a single element where it is unbiased.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="axis">The axis; negative ones count from the last.</param>
    /// <param name="unbiased">Whether to divide by n − 1, which estimates the variance of what the elements were drawn from; else by n.</param>
    /// <param name="keepDimensions">Whether the axis stays as a dimension of one element.</param>
    public static Tensor<T> Variance<T>(this Tensor<T> input, int axis, bool unbiased = true, bool keepDimensions = false)
        where T : unmanaged, IFloatingPointIeee754<T> => VarianceOver(input, AxisSet.Of(input, [axis]), unbiased, keepDimensions);

    /// <summary>The variance over several axes; NaN of a single element where it is unbiased.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="axes">The axes; negative ones count from the last.</param>
    /// <param name="unbiased">Whether to divide by n − 1, which estimates the variance of what the elements were drawn from; else by n.</param>
    /// <param name="keepDimensions">Whether the axes stay as dimensions of one element.</param>
    public static Tensor<T> Variance<T>(this Tensor<T> input, ReadOnlySpan<int> axes, bool unbiased = true, bool keepDimensions = false)
        where T : unmanaged, IFloatingPointIeee754<T> => VarianceOver(input, AxisSet.Of(input, axes), unbiased, keepDimensions);

    /// <summary>The standard deviation of all elements, a scalar: the root of the variance; where it is zero so is its gradient.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="unbiased">Whether to divide by n − 1 before the root is taken; else by n.</param>
    public static Tensor<T> StandardDeviation<T>(this Tensor<T> input, bool unbiased = true)
        where T : unmanaged, IFloatingPointIeee754<T> => StandardDeviationOver(input, AxisSet.All(input), unbiased, keepDimensions: false);

    /// <summary>The standard deviation over one axis; where it is zero so is its gradient, NaN of a single element where it is unbiased.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="axis">The axis; negative ones count from the last.</param>
    /// <param name="unbiased">Whether to divide by n − 1 before the root is taken; else by n.</param>
    /// <param name="keepDimensions">Whether the axis stays as a dimension of one element.</param>
    public static Tensor<T> StandardDeviation<T>(this Tensor<T> input, int axis, bool unbiased = true, bool keepDimensions = false)
        where T : unmanaged, IFloatingPointIeee754<T> => StandardDeviationOver(input, AxisSet.Of(input, [axis]), unbiased, keepDimensions);

    private static Tensor<T> VarianceOver<T>(Tensor<T> input, AxisSet axes, bool unbiased, bool keepDimensions)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Reduction.Sum(Centered(input, axes).Square(), axes, keepDimensions, OneOverCount(input, axes, unbiased));

    // By the norm, whose squares neither overflow nor vanish.
    private static Tensor<T> StandardDeviationOver<T>(Tensor<T> input, AxisSet axes, bool unbiased, bool keepDimensions)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        NormOver(Centered(input, axes), axes, keepDimensions).Multiply(T.Sqrt(OneOverCount(input, axes, unbiased)));

    private static Tensor<T> Centered<T>(Tensor<T> input, AxisSet axes)
        where T : unmanaged, IFloatingPointIeee754<T> => input.Subtract(Mean(input, axes, keepDimensions: true));

    private static T OneOverCount<T>(Tensor<T> input, AxisSet axes, bool unbiased)
        where T : unmanaged, IFloatingPointIeee754<T> => T.One / T.CreateTruncating(Math.Max(0, axes.Count(input.Shape) - (unbiased ? 1 : 0)));
}
