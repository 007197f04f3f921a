using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <content>The loops over blocks, panels and tiles.</content>
internal sealed unsafe partial class PanelKernels<TSimd, TVector, T>
    where TSimd : struct, IRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Rows whose part of a block of A is gathered at once where rows lie at offsets.</summary>
    private static int GatheredRows => 8 * MostRows;

    /// <inheritdoc/>
    public override nint MultiplyScratch(int rows, int inner) =>
        ((nint)Math.Min(rows, GatheredRows) * GatherStride(inner)) + (Alignment / sizeof(T));

    /// <inheritdoc/>
    public override void Multiply(
        Rows<T> a, int rows, T* packed, int inner, int outputs, Rows<T> c, bool accumulate, T* bias, int firstPanel, int endPanel, T* scratch)
    {
        if (rows <= 0 || firstPanel >= endPanel)
        {
            return;
        }

        if (inner == 0)
        {
            Start(rows, outputs, c, accumulate, bias, firstPanel, endPanel);
            return;
        }

        var product = new Product
        {
            Panels = PanelCount(outputs),
            Outputs = outputs,
            FirstPanel = firstPanel,
            EndPanel = endPanel,
            Packed = Align(packed),
            Inner = inner,
            BlockLength = BlockLength(inner),
            Accumulate = accumulate,
            Bias = bias,
        };
        scratch = Align(scratch);
        var strides = stackalloc nint[MostRows];
        for (var r = 0; r < MostRows; r++)
        {
            strides[r] = r * c.Stride;
        }

        product.Strides = strides;
        var tiles = (rows + MostRows - 1) / MostRows;
        var (tileRows, taller) = Math.DivRem(rows, tiles);
        const int TilesOfBlock = 8;
        for (var tile = 0; tile < tiles; tile += TilesOfBlock)
        {
            var end = Math.Min(tile + TilesOfBlock, tiles);
            MultiplyRows(ref product, a, c, tile, end, tileRows, taller, scratch);
            var done = ((end - tile) * tileRows) + Math.Max(0, Math.Min(end, taller) - tile);
            a = a.Skip(done);
            c = c.Skip(done);
        }
    }

    /// <summary>All blocks and panels for a few tiles of rows, whose part of A stays in the second-level cache.</summary>
    private void MultiplyRows(ref Product product, Rows<T> a, Rows<T> c, int tile, int endTile, int tileRows, int taller, T* scratch)
    {
        var rows = ((endTile - tile) * tileRows) + Math.Max(0, Math.Min(endTile, taller) - tile);
        for (var k = 0; k < product.Inner; k += product.BlockLength)
        {
            var length = Math.Min(product.BlockLength, product.Inner - k);
            var block = product.Packed + ((nint)k * product.Panels * Width);
            var left = a.Start + k;
            var leftStride = a.Stride;
            if (a.Offsets != null)
            {
                leftStride = GatherStride(product.Inner);
                Gather(a.SkipColumns(k), rows, length, scratch, leftStride);
                left = scratch;
            }

            for (var panel = product.FirstPanel; panel < product.EndPanel; panel++)
            {
                var column = panel * Width;
                var columns = Math.Min(Width, product.Outputs - column);
                var b = block + ((nint)panel * length * Width);
                var aTile = left;
                for (int t = tile, row = 0; t < endTile; t++)
                {
                    var height = t < taller ? tileRows + 1 : tileRows;
                    var cRows = c.Offsets == null ? product.Strides : c.Offsets + row;
                    var cTile = (c.Offsets == null ? c.Start + (row * c.Stride) : c.Start) + column;
                    T* start = cTile;
                    var startRows = cRows;
                    if (k == 0 && !product.Accumulate)
                    {
                        start = product.Bias == null ? _zeros : product.Bias + column;
                        startRows = _noStride;
                    }

                    if (columns == Width || columns == TSimd.Count)
                    {
                        RunTile(height, columns == Width, (byte*)aTile, leftStride * sizeof(T), sizeof(T), b, length, start, startRows, cTile, cRows);
                    }
                    else
                    {
                        RunPartialTile(height, columns, (byte*)aTile, leftStride * sizeof(T), sizeof(T), b, length, start, startRows, cTile, cRows);
                    }

                    row += height;
                    aTile += height * leftStride;
                }
            }
        }
    }

    /// <summary>A tile whose columns do not fill its vectors: computed beside C and copied, so that nothing right of C is touched.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void RunPartialTile(
        int rows, int columns, byte* a, nint aRow, nint aStep, T* b, int count, T* start, nint* startRows, T* c, nint* cRows)
    {
        var tile = stackalloc T[MostRows * Width];
        var tileRows = stackalloc nint[MostRows];
        for (var r = 0; r < rows; r++)
        {
            tileRows[r] = r * Width;
            CopyRow(start + startRows[r], tile + (r * Width), columns);
        }

        RunTile(rows, columns > TSimd.Count, a, aRow, aStep, b, count, tile, tileRows, tile, tileRows);
        for (var r = 0; r < rows; r++)
        {
            CopyRow(tile + (r * Width), c + cRows[r], columns);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void RunTile(
        int rows, bool wide, byte* a, nint aRow, nint aStep, T* b, int count, T* start, nint* startRows, T* c, nint* cRows)
    {
        if (wide)
        {
            switch (rows)
            {
                case 1: Tile<N1, N2>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 2: Tile<N2, N2>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 3: Tile<N3, N2>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 4: Tile<N4, N2>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 5: Tile<N5, N2>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 6: Tile<N6, N2>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 7: Tile<N7, N2>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 8: Tile<N8, N2>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 9: Tile<N9, N2>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 10: Tile<N10, N2>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 11: Tile<N11, N2>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 12: Tile<N12, N2>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 13: Tile<N13, N2>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 14: Tile<N14, N2>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
            }
        }
        else
        {
            switch (rows)
            {
                case 1: Tile<N1, N1>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 2: Tile<N2, N1>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 3: Tile<N3, N1>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 4: Tile<N4, N1>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 5: Tile<N5, N1>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 6: Tile<N6, N1>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 7: Tile<N7, N1>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 8: Tile<N8, N1>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 9: Tile<N9, N1>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 10: Tile<N10, N1>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 11: Tile<N11, N1>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 12: Tile<N12, N1>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 13: Tile<N13, N1>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
                case 14: Tile<N14, N1>(a, aRow, aStep, b, count, start, startRows, c, cRows); break;
            }
        }
    }

    /// <summary>The starting values alone, where nothing is summed.</summary>
    private static void Start(int rows, int outputs, Rows<T> c, bool accumulate, T* bias, int firstPanel, int endPanel)
    {
        if (accumulate)
        {
            return;
        }

        var first = firstPanel * Width;
        var columns = Math.Min(outputs, endPanel * Width) - first;
        for (var r = 0; r < rows; r++)
        {
            var row = new Span<T>(c[r] + first, columns);
            if (bias == null)
            {
                row.Clear();
            }
            else
            {
                new ReadOnlySpan<T>(bias + first, columns).CopyTo(row);
            }
        }
    }

    /// <summary>Rows at offsets, brought together; a stride that is no power of two spreads them over the cache.</summary>
    private static void Gather(Rows<T> a, int rows, int columns, T* destination, nint stride)
    {
        for (var r = 0; r < rows; r++)
        {
            CopyRow(a[r], destination + (r * stride), columns);
        }
    }

    private static nint GatherStride(int inner) => BlockLength(inner) + (Alignment / sizeof(T));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyRow(T* source, T* destination, int count) =>
        new ReadOnlySpan<T>(source, count).CopyTo(new Span<T>(destination, count));

    /// <summary>What the loops of one product share.</summary>
    private struct Product
    {
        public int Panels;
        public int Outputs;
        public int FirstPanel;
        public int EndPanel;
        public int Inner;
        public int BlockLength;
        public bool Accumulate;
        public T* Packed;
        public T* Bias;
        public nint* Strides;
    }
}
