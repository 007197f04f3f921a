using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Autograd;

/// <summary>The axes that a reduction runs over, one bit each.</summary>
internal readonly struct AxisSet
{
    private readonly uint _bits;

    private AxisSet(uint bits) => _bits = bits;

    /// <summary>All axes of a tensor.</summary>
    internal static AxisSet All<T>(Tensor<T> input)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        return new((1u << input.Rank) - 1);
    }

    /// <summary>The given axes, negative ones counted from the last.</summary>
    internal static AxisSet Of<T>(Tensor<T> input, ReadOnlySpan<int> axes)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        var bits = 0u;
        foreach (var axis in axes)
        {
            var bit = 1u << input.Shape.Axis(axis, nameof(axes));
            if ((bits & bit) != 0)
            {
                throw new ArgumentException($"axes: [{string.Join(", ", axes.ToArray())}] names axis {axis} of the shape {input.Shape} twice.", nameof(axes));
            }

            bits |= bit;
        }

        return new(bits);
    }

    internal bool Contains(int axis) => (_bits >> axis & 1) != 0;

    /// <summary>How many elements of such a shape come together in one.</summary>
    internal int Count(Shape shape)
    {
        var count = 1;
        for (var i = 0; i < shape.Rank; i++)
        {
            count *= Contains(i) ? shape[i] : 1;
        }

        return count;
    }

    /// <summary>The shape after the reduction: these axes left out or, where they are kept, of one element.</summary>
    internal Shape Reduce(Shape shape, bool keepDimensions)
    {
        Span<int> dimensions = stackalloc int[shape.Rank];
        var rank = 0;
        for (var i = 0; i < shape.Rank; i++)
        {
            if (!Contains(i))
            {
                dimensions[rank++] = shape[i];
            }
            else if (keepDimensions)
            {
                dimensions[rank++] = 1;
            }
        }

        return new(dimensions[..rank]);
    }
}
