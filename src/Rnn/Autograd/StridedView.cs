using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Autograd;

/// <summary>
/// A tensor's elements seen in another order: where to start and how far to step along each dimension of the new shape. Permuting,
/// slicing and reversing are such views; forward copies out of one, the way back adds into it.
/// </summary>
internal struct StridedView
{
    private const int MaximumRank = 16;

    private Dimensions _sizes;
    private Dimensions _steps;
    private readonly int _count;

    /// <summary>The row-major view of a shape itself.</summary>
    internal StridedView(Shape shape)
    {
        if (shape.Rank > MaximumRank)
        {
            throw new ArgumentException($"expected at most {MaximumRank} dimensions but got {shape}.", nameof(shape));
        }

        _count = shape.Rank;
        var step = 1;
        for (var i = _count - 1; i >= 0; i--)
        {
            (_sizes[i], _steps[i]) = (shape[i], step);
            step *= shape[i];
        }
    }

    /// <summary>The offset of the first element.</summary>
    internal int Start { get; private set; }

    /// <summary>The dimensions of the view.</summary>
    internal readonly Shape Shape => new(((ReadOnlySpan<int>)_sizes)[.._count]);

    /// <summary>The view with its dimensions in another order: dimension i is the former <paramref name="order"/>[i].</summary>
    internal readonly StridedView Permute(ReadOnlySpan<int> order)
    {
        var view = this;
        for (var i = 0; i < order.Length; i++)
        {
            (view._sizes[i], view._steps[i]) = (_sizes[order[i]], _steps[order[i]]);
        }

        return view;
    }

    /// <summary>Only some elements of a dimension: <paramref name="count"/> of them from <paramref name="start"/> on, by steps.</summary>
    internal readonly StridedView Slice(int axis, int start, int count, int step)
    {
        var view = this;
        view.Start += start * _steps[axis];
        (view._sizes[axis], view._steps[axis]) = (count, step * _steps[axis]);
        return view;
    }

    /// <summary>Copies the elements of the view, in its order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal readonly unsafe void Gather<T>(ReadOnlySpan<T> source, Span<T> target)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var loops = Merged(target.Length);
        if (loops.IsTransposition)
        {
            // The source runs along the second loop: blocks of it are transposed.
            var (rows, columns) = (loops.Sizes[0], loops.Sizes[1]);
            fixed (T* from = source)
            fixed (T* to = target)
            {
                for (var i = 0; i < loops.Outer / columns; i++)
                {
                    BlockTranspose.Run(from + loops.Offset(i * columns), loops.Step, rows, columns, to + ((nint)i * rows * columns), rows);
                }
            }

            return;
        }

        for (var i = 0; i < loops.Outer; i++)
        {
            var at = loops.Offset(i);
            var row = target.Slice(i * loops.Inner, loops.Inner);
            if (loops.Step == 1)
            {
                source.Slice(at, row.Length).CopyTo(row);
                continue;
            }

            for (var j = 0; j < row.Length; j++)
            {
                row[j] = source[at + (j * loops.Step)];
            }
        }
    }

    /// <summary>Adds to the elements of the view, in its order, or overwrites them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal readonly void Scatter<T>(ReadOnlySpan<T> source, Span<T> target, bool add)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var loops = Merged(source.Length);
        if (loops.IsTransposition)
        {
            ScatterTransposed(source, target, loops, add);
            return;
        }

        for (var i = 0; i < loops.Outer; i++)
        {
            var at = loops.Offset(i);
            var row = source.Slice(i * loops.Inner, loops.Inner);
            if (loops.Step == 1 && add)
            {
                SpanSweep<T>.Add(row, target.Slice(at, row.Length));
            }
            else if (loops.Step == 1)
            {
                row.CopyTo(target[at..]);
            }
            else
            {
                for (var j = 0; j < row.Length; j++)
                {
                    ref var element = ref target[at + (j * loops.Step)];
                    element = add ? element + row[j] : row[j];
                }
            }
        }
    }

    private static unsafe void ScatterTransposed<T>(ReadOnlySpan<T> source, Span<T> target, in Loops loops, bool add)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // To add, tiles are transposed aside first: of 64 columns, or fewer where they are long.
        var (rows, columns) = (loops.Sizes[0], loops.Sizes[1]);
        var tileWidth = Math.Clamp((1 << 22) / rows, 1, 64);
        var rented = add ? TensorPool<T>.Rent(rows * tileWidth) : null;
        try
        {
            fixed (T* from = source, to = target, tile = rented)
            {
                for (var i = 0; i < loops.Outer / columns; i++)
                {
                    var block = from + ((nint)i * rows * columns);
                    var place = to + loops.Offset(i * columns);
                    if (!add)
                    {
                        BlockTranspose.Run(block, rows, columns, rows, place, loops.Step);
                        continue;
                    }

                    for (var first = 0; first < columns; first += tileWidth)
                    {
                        var width = Math.Min(tileWidth, columns - first);
                        BlockTranspose.Run(block + ((nint)first * rows), rows, width, rows, tile, width);
                        for (var row = 0; row < rows; row++)
                        {
                            SpanSweep<T>.Add(new(tile + ((nint)row * width), width), new(place + ((nint)row * loops.Step) + first, width));
                        }
                    }
                }
            }
        }
        finally
        {
            if (rented is not null)
            {
                TensorPool<T>.Return(rented);
            }
        }
    }

    // The loops over the view, neighbouring dimensions merged where one goes on where the other ends.
    private readonly Loops Merged(int length)
    {
        var loops = new Loops { Start = Start };
        for (var i = _count - 1; i >= 0; i--)
        {
            var (size, step) = (_sizes[i], _steps[i]);
            if (size == 1)
            {
                continue;
            }

            if (loops.Count > 0 && step == loops.Steps[loops.Count - 1] * loops.Sizes[loops.Count - 1])
            {
                loops.Sizes[loops.Count - 1] *= size;
                continue;
            }

            (loops.Sizes[loops.Count], loops.Steps[loops.Count]) = (size, step);
            loops.Count++;
        }

        if (loops.Count == 0)
        {
            (loops.Sizes[0], loops.Steps[0], loops.Count) = (1, 1, 1);
        }

        loops.Outer = length == 0 ? 0 : length / loops.Sizes[0];
        return loops;
    }

    private struct Loops
    {
        public Dimensions Sizes;
        public Dimensions Steps;
        public int Count;
        public int Start;
        public int Outer;

        public readonly int Inner => Sizes[0];

        public readonly int Step => Steps[0];

        /// <summary>Whether the memory runs along the second loop and not along the first.</summary>
        public readonly bool IsTransposition => Count > 1 && Steps[1] == 1 && Steps[0] > 1 && Outer > 0;

        public readonly int Offset(int outer)
        {
            var offset = Start;
            for (var i = 1; i < Count; i++)
            {
                (outer, var at) = Math.DivRem(outer, Sizes[i]);
                offset += at * Steps[i];
            }

            return offset;
        }
    }

    [InlineArray(MaximumRank)]
    private struct Dimensions
    {
        private int _first;
    }
}
