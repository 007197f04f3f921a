using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <content>Products that sum over rows: weight gradients and column sums.</content>
internal sealed unsafe partial class PanelKernels<TSimd, TVector, T>
    where TSimd : struct, IRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Panels of B that are packed at once: 8 of 256 k and 512 bits are 256 KB.</summary>
    private const int PanelsOfGroup = 8;

    /// <inheritdoc/>
    public override nint TransposedScratch(int count, int m, int n) =>
        (((nint)Math.Min(PanelCount(n), PanelsOfGroup) * Width) + MostRows + TSimd.Count) * Math.Min(count, LargestBlock) + (2 * Alignment / sizeof(T));

    /// <inheritdoc/>
    public override void MultiplyTransposedA(
        Rows<T> a, Rows<T> b, int count, int m, int n, T* c, nint cStride, int firstRow, int endRow, T* scratch)
    {
        if (count <= 0 || n <= 0 || firstRow >= endRow)
        {
            return;
        }

        var bPacked = Align(scratch);
        var blockLength = BlockLength(count);
        var strides = stackalloc nint[MostRows];
        for (var r = 0; r < MostRows; r++)
        {
            strides[r] = r * cStride;
        }

        var rows = endRow - firstRow;
        var tiles = (rows + MostRows - 1) / MostRows;
        var (tileRows, taller) = Math.DivRem(rows, tiles);
        var panels = PanelCount(n);
        for (var k = 0; k < count; k += blockLength)
        {
            var length = Math.Min(blockLength, count - k);
            var aPacked = bPacked + ((nint)Math.Min(panels, PanelsOfGroup) * length * Width);
            for (var group = 0; group < panels; group += PanelsOfGroup)
            {
                var endGroup = Math.Min(group + PanelsOfGroup, panels);
                for (var panel = group; panel < endGroup; panel++)
                {
                    PackRows(
                        b.Skip(k).SkipColumns(panel * Width), length, Math.Min(Width, n - (panel * Width)), bPacked + ((nint)(panel - group) * length * Width));
                }

                for (int t = 0, row = firstRow; t < tiles; t++)
                {
                    var height = t < taller ? tileRows + 1 : tileRows;
                    PackTile(a.Skip(k).SkipColumns(row), length, height, aPacked);
                    for (var panel = group; panel < endGroup; panel++)
                    {
                        var column = panel * Width;
                        var columns = Math.Min(Width, n - column);
                        var to = c + (row * cStride) + column;
                        var from = bPacked + ((nint)(panel - group) * length * Width);
                        if (columns == Width || columns == TSimd.Count)
                        {
                            RunTile(height, columns == Width, (byte*)aPacked, sizeof(T), height * sizeof(T), from, length, to, strides, to, strides);
                        }
                        else
                        {
                            RunPartialTile(height, columns, (byte*)aPacked, sizeof(T), height * sizeof(T), from, length, to, strides, to, strides);
                        }
                    }

                    row += height;
                }
            }
        }
    }

    /// <summary>A tile of A as [k][row].</summary>
    private static void PackTile(Rows<T> a, int length, int height, T* to)
    {
        for (var k = 0; k < length; k++)
        {
            CopyRow(a[k], to, height);
            to += height;
        }
    }

    /// <inheritdoc/>
    public override void ColumnSums(Rows<T> a, int count, T* sums, int firstColumn, int endColumn)
    {
        var column = firstColumn;
        for (; column + (4 * TSimd.Count) <= endColumn; column += 4 * TSimd.Count)
        {
            Sum<N4>(a.SkipColumns(column), count, sums + column);
        }

        for (; column + TSimd.Count <= endColumn; column += TSimd.Count)
        {
            Sum<N1>(a.SkipColumns(column), count, sums + column);
        }

        if (column < endColumn)
        {
            SumPartial(a.SkipColumns(column), count, sums + column, endColumn - column);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum<TVectors>(Rows<T> a, int count, T* sums)
        where TVectors : struct, ICount
    {
        var s0 = TSimd.Load(sums);
        var s1 = TVectors.Value > 1 ? TSimd.Load(sums + TSimd.Count) : default;
        var s2 = TVectors.Value > 2 ? TSimd.Load(sums + (2 * TSimd.Count)) : default;
        var s3 = TVectors.Value > 3 ? TSimd.Load(sums + (3 * TSimd.Count)) : default;
        for (var r = 0; r < count; r++)
        {
            var row = a[r];
            s0 = TSimd.Add(s0, TSimd.Load(row));
            s1 = TVectors.Value > 1 ? TSimd.Add(s1, TSimd.Load(row + TSimd.Count)) : default;
            s2 = TVectors.Value > 2 ? TSimd.Add(s2, TSimd.Load(row + (2 * TSimd.Count))) : default;
            s3 = TVectors.Value > 3 ? TSimd.Add(s3, TSimd.Load(row + (3 * TSimd.Count))) : default;
        }

        TSimd.Store(s0, sums);
        if (TVectors.Value > 1)
        {
            TSimd.Store(s1, sums + TSimd.Count);
        }

        if (TVectors.Value > 2)
        {
            TSimd.Store(s2, sums + (2 * TSimd.Count));
        }

        if (TVectors.Value > 3)
        {
            TSimd.Store(s3, sums + (3 * TSimd.Count));
        }
    }

    private static void SumPartial(Rows<T> a, int count, T* sums, int columns)
    {
        for (var r = 0; r < count; r++)
        {
            var row = a[r];
            for (var j = 0; j < columns; j++)
            {
                sums[j] += row[j];
            }
        }
    }
}
