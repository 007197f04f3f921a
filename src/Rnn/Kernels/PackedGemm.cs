using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>
/// Products with packed weights. Many rows take a panel block by block along k, so that a block stays in the first-level cache while all rows
/// pass; few rows stream through several panels at once.
/// </summary>
internal sealed unsafe class PackedGemm<TSimd, TVector, T>(SumStart<T> start)
    where TSimd : struct, ITileRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The largest block of the summed dimension: 256 k of two 512-bit vectors are 32 KB.</summary>
    private const int LargestBlock = 256;

    /// <summary>Bytes of A that one pass over the panels works on: part of the second-level cache.</summary>
    private const int BytesOfRows = 384 << 10;

    /// <summary>Tiles of rows that pass all panels together however long the rows are.</summary>
    private const int LeastTiles = 4;

    private readonly SumStart<T> _start = start;

    private static int Width => PanelLayout<TSimd, TVector, T>.Width;

    /// <summary>See <see cref="MatrixKernels{T}.MultiplyScratch"/>.</summary>
    internal static nint MultiplyScratch(int rows, int inner)
    {
        // The rows of one pass, at most: a bound that grows with both sizes, so that one scratch serves all products up to them.
        var row = CacheLine<T>.OddStride(inner);
        return Math.Min(rows * row, Math.Max(BytesOfRows / sizeof(T), LeastTiles * TileShape.MostRows * row)) + CacheLine<T>.Length;
    }

    /// <summary>See <see cref="MatrixKernels{T}.Multiply"/>.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal void Multiply(
        Rows<T> a, int rows, T* packed, int inner, int outputs, Rows<T> c, bool accumulate, T* bias, int firstPanel, int endPanel, T* scratch)
    {
        if (rows <= 0 || firstPanel >= endPanel)
        {
            return;
        }

        if (inner == 0)
        {
            SumStart<T>.Write(rows, c, accumulate, bias, firstPanel * Width, Math.Min(outputs, endPanel * Width));
            return;
        }

        var strides = stackalloc nint[TileShape.MostRows];
        TileShape.FillStrides(strides, TileShape.MostRows, c.Stride);
        var product = new PackedProduct
        {
            Packed = CacheLine<T>.Align(packed),
            Inner = inner,
            Outputs = outputs,
            FirstPanel = firstPanel,
            EndPanel = endPanel,
            Accumulate = accumulate,
            Bias = bias,
            Strides = strides,
        };
        scratch = CacheLine<T>.Align(scratch);
        if (rows <= FewRowsKernel<TSimd, TVector, T>.MostRows)
        {
            MultiplyFewRows(in product, Direct(a, rows, inner, scratch), rows, c);
            return;
        }

        // All tiles have the same number of rows or one more.
        var tiles = (rows + TileShape.MostRows - 1) / TileShape.MostRows;
        var (height, taller) = Math.DivRem(rows, tiles);
        var tilesOfPass = RowsOfPass(inner) / TileShape.MostRows;
        for (var tile = 0; tile < tiles; tile += tilesOfPass)
        {
            var count = Math.Min(tilesOfPass, tiles - tile);
            var tallerOfPass = Math.Clamp(taller - tile, 0, count);
            var rowsOfPass = (count * height) + tallerOfPass;
            MultiplyTiles(in product, Direct(a, rowsOfPass, inner, scratch), c, count, height, tallerOfPass);
            a = a.Skip(rowsOfPass);
            c = c.Skip(rowsOfPass);
        }
    }

    /// <summary>All panels for some tiles of rows; the first <paramref name="taller"/> tiles are one row higher.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void MultiplyTiles(in PackedProduct product, Rows<T> a, Rows<T> c, int tiles, int height, int taller)
    {
        var blockLength = TileShape.BlockLength(product.Inner, LargestBlock);
        for (var panel = product.FirstPanel; panel < product.EndPanel; panel++)
        {
            var column = panel * Width;
            var columns = Math.Min(Width, product.Outputs - column);
            var b = product.Packed + ((nint)panel * product.Inner * Width);
            for (var k = 0; k < product.Inner; k += blockLength)
            {
                var call = new TileCall<T>
                {
                    ARow = a.Stride * sizeof(T),
                    AStep = sizeof(T),
                    B = b + ((nint)k * Width),
                    BStep = Width,
                    Count = Math.Min(blockLength, product.Inner - k),
                };
                var row = 0;
                var prefetches = k == 0 && c.Offsets == null;
                for (var tile = 0; tile < tiles; tile++)
                {
                    // The last of several tiles prefetches the panel block that comes next.
                    var last = tile > 0 && tile == tiles - 1;
                    call.Prefetch = (byte*)(last ? call.B + (call.Count * Width) : call.B);
                    call.PrefetchStep = last ? Width * sizeof(T) : 0;
                    var rows = tile < taller ? height + 1 : height;
                    call.A = (byte*)(a.Start + (row * a.Stride) + k);
                    SetTarget(ref call, in product, c.Skip(row), column, k == 0);
                    if (prefetches)
                    {
                        var next = tile < tiles - 1 ? call.C + (rows * c.Stride) : c.Start + column + Width;
                        TileKernel<TSimd, TVector, T>.PrefetchTarget(rows, next, call.CRows);
                    }

                    TileKernel<TSimd, TVector, T>.Run(rows, columns, in call);
                    row += rows;
                }
            }
        }
    }

    /// <summary>Where sums of a tile come from and go to.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void SetTarget(ref TileCall<T> call, in PackedProduct product, Rows<T> c, int column, bool first)
    {
        call.CRows = c.Offsets == null ? product.Strides : c.Offsets;
        call.C = c.Start + column;
        if (!first || product.Accumulate)
        {
            call.Start = call.C;
            call.StartRows = call.CRows;
        }
        else
        {
            call.Start = product.Bias == null ? _start.Zeros : product.Bias + column;
            call.StartRows = _start.SameRow;
        }
    }

    /// <summary>Rows at equal distances that the micro-kernel may read where they lie, else a copy of them.</summary>
    internal static Rows<T> Direct(Rows<T> a, int rows, int inner, T* scratch)
    {
        if (a.Offsets == null)
        {
            return a;
        }

        if (rows == 1)
        {
            return new(a[0], 0);
        }

        var stride = CacheLine<T>.OddStride(inner);
        for (var r = 0; r < rows; r++)
        {
            TileShape.CopyRow(a[r], scratch + (r * stride), inner);
        }

        return new(scratch, stride);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void MultiplyFewRows(in PackedProduct product, Rows<T> a, int rows, Rows<T> c)
    {
        var panels = product.EndPanel - product.FirstPanel;
        var most = FewRowsKernel<TSimd, TVector, T>.PanelsAtOnce(rows);

        // A lone panel of a lone row would be the slowest: it makes three of two.
        var groups = rows == 1 && most == 2 ? Math.Max(1, panels / 2) : (panels + most - 1) / most;
        var (size, larger) = Math.DivRem(panels, groups);
        var panel = product.FirstPanel;
        var call = new TileCall<T> { A = (byte*)a.Start, ARow = a.Stride * sizeof(T), Count = product.Inner };
        for (var group = 0; group < groups; group++)
        {
            var count = group < larger ? size + 1 : size;
            var column = panel * Width;
            call.B = product.Packed + ((nint)panel * product.Inner * Width);
            SetTarget(ref call, in product, c, column, true);
            FewRowsKernel<TSimd, TVector, T>.Run(rows, count, product.Outputs - column, in call);
            panel += count;
        }
    }

    /// <summary>Rows that pass all panels together.</summary>
    internal static int RowsOfPass(int inner)
    {
        var tile = (int)CacheLine<T>.OddStride(inner) * sizeof(T) * TileShape.MostRows;
        return TileShape.MostRows * Math.Max(LeastTiles, BytesOfRows / tile);
    }

    /// <summary>What the loops of one product share.</summary>
    private struct PackedProduct
    {
        public T* Packed;
        public int Inner;
        public int Outputs;
        public int FirstPanel;
        public int EndPanel;
        public bool Accumulate;
        public T* Bias;
        public nint* Strides;
    }
}
