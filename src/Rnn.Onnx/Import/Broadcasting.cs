using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>Broadcasting as in NumPy, by tables of places.</summary>
internal static class Broadcasting
{
    /// <summary>The elements repeated to a larger shape; the same array where the shape is the same.</summary>
    internal static TElement[] Expand<TElement>(TElement[] values, Shape from, Shape to)
    {
        if (from == to)
        {
            return values;
        }

        var map = Map(from, to);
        var result = new TElement[map.Length];
        for (var i = 0; i < map.Length; i++)
        {
            result[i] = values[map[i]];
        }

        return result;
    }

    /// <summary>For each element of the larger shape the place of its element in the smaller one.</summary>
    internal static int[] Map(Shape from, Shape to)
    {
        var strides = new int[to.Rank];
        var stride = 1;
        for (var i = 0; i < from.Rank; i++)
        {
            var size = from[from.Rank - 1 - i];
            if (size != 1)
            {
                strides[to.Rank - 1 - i] = stride;
            }

            stride *= size;
        }

        return Strided(to, strides, 0);
    }

    /// <summary>For each element of a shape, in row-major order, start + Σ index·stride.</summary>
    internal static int[] Strided(Shape shape, ReadOnlySpan<int> strides, int start)
    {
        var map = new int[shape.ElementCount];
        if (map.Length == 0)
        {
            return map;
        }

        var index = new int[shape.Rank];
        var place = start;
        for (var i = 0; i < map.Length; i++)
        {
            map[i] = place;
            for (var d = shape.Rank - 1; d >= 0; d--)
            {
                place += strides[d];
                if (++index[d] < shape[d])
                {
                    break;
                }

                place -= strides[d] * shape[d];
                index[d] = 0;
            }
        }

        return map;
    }

    /// <summary>The distances between neighbours along each dimension of a row-major tensor.</summary>
    internal static int[] Strides(Shape shape)
    {
        var strides = new int[shape.Rank];
        var stride = 1;
        for (var i = shape.Rank - 1; i >= 0; i--)
        {
            strides[i] = stride;
            stride *= shape[i];
        }

        return strides;
    }
}
