using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Autograd;

/// <summary>
/// A tensor's elements seen in another order: where to start and how far to step along each dimension of the new shape. Permuting,
/// slicing and reversing are such views; the forward pass copies out of one, the backward pass adds into it.
/// </summary>
internal struct StridedView
{
    private LoopNest.Sizes _sizes;
    private LoopNest.Sizes _steps;
    private readonly int _count;

    /// <summary>The row-major view of a shape itself.</summary>
    internal StridedView(Shape shape)
    {
        LoopNest.CheckRank(shape);
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
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal readonly unsafe void Gather<T>(ReadOnlySpan<T> source, Span<T> target)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var loops = Loops(target.Length);
        if (loops.IsTransposition)
        {
            // The source runs along the second loop: blocks of it are transposed.
            var (rows, columns) = (loops.Inner, loops.SecondSize);
            fixed (T* from = source)
            fixed (T* to = target)
            {
                for (var i = 0; i < loops.Outer / columns; i++)
                {
                    BlockTranspose.Run(from + Start + loops.Start(i * columns).Left, loops.LeftStep, rows, columns, to + ((nint)i * rows * columns), rows);
                }
            }

            return;
        }

        for (var i = 0; i < loops.Outer; i++)
        {
            var at = Start + loops.Start(i).Left;
            var row = target.Slice(i * loops.Inner, loops.Inner);
            if (loops.LeftStep == 1)
            {
                source.Slice(at, row.Length).CopyTo(row);
                continue;
            }

            for (var j = 0; j < row.Length; j++)
            {
                row[j] = source[at + (j * loops.LeftStep)];
            }
        }
    }

    /// <summary>Adds to the elements of the view, in its order, or overwrites them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal readonly void Scatter<T>(ReadOnlySpan<T> source, Span<T> target, bool add)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var loops = Loops(source.Length);
        if (loops.IsTransposition)
        {
            ScatterTransposed(source, target, loops, add);
            return;
        }

        for (var i = 0; i < loops.Outer; i++)
        {
            var at = Start + loops.Start(i).Left;
            var row = source.Slice(i * loops.Inner, loops.Inner);
            if (loops.LeftStep == 1 && add)
            {
                SpanKernels<T>.Add(row, target.Slice(at, row.Length));
            }
            else if (loops.LeftStep == 1)
            {
                row.CopyTo(target[at..]);
            }
            else
            {
                for (var j = 0; j < row.Length; j++)
                {
                    ref var element = ref target[at + (j * loops.LeftStep)];
                    element = add ? element + row[j] : row[j];
                }
            }
        }
    }

    private readonly unsafe void ScatterTransposed<T>(ReadOnlySpan<T> source, Span<T> target, in LoopNest loops, bool add)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // To add, tiles are transposed aside first: of 64 columns, or fewer where they are long.
        var (rows, columns) = (loops.Inner, loops.SecondSize);
        var tileWidth = Math.Clamp((1 << 22) / rows, 1, 64);
        var rented = add ? TensorPool<T>.Rent(rows * tileWidth) : null;
        try
        {
            fixed (T* from = source, to = target, tile = rented)
            {
                for (var i = 0; i < loops.Outer / columns; i++)
                {
                    var block = from + ((nint)i * rows * columns);
                    var place = to + Start + loops.Start(i * columns).Left;
                    if (!add)
                    {
                        BlockTranspose.Run(block, rows, columns, rows, place, loops.LeftStep);
                        continue;
                    }

                    for (var first = 0; first < columns; first += tileWidth)
                    {
                        var width = Math.Min(tileWidth, columns - first);
                        BlockTranspose.Run(block + ((nint)first * rows), rows, width, rows, tile, width);
                        for (var row = 0; row < rows; row++)
                        {
                            SpanKernels<T>.Add(new(tile + ((nint)row * width), width), new(place + ((nint)row * loops.LeftStep) + first, width));
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

    // The loops over the view; there is no right operand.
    private readonly LoopNest Loops(int count)
    {
        var loops = default(LoopNest);
        for (var i = _count - 1; i >= 0; i--)
        {
            loops.Add(_sizes[i], _steps[i], 0);
        }

        loops.End(count);
        return loops;
    }
}
