using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>
/// Products of unpacked matrices. What passes once is read where it lies; what passes often, or lies so that rows meet in the same sets of a cache, is packed block by block: a block of a panel stays in the
/// first-level cache while some tiles of A pass it, those tiles in the second-level cache while all panels of a group pass them (after Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication").
/// </summary>
internal sealed unsafe class UnpackedGemm<TSimd, TVector, T>(SumStart<T> start)
    where TSimd : struct, ITileRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private static readonly int LargestBlock = TileShape.LargestBlock(Width * sizeof(T));

    /// <summary>Tiles that pass all panels of a group together: their blocks fill a quarter of the second-level cache.</summary>
    private static readonly int TilesOfGroup = Math.Max(8, CacheSizes.Second / 4 / (LargestBlock * TileShape.MostRows * sizeof(T)));

    /// <summary>A block of A whose columns span more is packed: each k lies in a page and a cache line of its own there, of which a tile needs a part.</summary>
    private const int BytesInPlace = 128 << 10;

    private readonly SumStart<T> _start = start;

    /// <summary>Panels that a group of tiles passes in turn. They come from beyond the second-level cache, at a small part of what a third gives: each passes all tiles. More panels spare the packing of tiles.</summary>
    internal static int PanelsOfGroup { get; } = 4 * CacheSizes.Second / (LargestBlock * Width * sizeof(T));

    /// <summary>Panels whose blocks fill half of the second-level cache.</summary>
    internal static int NearPanels { get; } = CacheSizes.Second / 2 / (LargestBlock * Width * sizeof(T));

    private static int Width => PanelLayout<TSimd, TVector, T>.Width;

    /// <summary>Elements of scratch that <see cref="Multiply"/> needs.</summary>
    /// <param name="inner">The summed dimension.</param>
    /// <param name="panels">Panels of B.</param>
    internal static nint Scratch(int inner, int panels)
    {
        var length = TileShape.BlockLength(inner, LargestBlock);
        return (Math.Min(panels, PanelsOfGroup) * PanelDistance(length)) + (TilesOfGroup * TilePacking<T>.Distance(length, TileShape.MostRows)) + (2 * CacheLine<T>.Length);
    }

    /// <summary>Elements from one packed panel to the next: an odd number of lines, so that panels do not meet in the same sets of the first-level cache.</summary>
    private static nint PanelDistance(int length) => CacheLine<T>.OddStride(length * Width);

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
                var column = firstPanel * Width;
                var group = new PanelGroup { Panels = Math.Min(PanelsOfGroup, panels - firstPanel), Columns = c.Columns - column, Length = length, Packed = scratch };
                Prepare(in b, k, column, inPlace: tiles <= TilesOfGroup, ref group);
                var packedTiles = scratch + (group.Panels * PanelDistance(length));
                var row = 0;
                for (var tile = 0; tile < tiles; tile += TilesOfGroup)
                {
                    var some = new TileGroup { Tiles = Math.Min(TilesOfGroup, tiles - tile), Height = height };
                    some.Taller = Math.Clamp(taller - tile, 0, some.Tiles);
                    Prepare(in a, row, k, length, packedTiles, ref some);
                    var to = c.Start + (row * c.Stride) + column;
                    var continues = k > 0 || c.Accumulate;
                    var call = new TileCall<T>
                    {
                        Count = length,
                        Start = continues ? to : c.Bias != null ? c.Bias + column : null,
                        StartRows = continues ? strides : _start.SameRow,
                        C = to,
                        CRows = strides,
                    };
                    RunGroup(call, in group, in some);
                    row += some.Rows;
                }
            }
        }
    }

    /// <summary>One block of a group of panels: whole panels of a row-major B may stay where they are, all others are packed.</summary>
    private static void Prepare(in RightOperand<T> b, int k, int column, bool inPlace, ref PanelGroup group)
    {
        var packed = group.Packed;
        if (b.ColumnMajor)
        {
            for (var panel = 0; panel < group.Panels; panel++)
            {
                var columns = Math.Min(Width, b.Columns - column);
                PanelPacking<TSimd, TVector, T>.PackTransposed(b.Rows[column] + k, b.Rows.Stride, group.Length, columns, packed);
                packed += PanelDistance(group.Length);
                column += Width;
            }

            return;
        }

        var rows = b.Rows.Skip(k).SkipColumns(column);
        if (inPlace && b.Rows.Offsets == null)
        {
            group.InPlacePanels = Math.Clamp((b.Columns - column) / Width, 0, group.Panels);
            group.InPlace = rows.Start;
            group.InPlaceStride = rows.Stride;
        }

        var done = group.InPlacePanels * Width;
        var distance = PanelDistance(group.Length);
        PanelPacking<TSimd, TVector, T>.PackPanels(
            rows.SkipColumns(done), group.Length, b.Columns - column - done, group.Panels - group.InPlacePanels, packed + (group.InPlacePanels * distance), distance);
    }

    /// <summary>One block of a group of tiles: what lies close together stays where it is, columns that lie far apart are packed.</summary>
    private static void Prepare(in LeftOperand<T> a, int row, int k, int length, T* packed, ref TileGroup group)
    {
        if (a.Row != 1 || (a.Offsets == null && length * a.Step * sizeof(T) <= BytesInPlace))
        {
            group.Start = a.Start + (row * a.Row) + (k * a.Step);
            (group.Row, group.Step) = (a.Row, a.Step);
            return;
        }

        var source = a.Offsets != null ? new Rows<T>(a.Start + row, 0, a.Offsets + k) : new Rows<T>(a.Start + row + (k * a.Step), a.Step);
        group.Start = packed;
        group.IsPacked = true;
        TilePacking<T>.Pack(source, length, group.Taller, group.Height + 1, packed);
        var done = group.Taller * (group.Height + 1);
        TilePacking<T>.Pack(source.SkipColumns(done), length, group.Tiles - group.Taller, group.Height, packed + (group.Taller * TilePacking<T>.Distance(length, group.Height + 1)));
    }

    /// <summary>Some tiles through a group of panels, each panel past all tiles.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void RunGroup(TileCall<T> call, in PanelGroup group, in TileGroup tiles)
    {
        var fromZero = call.Start == null;
        var start = call.Start;
        var c = call.C;
        var (cStride, startStride) = (call.CRows[1], call.StartRows[1]);
        call.ARow = tiles.IsPacked ? sizeof(T) : tiles.Row * sizeof(T);
        for (var panel = 0; panel < group.Panels; panel++)
        {
            var inPlace = panel < group.InPlacePanels;
            call.B = inPlace ? group.InPlace + (panel * Width) : group.Packed + (panel * PanelDistance(group.Length));
            call.BStep = inPlace ? group.InPlaceStride : Width;
            call.Prefetch = (byte*)(inPlace || panel == group.Panels - 1 ? call.B : call.B + PanelDistance(group.Length));
            call.PrefetchStep = inPlace || tiles.Tiles == 1 ? 0 : Width * sizeof(T) / tiles.Tiles;
            var columns = Math.Min(Width, group.Columns - (panel * Width));
            var from = tiles.Start;
            for (int done = 0, row = 0; done < tiles.Tiles; done += call.Tiles)
            {
                var rows = done < tiles.Taller ? tiles.Height + 1 : tiles.Height;
                call.Tiles = done < tiles.Taller ? tiles.Taller : tiles.Tiles - tiles.Taller;
                call.A = (byte*)from;
                call.AStep = (tiles.IsPacked ? rows : tiles.Step) * sizeof(T);
                call.ATile = (tiles.IsPacked ? TilePacking<T>.Distance(group.Length, rows) : rows * tiles.Row) * sizeof(T);
                call.C = c + (row * cStride);
                call.CTile = rows * cStride;
                call.Start = fromZero ? _start.Zeros : start + (row * startStride);
                call.StartTile = fromZero ? 0 : rows * startStride;
                row += call.Tiles * rows;
                call.Next = done + call.Tiles < tiles.Tiles ? c + (row * cStride) : c + Width;
                TileKernel<TSimd, TVector, T>.Run(rows, columns, &call);
                call.Prefetch += call.PrefetchStep * group.Length * call.Tiles;
                from = (T*)((byte*)from + (call.Tiles * call.ATile));
            }

            start += fromZero ? 0 : Width;
            c += Width;
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
    }

    /// <summary>Some tiles of one block of A, the first few one row higher: where they lie, or packed as [tile][k][row].</summary>
    private struct TileGroup
    {
        public int Tiles;
        public int Height;
        public int Taller;
        public T* Start;
        public bool IsPacked;
        public nint Row;
        public nint Step;

        public readonly int Rows => (Tiles * Height) + Taller;
    }
}
