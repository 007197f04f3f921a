using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <content>Many rows: the loops over rows, panels, blocks and tiles.</content>
internal sealed unsafe partial class PanelKernels<TSimd, TVector, T>
    where TSimd : struct, ITileRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Bytes of A that one pass over the panels works on: part of the second-level cache.</summary>
    private const int BytesOfRows = 384 << 10;

    /// <summary>Tiles of rows that pass all panels together however long the rows are.</summary>
    private const int LeastTiles = 4;

    /// <inheritdoc/>
    public override nint MultiplyScratch(int rows, int inner)
    {
        // The rows of one pass, at most: a bound that grows with both sizes, so that one scratch serves all products up to them.
        var row = GatherStride(inner);
        return Math.Min(rows * row, Math.Max(BytesOfRows / sizeof(T), LeastTiles * MostRows * row)) + Line;
    }

    /// <inheritdoc/>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public override void Multiply(
        Rows<T> a, int rows, T* packed, int inner, int outputs, Rows<T> c, bool accumulate, T* bias, int firstPanel, int endPanel, T* scratch)
    {
        if (rows <= 0 || firstPanel >= endPanel)
        {
            return;
        }

        if (inner == 0)
        {
            StartOnly(rows, outputs, c, accumulate, bias, firstPanel, endPanel);
            return;
        }

        var strides = stackalloc nint[MostRows];
        FillStrides(strides, MostRows, c.Stride);
        var product = new PackedProduct
        {
            Packed = Align(packed),
            Inner = inner,
            Outputs = outputs,
            FirstPanel = firstPanel,
            EndPanel = endPanel,
            Accumulate = accumulate,
            Bias = bias,
            Strides = strides,
        };
        scratch = Align(scratch);
        if (rows <= MostWideRows)
        {
            MultiplyWide(in product, Direct(a, rows, inner, scratch), rows, c);
            return;
        }

        // All tiles have the same number of rows or one more.
        var tiles = (rows + MostRows - 1) / MostRows;
        var (height, taller) = Math.DivRem(rows, tiles);
        var tilesOfPass = RowsOfPass(inner) / MostRows;
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
        var blockLength = BlockLength(product.Inner, LargestBlock);
        for (var panel = product.FirstPanel; panel < product.EndPanel; panel++)
        {
            var column = panel * Width;
            var columns = Math.Min(Width, product.Outputs - column);
            var b = product.Packed + ((nint)panel * product.Inner * Width);
            for (var k = 0; k < product.Inner; k += blockLength)
            {
                var call = new TileCall
                {
                    ARow = a.Stride * sizeof(T),
                    AStep = sizeof(T),
                    B = b + ((nint)k * Width),
                    BStep = Width,
                    Count = Math.Min(blockLength, product.Inner - k),
                };
                var row = 0;
                var asks = k == 0 && c.Offsets == null;
                for (var tile = 0; tile < tiles; tile++)
                {
                    // The last of several tiles asks for the panel block that comes next.
                    var last = tile > 0 && tile == tiles - 1;
                    call.Ahead = (byte*)(last ? call.B + (call.Count * Width) : call.B);
                    call.AheadStep = last ? Width * sizeof(T) : 0;
                    var rows = tile < taller ? height + 1 : height;
                    call.A = (byte*)(a.Start + (row * a.Stride) + k);
                    SetTarget(ref call, in product, c.Skip(row), column, k == 0);
                    if (asks)
                    {
                        AskForTarget(rows, tile < tiles - 1 ? call.C + (rows * c.Stride) : c.Start + column + Width, call.CRows);
                    }

                    RunTile(rows, columns, in call);
                    row += rows;
                }
            }
        }
    }

    /// <summary>Where sums of a tile come from and go to.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void SetTarget(ref TileCall call, in PackedProduct product, Rows<T> c, int column, bool first)
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
            call.Start = product.Bias == null ? _zeros : product.Bias + column;
            call.StartRows = _noStride;
        }
    }

    /// <summary>Rows at equal distances that the micro-kernel may read where they lie, else a copy of them.</summary>
    private static Rows<T> Direct(Rows<T> a, int rows, int inner, T* scratch)
    {
        if (a.Offsets == null)
        {
            return a;
        }

        if (rows == 1)
        {
            return new(a[0], 0);
        }

        var stride = GatherStride(inner);
        for (var r = 0; r < rows; r++)
        {
            CopyRow(a[r], scratch + (r * stride), inner);
        }

        return new(scratch, stride);
    }

    /// <summary>An odd number of cache lines from row to row, which spreads the rows over the sets of the caches.</summary>
    private static nint GatherStride(int inner) => (((inner + Line - 1) / Line) | 1) * Line;

    /// <summary>Rows that pass all panels together.</summary>
    private static int RowsOfPass(int inner) => MostRows * Math.Max(LeastTiles, BytesOfRows / ((int)GatherStride(inner) * sizeof(T) * MostRows));

    /// <summary>The starting values alone, where nothing is summed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void StartOnly(int rows, int outputs, Rows<T> c, bool accumulate, T* bias, int firstPanel, int endPanel)
    {
        if (accumulate)
        {
            return;
        }

        var first = firstPanel * Width;
        var columns = Math.Min(outputs, endPanel * Width) - first;
        if (bias == null && c.Offsets == null && c.Stride == columns)
        {
            new Span<T>(c.Start + first, checked(rows * columns)).Clear();
            return;
        }

        for (var r = 0; r < rows; r++)
        {
            if (bias == null)
            {
                new Span<T>(c[r] + first, columns).Clear();
            }
            else
            {
                CopyRow(bias + first, c[r] + first, columns);
            }
        }
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
