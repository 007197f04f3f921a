using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <content>Products of matrices that are used once and therefore read where they lie.</content>
internal sealed unsafe partial class PanelKernels<TSimd, TVector, T>
    where TSimd : struct, ITileRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Panels that pass a tile in turn: 8 of 384 k and 512 bits are 384 KB, part of the second-level cache.</summary>
    private const int PanelsOfGroup = 8;

    /// <summary>The largest block of the summed dimension here, where no panel has to stay in the first-level cache.</summary>
    private const int LargestLooseBlock = 384;

    /// <summary>Tiles whose part of A is gathered at once where its rows lie at offsets.</summary>
    private const int TilesGathered = 8;

    private static nint LooseScratch(int inner, int panels, bool gathers) =>
        (BlockLength(inner, LargestLooseBlock) * (((nint)Math.Min(panels, PanelsOfGroup) * Width) + (gathers ? GatherStride(TilesGathered * MostRows) : 0))) + (2 * Line);

    /// <summary>C[i, j] = start + Σₖ A[i, k] B[k, j], the rows of A in tiles and the columns of B in panels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void MultiplyLoose(in LeftOperand a, int rows, in RightOperand b, int inner, in LooseTarget c, T* scratch)
    {
        var strides = stackalloc nint[MostRows];
        FillStrides(strides, MostRows, c.Stride);
        var tiles = (rows + MostRows - 1) / MostRows;
        var (height, taller) = Math.DivRem(rows, tiles);
        var panels = (c.Columns + Width - 1) / Width;
        var blockLength = BlockLength(inner, LargestLooseBlock);
        for (var k = 0; k < inner; k += blockLength)
        {
            var length = Math.Min(blockLength, inner - k);
            for (var firstPanel = 0; firstPanel < panels; firstPanel += PanelsOfGroup)
            {
                var group = Prepare(in b, k, length, firstPanel, Math.Min(PanelsOfGroup, panels - firstPanel), scratch);
                var column = firstPanel * Width;
                group.Columns = c.Columns - column;
                var gathered = scratch + ((nint)group.Panels * length * Width);
                for (int tile = 0, row = 0; tile < tiles; tile++)
                {
                    var tileRows = tile < taller ? height + 1 : height;
                    var from = a.Start + (row * a.Row) + (k * a.Step);
                    var step = a.Step;
                    if (a.Offsets != null)
                    {
                        var within = tile % TilesGathered;
                        if (within == 0)
                        {
                            var columns = Math.Min(rows - row, TilesGathered * tileRows);
                            Gather(new Rows<T>(a.Start + row, 0, a.Offsets + k), length, columns, gathered);
                            group.GatheredRow = row;
                        }

                        from = gathered + (row - group.GatheredRow);
                        step = GatherStride(TilesGathered * MostRows);
                    }

                    var to = c.Start + (row * c.Stride) + column;
                    var continues = k > 0 || c.Accumulate;
                    var call = new TileCall
                    {
                        A = (byte*)from,
                        ARow = a.Row * sizeof(T),
                        AStep = step * sizeof(T),
                        Count = length,
                        Start = continues ? to : c.Bias != null ? c.Bias + column : null,
                        StartRows = continues ? strides : _noStride,
                        C = to,
                        CRows = strides,
                    };

                    // While the last panel passes, the next tile is asked for, or the first one of the next block.
                    var next = tile + 1 < tiles ? from + (tileRows * a.Row) : a.Start + ((k + length) * a.Step);
                    RunPanels(ref call, in group, tileRows, tile == 0, next);
                    row += tileRows;
                }
            }
        }
    }

    /// <summary>One block of a group of panels: whole panels of a row-major B stay where they are, all others are packed.</summary>
    private static PanelGroup Prepare(in RightOperand b, int k, int length, int firstPanel, int panels, T* packed)
    {
        var column = firstPanel * Width;
        var group = new PanelGroup { Panels = panels, Length = length, Packed = packed };
        if (b.ColumnMajor)
        {
            for (var panel = 0; panel < panels; panel++)
            {
                var columns = Math.Min(Width, b.Columns - column);
                PackTransposed(b.Rows[column] + k, b.Rows.Stride, length, columns, packed);
                packed += (nint)length * Width;
                column += Width;
            }

            return group;
        }

        var rows = b.Rows.Skip(k).SkipColumns(column);
        if (b.Rows.Offsets == null)
        {
            group.LoosePanels = Math.Clamp((b.Columns - column) / Width, 0, panels);
            group.Loose = rows.Start;
            group.LooseStride = rows.Stride;
        }

        var done = group.LoosePanels * Width;
        PackPanels(rows.SkipColumns(done), length, b.Columns - column - done, panels - group.LoosePanels, packed + (done * length));
        return group;
    }

    /// <summary>One tile through a group of panels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void RunPanels(ref TileCall call, in PanelGroup group, int rows, bool first, T* next)
    {
        var fromZero = call.Start == null;
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

            if (fromZero)
            {
                call.Start = _zeros;
            }

            RunTile(rows, Math.Min(Width, group.Columns - (panel * Width)), in call);
            call.Start += Width;
            call.C += Width;
            AskForTarget(rows, call.C, call.CRows);
        }
    }

    private static void Gather(Rows<T> rows, int count, int columns, T* to)
    {
        var stride = GatherStride(TilesGathered * MostRows);
        for (var r = 0; r < count; r++)
        {
            CopyRow(rows[r], to + (r * stride), columns);
        }
    }

    /// <summary>A[i, k] at Start + i · Row + k · Step, or, with Row 1, at Start + i + Offsets[k].</summary>
    private struct LeftOperand
    {
        public T* Start;
        public nint Row;
        public nint Step;
        public nint* Offsets;
    }

    /// <summary>B[k, j] at Rows[k][j], or, column-major, at Rows[j][k].</summary>
    private struct RightOperand
    {
        public Rows<T> Rows;
        public int Columns;
        public bool ColumnMajor;
    }

    /// <summary>C and what it starts from. Where it has more columns than B, up to whole panels, these hold anything afterwards.</summary>
    private struct LooseTarget
    {
        public T* Start;
        public nint Stride;
        public int Columns;
        public bool Accumulate;
        public T* Bias;
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
        public int GatheredRow;
    }
}
