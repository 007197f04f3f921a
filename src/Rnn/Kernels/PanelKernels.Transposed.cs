using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <content>Products that sum over rows: weight gradients.</content>
internal sealed unsafe partial class PanelKernels<TSimd, TVector, T>
    where TSimd : struct, IRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Panels that are packed at once: 8 of 256 k and 512 bits are 256 KB.</summary>
    private const int PanelsOfGroup = 8;

    /// <summary>Tiles that are packed at once: 8 of 12 rows and 256 k are 96 KB in float.</summary>
    private const int TilesOfGroup = 8;

    /// <summary>Above this many columns the second matrix is never the one that is cut into tiles.</summary>
    private const int MostTurnedColumns = 128;

    /// <inheritdoc/>
    public override nint TransposedScratch(int count, int m, int n)
    {
        var length = BlockLength(count);
        nint panels = Math.Min(Math.Max(PanelCount(n), n > MostTurnedColumns ? 0 : PanelCount(m)), PanelsOfGroup) * Width;
        nint turned = n > MostTurnedColumns ? 0 : n * Math.Min(PanelCount(m), PanelsOfGroup) * Width;
        return (panels * length) + turned + (TilesOfGroup * TileLength(length)) + (3 * Line);
    }

    /// <inheritdoc/>
    public override void MultiplyTransposedA(
        Rows<T> a, Rows<T> b, int count, int m, int n, T* c, nint cStride, int firstRow, int endRow, T* scratch)
    {
        var rows = endRow - firstRow;
        if (count <= 0 || n <= 0 || rows <= 0)
        {
            return;
        }

        a = a.SkipColumns(firstRow);
        c += firstRow * cStride;

        // What the vectors do not fill is lost work: of two ways to lay the tiles the one that loses less, where it pays for turning C.
        var straight = (nint)rows * Vectors(n);
        var turned = (nint)n * Vectors(rows);
        if (n > MostTurnedColumns || turned * 9 >= straight * 8)
        {
            SumOverRows(a, firstRow, m, rows, b, n, n, count, c, cStride, Align(scratch));
            return;
        }

        var ct = Align(scratch);
        for (var row = 0; row < rows; row += PanelsOfGroup * Width)
        {
            var group = Math.Min(PanelsOfGroup * Width, rows - row);
            var width = PanelCount(group) * Width;
            BlockTranspose.Run(c + (row * cStride), cStride, group, n, ct, width);
            SumOverRows(b, 0, n, n, a.SkipColumns(row), group, width, count, ct, width, Align(ct + ((nint)n * width)));
            BlockTranspose.Run(ct, width, n, group, c + (row * cStride), cStride);
        }
    }

    private static int Vectors(int columns) => (columns + TSimd.Count - 1) / TSimd.Count;

    /// <summary>Elements of one packed tile: whole vectors for each k, and some lines so that tiles do not lie a power of two apart.</summary>
    private static nint TileLength(int length) => ((nint)length * Vectors(MostRows) * TSimd.Count) + (2 * Line);

    /// <summary>
    /// C[i, j] += Σₖ A[k, i] B[k, j], the columns of A in tiles and those of B in panels. A begins at column <paramref name="aFirst"/> of
    /// its matrix of <paramref name="aColumns"/>; C may have more columns than B, which then get zero added.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void SumOverRows(
        Rows<T> a, int aFirst, int aColumns, int rows, Rows<T> b, int bColumns, int columns, int count, T* c, nint cStride, T* scratch)
    {
        var strides = stackalloc nint[MostRows];
        FillStrides(strides, MostRows, cStride);
        var tiles = (rows + MostRows - 1) / MostRows;
        var (height, taller) = Math.DivRem(rows, tiles);
        var panels = PanelCount(columns);
        var blockLength = BlockLength(count);
        var packedTiles = stackalloc PackedTile[TilesOfGroup];
        for (var k = 0; k < count; k += blockLength)
        {
            var length = Math.Min(blockLength, count - k);
            for (var firstPanel = 0; firstPanel < panels; firstPanel += PanelsOfGroup)
            {
                var panelsOfGroup = Math.Min(PanelsOfGroup, panels - firstPanel);
                PackPanels(b.Skip(k).SkipColumns(firstPanel * Width), length, bColumns - (firstPanel * Width), panelsOfGroup, scratch);
                var tileScratch = scratch + ((nint)panelsOfGroup * length * Width);
                var row = 0;
                for (var firstTile = 0; firstTile < tiles; firstTile += TilesOfGroup)
                {
                    var tilesOfGroup = Math.Min(TilesOfGroup, tiles - firstTile);
                    var tallerOfGroup = Math.Clamp(taller - firstTile, 0, tilesOfGroup);
                    PackTiles(a.Skip(k).SkipColumns(row), aFirst + row, aColumns, length, tilesOfGroup, height, tallerOfGroup, tileScratch, packedTiles);
                    var target = c + (row * cStride) + (firstPanel * Width);
                    for (var tile = 0; tile < tilesOfGroup; tile++)
                    {
                        var tileRows = tile < tallerOfGroup ? height + 1 : height;
                        var call = new TileCall
                        {
                            A = (byte*)packedTiles[tile].Start,
                            ARow = sizeof(T),
                            AStep = packedTiles[tile].Step * sizeof(T),
                            B = scratch,
                            Count = length,
                            Start = target,
                            StartRows = strides,
                            C = target,
                            CRows = strides,
                        };
                        var left = columns - (firstPanel * Width);
                        for (var panel = 0; panel < panelsOfGroup; panel++)
                        {
                            RunTile(tileRows, Math.Min(Width, left), in call);
                            call.B += (nint)length * Width;
                            call.Start += Width;
                            call.C += Width;
                            left -= Width;
                        }

                        target += tileRows * cStride;
                    }

                    row += (tilesOfGroup * height) + tallerOfGroup;
                }
            }
        }
    }
}
