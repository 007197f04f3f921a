using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>Products of unpacked matrices, which are used once and therefore read where they lie as far as possible.</summary>
internal sealed unsafe class UnpackedGemm<TSimd, TVector, T>(SumStart<T> start)
    where TSimd : struct, ITileRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Panels that pass a tile in turn: 8 of 384 k and 512 bits are 384 KB, part of the second-level cache.</summary>
    internal const int PanelsOfGroup = 8;

    /// <summary>The largest block of the summed dimension here, where no panel has to stay in the first-level cache.</summary>
    private const int LargestBlock = 384;

    /// <summary>Tiles whose part of A is gathered at once where its rows lie at offsets.</summary>
    private const int TilesGathered = 8;

    private readonly SumStart<T> _start = start;

    private static int Width => PanelLayout<TSimd, TVector, T>.Width;

    /// <summary>Elements of scratch that <see cref="Multiply"/> needs.</summary>
    /// <param name="inner">The summed dimension.</param>
    /// <param name="panels">Panels of B.</param>
    /// <param name="gathers">Whether the rows of A may lie at offsets.</param>
    internal static nint Scratch(int inner, int panels, bool gathers)
    {
        var step = ((nint)Math.Min(panels, PanelsOfGroup) * Width) + (gathers ? CacheLine<T>.OddStride(TilesGathered * TileShape.MostRows) : 0);
        return (TileShape.BlockLength(inner, LargestBlock) * step) + (2 * CacheLine<T>.Length);
    }

    /// <summary>C[i, j] = start + Σₖ A[i, k] B[k, j], the rows of A in tiles and the columns of B in panels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal void Multiply(in LeftOperand<T> a, int rows, in RightOperand<T> b, int inner, in GemmTarget<T> c, T* scratch)
    {
        var strides = stackalloc nint[TileShape.MostRows];
        TileShape.FillStrides(strides, TileShape.MostRows, c.Stride);
        var tiles = (rows + TileShape.MostRows - 1) / TileShape.MostRows;
        var (height, taller) = Math.DivRem(rows, tiles);
        var panels = PanelLayout<TSimd, TVector, T>.PanelCount(c.Columns);
        var blockLength = TileShape.BlockLength(inner, LargestBlock);
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
                        step = CacheLine<T>.OddStride(TilesGathered * TileShape.MostRows);
                    }

                    var to = c.Start + (row * c.Stride) + column;
                    var continues = k > 0 || c.Accumulate;
                    var call = new TileCall<T>
                    {
                        A = (byte*)from,
                        ARow = a.Row * sizeof(T),
                        AStep = step * sizeof(T),
                        Count = length,
                        Start = continues ? to : c.Bias != null ? c.Bias + column : null,
                        StartRows = continues ? strides : _start.SameRow,
                        C = to,
                        CRows = strides,
                    };

                    // While the last panel passes, the next tile is prefetched, or the first one of the next block.
                    var next = tile + 1 < tiles ? from + (tileRows * a.Row) : a.Start + ((k + length) * a.Step);
                    RunPanels(ref call, in group, tileRows, tile == 0, next);
                    row += tileRows;
                }
            }
        }
    }

    /// <summary>One block of a group of panels: whole panels of a row-major B stay where they are, all others are packed.</summary>
    private static PanelGroup Prepare(in RightOperand<T> b, int k, int length, int firstPanel, int panels, T* packed)
    {
        var column = firstPanel * Width;
        var group = new PanelGroup { Panels = panels, Length = length, Packed = packed };
        if (b.ColumnMajor)
        {
            for (var panel = 0; panel < panels; panel++)
            {
                var columns = Math.Min(Width, b.Columns - column);
                PanelPacking<TSimd, TVector, T>.PackTransposed(b.Rows[column] + k, b.Rows.Stride, length, columns, packed);
                packed += (nint)length * Width;
                column += Width;
            }

            return group;
        }

        var rows = b.Rows.Skip(k).SkipColumns(column);
        if (b.Rows.Offsets == null)
        {
            group.InPlacePanels = Math.Clamp((b.Columns - column) / Width, 0, panels);
            group.InPlace = rows.Start;
            group.InPlaceStride = rows.Stride;
        }

        var done = group.InPlacePanels * Width;
        PanelPacking<TSimd, TVector, T>.PackPanels(
            rows.SkipColumns(done), length, b.Columns - column - done, panels - group.InPlacePanels, packed + (done * length));
        return group;
    }

    /// <summary>One tile through a group of panels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void RunPanels(ref TileCall<T> call, in PanelGroup group, int rows, bool first, T* next)
    {
        var fromZero = call.Start == null;
        for (var panel = 0; panel < group.Panels; panel++)
        {
            var inPlace = panel < group.InPlacePanels;
            call.B = inPlace ? group.InPlace + (panel * Width) : group.Packed + (panel * (nint)group.Length * Width);
            call.BStep = inPlace ? group.InPlaceStride : Width;
            if (panel == group.Panels - 1)
            {
                call.Prefetch = (byte*)next;
                call.PrefetchStep = call.AStep;
            }
            else if (first && inPlace)
            {
                call.Prefetch = (byte*)(call.B + Width);
                call.PrefetchStep = call.BStep * sizeof(T);
            }
            else
            {
                call.Prefetch = (byte*)call.B;
                call.PrefetchStep = 0;
            }

            if (fromZero)
            {
                call.Start = _start.Zeros;
            }

            TileKernel<TSimd, TVector, T>.Run(rows, Math.Min(Width, group.Columns - (panel * Width)), in call);
            call.Start += Width;
            call.C += Width;
            TileKernel<TSimd, TVector, T>.PrefetchTarget(rows, call.C, call.CRows);
        }
    }

    /// <summary>Copies rows that lie at offsets beside each other.</summary>
    private static void Gather(Rows<T> rows, int count, int columns, T* to)
    {
        var stride = CacheLine<T>.OddStride(TilesGathered * TileShape.MostRows);
        for (var r = 0; r < count; r++)
        {
            TileShape.CopyRow(rows[r], to + (r * stride), columns);
        }
    }

    /// <summary>Some panels of one block of B: the first few where they lie, the others packed.</summary>
    private struct PanelGroup
    {
        public int Panels;
        public int Columns;
        public int Length;
        public int InPlacePanels;
        public T* InPlace;
        public nint InPlaceStride;
        public T* Packed;
        public int GatheredRow;
    }
}
