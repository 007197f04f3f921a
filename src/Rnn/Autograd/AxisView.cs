using Rnn.Tensors;

namespace Rnn.Autograd;

/// <summary>A shape seen from one of its dimensions: [outer, size, inner].</summary>
internal readonly struct AxisView
{
    internal readonly int Outer;
    internal readonly int Size;
    internal readonly int Inner;

    private AxisView(int outer, int size, int inner) => (Outer, Size, Inner) = (outer, size, inner);

    /// <summary>The view of an axis; negative ones count from the last.</summary>
    internal static AxisView Of(Shape shape, int axis)
    {
        axis = shape.Axis(axis, nameof(axis));
        int outer = 1, inner = 1;
        for (var i = 0; i < shape.Rank; i++)
        {
            outer *= i < axis ? shape[i] : 1;
            inner *= i > axis ? shape[i] : 1;
        }

        return new(outer, shape[axis], inner);
    }

    /// <summary>
    /// The offset of the element at <paramref name="index"/> of the dimension that stands elsewhere as number <paramref name="number"/> of
    /// [outer, <paramref name="count"/>, inner] does.
    /// </summary>
    internal int Place(int number, int count, int index)
    {
        var outer = number / (count * Inner);
        var inner = number % Inner;
        return (((outer * Size) + index) * Inner) + inner;
    }
}
