using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>Packing: from a matrix as it lies to panels of two vectors of columns, [panel][k][two vectors], padded with zeros.</summary>
internal static unsafe class PanelPacking<TSimd, TVector, T>
    where TSimd : struct, ITileRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int PanelsAtOnce = 4;

    // The hardware prefetcher does not follow rows that lie a page apart.
    private const int Ahead = 16;

    private static int Width => PanelLayout<TSimd, TVector, T>.Width;

    /// <summary>See <see cref="MatrixKernels{T}.Pack"/>.</summary>
    internal static void Pack(T* source, nint sourceStride, bool transposed, int inner, int outputs, T* packed, int firstPanel, int endPanel)
    {
        if (inner <= 0 || firstPanel >= endPanel)
        {
            return;
        }

        packed = CacheLine<T>.Align(packed) + ((nint)firstPanel * inner * Width);
        var column = firstPanel * Width;
        if (transposed)
        {
            PackPanels(new Rows<T>(source + column, sourceStride), inner, outputs - column, endPanel - firstPanel, packed, (nint)inner * Width);
            return;
        }

        for (var panel = firstPanel; panel < endPanel; panel++)
        {
            var columns = Math.Min(Width, outputs - column);
            PackTransposed(source + (column * sourceStride), sourceStride, inner, columns, packed);
            packed += (nint)inner * Width;
            column += Width;
        }
    }

    /// <summary>Panels from a source whose rows are k: [panel][k][two vectors].</summary>
    /// <param name="source">The rows of the source.</param>
    /// <param name="inner">How many.</param>
    /// <param name="columns">The columns that there are.</param>
    /// <param name="panels">How many panels; the columns that the last one lacks become zeros.</param>
    /// <param name="to">The first panel.</param>
    /// <param name="distance">Elements from one panel to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal static void PackPanels(Rows<T> source, int inner, int columns, int panels, T* to, nint distance)
    {
        var full = Math.Min(panels, columns / Width);

        // Row after row as the source lies in memory, but few panels where they lie so that they meet in the same sets of the first-level cache.
        var most = distance * sizeof(T) % 2048 == 0 ? PanelsAtOnce : full;
        for (var panel = 0; panel < full; panel += most)
        {
            var panelsAtOnce = Math.Min(most, full - panel);
            var width = panelsAtOnce * Width * sizeof(T);
            for (var k = 0; k < inner; k++)
            {
                if (k + Ahead < inner)
                {
                    var ahead = (byte*)(source[k + Ahead] + (panel * Width));
                    for (var at = 0; at < width; at += CacheLine<T>.Bytes)
                    {
                        Prefetch.ToFirst(ahead + at);
                    }
                }

                var from = source[k] + (panel * Width);
                var place = to + (panel * distance) + (k * Width);
                var left = panelsAtOnce;
                do
                {
                    TSimd.Store(TSimd.Load(from), place);
                    TSimd.Store(TSimd.Load(from + TSimd.Count), place + TSimd.Count);
                    from += Width;
                    place += distance;
                }
                while (--left != 0);
            }
        }

        if (full < panels)
        {
            PackPartialPanel(source.SkipColumns(full * Width), inner, columns - (full * Width), to + (full * distance));
        }
    }

    /// <summary>One panel from a source whose rows are its columns; the columns that it lacks become zeros.</summary>
    internal static void PackTransposed(T* source, nint stride, int inner, int columns, T* to)
    {
        if (columns < Width)
        {
            new Span<T>(to, checked(inner * Width)).Clear();
        }

        BlockTranspose.Run(source, stride, columns, inner, to, Width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void PackPartialPanel(Rows<T> source, int inner, int columns, T* to)
    {
        new Span<T>(to, checked(inner * Width)).Clear();
        for (var k = 0; k < inner; k++)
        {
            PanelLayout<TSimd, TVector, T>.CopyShort(source[k], to + (k * Width), columns);
        }
    }
}
