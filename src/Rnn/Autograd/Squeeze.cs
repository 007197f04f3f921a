using System.Numerics;
using Rnn.Autograd;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>The same elements, and the same memory, without dimensions of size one: [N, 1, H] becomes [N, H].</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="axes">The dimensions to leave out, negative ones counted from the last; none for all of size one.</param>
    /// <exception cref="ArgumentException">One of the dimensions is not of size one, or comes twice.</exception>
    public static Tensor<T> Squeeze<T>(this Tensor<T> input, params ReadOnlySpan<int> axes)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var chosen = AxisSet.Of(input, axes);
        Span<int> dimensions = stackalloc int[input.Rank];
        var rank = 0;
        for (var i = 0; i < input.Rank; i++)
        {
            var size = input.Shape[i];
            if (chosen.Contains(i) && size != 1)
            {
                throw new ArgumentException($"axes: expected dimensions of size 1 but dimension {i} of the shape {input.Shape} has {size}.", nameof(axes));
            }

            if (axes.IsEmpty ? size != 1 : !chosen.Contains(i))
            {
                dimensions[rank++] = size;
            }
        }

        return input.Reshape(new Shape(dimensions[..rank]));
    }

    /// <summary>The same elements, and the same memory, with one more dimension, of size one: <c>x.Unsqueeze(1)</c> of [N, H] is [N, 1, H].</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="axis">Where the new dimension stands in the result; −1 puts it last.</param>
    /// <exception cref="ArgumentOutOfRangeException">The result has no such dimension.</exception>
    public static Tensor<T> Unsqueeze<T>(this Tensor<T> input, int axis)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        var rank = input.Rank + 1;
        if (axis < -rank || axis >= rank)
        {
            throw new ArgumentOutOfRangeException(nameof(axis), axis, $"expected {-rank} to {rank - 1}, a place in the shape {input.Shape} or at its end.");
        }

        axis = axis < 0 ? axis + rank : axis;
        return input.Reshape(new Shape([.. input.Shape.Dimensions[..axis], 1, .. input.Shape.Dimensions[axis..]]));
    }
}
