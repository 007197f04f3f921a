using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <content>Products that sum over rows: weight gradients.</content>
internal sealed unsafe partial class PanelKernels<TSimd, TVector, T>
    where TSimd : struct, IRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Panels that pass a tile in turn: 8 of 384 k and 512 bits are 384 KB, part of the second-level cache.</summary>
    private const int PanelsOfGroup = 8;

    /// <summary>Above this many columns the second matrix is never the one that is cut into tiles.</summary>
    private const int MostTurnedColumns = 128;

    /// <summary>The largest block of the summed dimension here, where no panel has to stay in the first-level cache.</summary>
    private const int LargestSumBlock = 384;

    /// <summary>Columns of A that are gathered at once where its rows lie at offsets.</summary>
    private static int GatheredColumns => 8 * MostRows;

    /// <inheritdoc/>
    public override nint TransposedScratch(int count, int m, int n)
    {
        var length = BlockLength(count, LargestSumBlock);
        var turned = n <= MostTurnedColumns;
        nint panels = Math.Min(turned ? Math.Max(PanelCount(n), PanelCount(m)) : PanelCount(n), PanelsOfGroup) * Width;
        nint c = turned ? n * Math.Min(PanelCount(m), PanelsOfGroup) * Width : 0;
        return (panels * length) + c + (length * GatherStride(GatheredColumns)) + (3 * Line);
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
        if (n > MostTurnedColumns || b.Offsets != null || turned * 17 >= straight * 16)
        {
            SumOverRows(a, rows, b, n, n, count, c, cStride, Align(scratch));
            return;
        }

        var ct = Align(scratch);
        for (var row = 0; row < rows; row += PanelsOfGroup * Width)
        {
            var group = Math.Min(PanelsOfGroup * Width, rows - row);
            var width = PanelCount(group) * Width;
            BlockTranspose.Run(c + (row * cStride), cStride, group, n, ct, width);
            SumOverRows(b, n, a.SkipColumns(row), group, width, count, ct, width, Align(ct + ((nint)n * width)));
            BlockTranspose.Run(ct, width, n, group, c + (row * cStride), cStride);
        }
    }

    private static int Vectors(int columns) => (columns + TSimd.Count - 1) / TSimd.Count;

    /// <summary>
    /// C[i, j] += Σₖ A[k, i] B[k, j], the columns of A in tiles and those of B in panels. C may have more columns than B, up to whole
    /// panels, and has anything there afterwards.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void SumOverRows(
        Rows<T> a, int rows, Rows<T> b, int bColumns, int columns, int count, T* c, nint cStride, T* scratch)
    {
        var strides = stackalloc nint[MostRows];
        FillStrides(strides, MostRows, cStride);
        var tiles = (rows + MostRows - 1) / MostRows;
        var (height, taller) = Math.DivRem(rows, tiles);
        var panels = (columns + Width - 1) / Width;
        var loose = b.Offsets == null ? bColumns / Width : 0;
        var blockLength = BlockLength(count, LargestSumBlock);
        for (var k = 0; k < count; k += blockLength)
        {
            var length = Math.Min(blockLength, count - k);
            for (var firstPanel = 0; firstPanel < panels; firstPanel += PanelsOfGroup)
            {
                var column = firstPanel * Width;
                var group = new PanelGroup
                {
                    Panels = Math.Min(PanelsOfGroup, panels - firstPanel),
                    Columns = columns - column,
                    Length = length,
                    Packed = scratch,
                    Loose = b.Start + (k * b.Stride) + column,
                    LooseStride = b.Stride,
                    LoosePanels = Math.Max(0, Math.Min(loose - firstPanel, PanelsOfGroup)),
                };
                var fixedColumns = group.LoosePanels * Width;
                PackPanels(b.Skip(k).SkipColumns(column + fixedColumns), length, bColumns - column - fixedColumns, group.Panels - group.LoosePanels, scratch + (fixedColumns * length));
                var gathered = scratch + ((nint)group.Panels * length * Width);
                var row = 0;
                for (var tile = 0; tile < tiles; tile++)
                {
                    var tileRows = tile < taller ? height + 1 : height;
                    var from = a.Start + (k * a.Stride) + row;
                    var stride = a.Stride;
                    if (a.Offsets != null)
                    {
                        from = gathered;
                        stride = GatherStride(GatheredColumns);
                        Gather(a.Skip(k).SkipColumns(row), length, tileRows, gathered, stride);
                    }

                    var call = new TileCall
                    {
                        A = (byte*)from,
                        ARow = sizeof(T),
                        AStep = stride * sizeof(T),
                        Count = length,
                        Start = c + (row * cStride) + column,
                        StartRows = strides,
                        C = c + (row * cStride) + column,
                        CRows = strides,
                    };

                    // While the last panel passes, the next tile is asked for, or the first one of the next block.
                    var next = tile + 1 < tiles ? from + tileRows : a.Start + ((k + length) * a.Stride);
                    RunPanels(ref call, in group, tileRows, tile == 0, a.Offsets == null ? next : from);
                    row += tileRows;
                }
            }
        }
    }

    /// <summary>One tile through a group of panels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void RunPanels(ref TileCall call, in PanelGroup group, int rows, bool first, T* next)
    {
        for (var panel = 0; panel < group.Panels; panel++)
        {
            var loose = panel < group.LoosePanels;
            call.B = loose ? group.Loose + (panel * Width) : group.Packed + (panel * (nint)group.Length * Width);
            call.BStep = loose ? group.LooseStride : Width;
            if (panel == group.Panels - 1)
            {
                call.Ahead = (byte*)next;
                call.AheadStep = call.AStep;
            }
            else if (first && loose)
            {
                call.Ahead = (byte*)(call.B + Width);
                call.AheadStep = call.BStep * sizeof(T);
            }
            else
            {
                call.Ahead = (byte*)call.B;
                call.AheadStep = 0;
            }

            RunTile(rows, Math.Min(Width, group.Columns - (panel * Width)), in call);
            call.Start += Width;
            call.C += Width;
            AskForTarget(rows, call.C, call.CRows);
        }
    }

    private static void Gather(Rows<T> rows, int count, int columns, T* to, nint stride)
    {
        for (var r = 0; r < count; r++)
        {
            CopyRow(rows[r], to + (r * stride), columns);
        }
    }

    /// <summary>Some panels of one block of B: the first few where they lie, the others packed.</summary>
    private struct PanelGroup
    {
        public int Panels;
        public int Columns;
        public int Length;
        public int LoosePanels;
        public T* Loose;
        public nint LooseStride;
        public T* Packed;
    }
}
