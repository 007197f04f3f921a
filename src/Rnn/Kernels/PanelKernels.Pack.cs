using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <content>Packing.</content>
internal sealed unsafe partial class PanelKernels<TSimd, TVector, T>
    where TSimd : struct, IRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <inheritdoc/>
    public override void Pack(T* source, nint sourceStride, bool transposed, int inner, int outputs, T* packed, int firstPanel, int endPanel)
    {
        if (inner <= 0 || firstPanel >= endPanel)
        {
            return;
        }

        packed = Align(packed) + ((nint)firstPanel * inner * Width);
        var column = firstPanel * Width;
        if (transposed)
        {
            PackPanels(new Rows<T>(source + column, sourceStride), inner, outputs - column, endPanel - firstPanel, packed);
            return;
        }

        for (var panel = firstPanel; panel < endPanel; panel++)
        {
            var columns = Math.Min(Width, outputs - column);
            BlockTranspose.Run(source + (column * sourceStride), sourceStride, columns, inner, packed, Width);
            if (columns < Width)
            {
                ClearColumns(packed, inner, columns);
            }

            packed += (nint)inner * Width;
            column += Width;
        }
    }

    private const int PanelsAtOncePacked = 4;

    /// <summary>Panels from a source whose rows are k: [panel][k][two vectors].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void PackPanels(Rows<T> source, int inner, int columns, int panels, T* to)
    {
        var full = Math.Min(panels, columns / Width);
        var panelLength = (nint)inner * Width;
        for (var panel = 0; panel < full; panel += PanelsAtOncePacked)
        {
            // Row after row as the source lies in memory, but few panels: they may lie a power of two apart.
            var panelsAtOnce = Math.Min(PanelsAtOncePacked, full - panel);
            for (var k = 0; k < inner; k++)
            {
                var from = source[k] + (panel * Width);
                var place = to + (panel * panelLength) + (k * Width);
                var left = panelsAtOnce;
                do
                {
                    TSimd.Store(TSimd.Load(from), place);
                    TSimd.Store(TSimd.Load(from + TSimd.Count), place + TSimd.Count);
                    from += Width;
                    place += panelLength;
                }
                while (--left != 0);
            }
        }

        if (full < panels)
        {
            PackPartialPanel(source.SkipColumns(full * Width), inner, columns - (full * Width), to + (full * panelLength));
        }
    }

    private static void PackPartialPanel(Rows<T> source, int inner, int columns, T* to)
    {
        for (var k = 0; k < inner; k++)
        {
            CopyRow(source[k], to + (k * Width), columns);
        }

        ClearColumns(to, inner, columns);
    }

    /// <summary>The padding of a panel that has fewer columns than its width.</summary>
    private static void ClearColumns(T* to, int inner, int columns)
    {
        for (var k = 0; k < inner; k++)
        {
            for (var j = columns; j < Width; j++)
            {
                to[j] = T.Zero;
            }

            to += Width;
        }
    }

    /// <summary>Tiles of columns of a source whose rows are k: each [k][height], or at the right edge a little wider.</summary>
    /// <param name="source">The rows, from the column where the first tile begins.</param>
    /// <param name="first">That column in its matrix.</param>
    /// <param name="columns">The columns of the matrix.</param>
    /// <param name="length">How many rows.</param>
    /// <param name="tiles">How many tiles; the first <paramref name="taller"/> are one wider than <paramref name="height"/>.</param>
    /// <param name="height">Columns of the source in a tile.</param>
    /// <param name="taller">How many tiles have one more.</param>
    /// <param name="to">Memory of <see cref="TileLength"/> for each tile.</param>
    /// <param name="packed">Where each tile begins and its elements from k to k.</param>
    private static void PackTiles(
        Rows<T> source, int first, int columns, int length, int tiles, int height, int taller, T* to, PackedTile* packed)
    {
        var distance = TileLength(length);
        PackEqualTiles(source, first, columns, length, taller, height + 1, to, packed);
        var done = taller * (height + 1);
        PackEqualTiles(source.SkipColumns(done), first + done, columns, length, tiles - taller, height, to + (taller * distance), packed + taller);
    }

    private static void PackEqualTiles(Rows<T> source, int first, int columns, int length, int tiles, int height, T* to, PackedTile* packed)
    {
        var distance = TileLength(length);
        var whole = Vectors(height) * TSimd.Count;
        for (var tile = 0; tile < tiles; tile++)
        {
            packed[tile] = new() { Start = to + (tile * distance), Step = height };
        }

        // Whole vectors: what they carry beyond a tile is overwritten by the next k. Only at the right edge nothing may lie there.
        var inside = Math.Clamp((columns - first - whole + height) / height, 0, tiles);
        if (inside > 0)
        {
            PackVectors(source, length, inside, height, Vectors(height), to, distance, height);
        }

        for (var tile = inside; tile < tiles; tile++)
        {
            var column = tile * height;
            var place = to + (tile * distance);
            if (columns >= whole)
            {
                // The vectors begin a little further left.
                var shift = first + column + whole - columns;
                PackVectors(source.SkipColumns(column - shift), length, 1, 0, Vectors(height), place, 0, whole);
                packed[tile] = new() { Start = place + shift, Step = whole };
                continue;
            }

            for (var k = 0; k < length; k++)
            {
                CopyRow(source[k] + column, place + (k * height), height);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void PackVectors(Rows<T> source, int length, int tiles, nint height, int vectors, T* to, nint distance, nint step)
    {
        for (var k = 0; k < length; k++)
        {
            var from = source[k];
            var place = to;
            var tile = tiles;
            if (vectors == 1)
            {
                do
                {
                    TSimd.Store(TSimd.Load(from), place);
                    from += height;
                    place += distance;
                }
                while (--tile != 0);
            }
            else
            {
                do
                {
                    var v = 0;
                    do
                    {
                        TSimd.Store(TSimd.Load(from + v), place + v);
                        v += TSimd.Count;
                    }
                    while (v < step);
                    from += height;
                    place += distance;
                }
                while (--tile != 0);
            }

            to += step;
        }
    }

    /// <summary>Where a tile was packed.</summary>
    private struct PackedTile
    {
        public T* Start;
        public nint Step;
    }
}
