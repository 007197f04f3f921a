using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>Products of single precision with compressed weights, of one vector width.</summary>
internal abstract unsafe class CompressedGemm
{
    /// <summary>See <see cref="MatrixKernels{T}.Multiply"/>.</summary>
    internal abstract void Multiply(in CompressedProduct product, Rows<float> a, int rows, Rows<float> c, float* scratch);
}

/// <summary>What the loops of one product with compressed weights share.</summary>
internal unsafe struct CompressedProduct
{
    public PackedPanels<float> Packed;
    public int Inner;
    public int Outputs;
    public int FirstPanel;
    public int EndPanel;
    public bool Accumulate;
    public float* Bias;
}

/// <summary>
/// Few rows read compressed weights directly. Of bfloat16, many rows unpack a block of a panel at a time, which stays in the first-level cache, and go through tiles: the chain of
/// multiply-adds of every element is that of a matrix of single precision. Of 8 bits, rows become whole numbers first; a block of k has an exact sum, and the sums of blocks are added in
/// ascending order of k.
/// </summary>
internal sealed unsafe class CompressedGemm<TSimd, TCompact, TInteger, TVector> : CompressedGemm
    where TSimd : struct, ITileRegisters<TVector, float>
    where TCompact : struct, ICompactRegisters<TInteger, TVector>
    where TInteger : struct
    where TVector : struct
{
    // Of bfloat16: more rows are faster by tiles, although weights are unpacked first.
    private const int MostDirectRows = 12;

    // Of bfloat16: k of a panel that are unpacked at a time, as many as a block of tiles has.
    private static readonly int LargestBlock = TileShape.LargestBlock(Width * sizeof(float));

    // Bytes of whole numbers that one pass over the panels works on.
    private const int BytesOfRows = 128 << 10;

    // Rows of one call of either kernel.
    private const int MostRows = Int8Kernel<TSimd, TCompact, TInteger, TVector>.MostRows;

    private readonly SumStart<float> _start = new(BFloat16Kernel<TSimd, TCompact, TInteger, TVector>.MostPanels(rows: 1) * Width, TileShape.MostRows);

    private static int Width => PanelLayout<TSimd, TVector, float>.Width;

    private static int MostPanels(PackedFormat format, int rows) => format == PackedFormat.BFloat16
        ? BFloat16Kernel<TSimd, TCompact, TInteger, TVector>.MostPanels(rows)
        : Int8Kernel<TSimd, TCompact, TInteger, TVector>.MostPanels(rows);

    internal override void Multiply(in CompressedProduct product, Rows<float> a, int rows, Rows<float> c, float* scratch)
    {
        if (rows <= 0 || product.FirstPanel >= product.EndPanel)
        {
            return;
        }

        if (product.Inner == 0)
        {
            SumStart<float>.Write(rows, c, product.Accumulate, product.Bias, product.FirstPanel * Width, Math.Min(product.Outputs, product.EndPanel * Width));
        }
        else if (product.Packed.Format == PackedFormat.Int8)
        {
            MultiplyWhole(in product, a, rows, c);
        }
        else
        {
            MultiplyBFloat16(in product, a, rows, c, CacheLine<float>.Align(scratch));
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void MultiplyBFloat16(in CompressedProduct product, Rows<float> a, int rows, Rows<float> c, float* scratch)
    {
        var strides = stackalloc nint[TileShape.MostRows];
        TileShape.FillStrides(strides, TileShape.MostRows, c.Stride);
        if (rows > MostDirectRows)
        {
            MultiplyUnpacked(in product, a, rows, c, scratch, strides);
            return;
        }

        var direct = PackedGemm<TSimd, TVector, float>.Direct(a, rows, product.Inner, scratch);
        var call = new CompressedCall { A = (byte*)direct.Start, ARow = direct.Stride * sizeof(float), Count = product.Inner };
        MultiplyDirect(in product, rows, c, strides, ref call);
    }

    // Tiles as equal as can be for all panels, each panel unpacked block by block.
    private void MultiplyUnpacked(in CompressedProduct product, Rows<float> a, int rows, Rows<float> c, float* scratch, nint* strides)
    {
        var block = TileShape.BlockLength(product.Inner, LargestBlock);
        var unpacked = CacheLine<float>.Align(Scratch<float>.GetForWeights(((nint)block * Width) + CacheLine<float>.Length));
        var rowsOfPass = PackedGemm<TSimd, TVector, float>.RowsOfPass(product.Inner);
        for (var done = 0; done < rows; done += rowsOfPass)
        {
            var count = Math.Min(rowsOfPass, rows - done);
            var direct = PackedGemm<TSimd, TVector, float>.Direct(a.Skip(done), count, product.Inner, scratch);
            for (var panel = product.FirstPanel; panel < product.EndPanel; panel++)
            {
                for (var k = 0; k < product.Inner; k += block)
                {
                    var length = Math.Min(block, product.Inner - k);
                    Unpack((byte*)Panel(in product, panel) + ((nint)k * TSimd.Count * sizeof(int)), unpacked, length);
                    MultiplyTiles(in product, direct.SkipColumns(k), count, c.Skip(done), strides, panel, unpacked, length, k == 0);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void MultiplyTiles(
        in CompressedProduct product, Rows<float> a, int rows, Rows<float> c, nint* strides, int panel, float* unpacked, int length, bool first)
    {
        var column = panel * Width;
        var columns = Math.Min(Width, product.Outputs - column);
        var tiles = (rows + TileShape.MostRows - 1) / TileShape.MostRows;
        var (height, taller) = Math.DivRem(rows, tiles);
        var call = new TileCall<float> { ARow = a.Stride * sizeof(float), AStep = sizeof(float), B = unpacked, BStep = Width, Count = length, Prefetch = (byte*)unpacked };
        var listed = c.Offsets != null;
        var fromC = !first || product.Accumulate;
        for (int row = 0, done = 0; done < tiles; done += call.Tiles)
        {
            var count = done < taller ? height + 1 : height;
            var to = c.Skip(row);
            call.Tiles = done < taller ? taller : tiles - taller;
            call.A = (byte*)(a.Start + (row * a.Stride));
            call.ATile = count * call.ARow;
            call.C = to.Start + column;
            call.CRows = listed ? to.Offsets : strides;
            call.CTile = listed ? 0 : count * c.Stride;
            call.CRowsTile = listed ? count : 0;
            call.Start = Start(in product, call.C, column, first);
            call.StartRows = StartRows(in product, call.CRows, first);
            call.StartTile = fromC ? call.CTile : 0;
            call.StartRowsTile = fromC ? call.CRowsTile : 0;
            call.Next = call.C;
            TileKernel<TSimd, TVector, float>.Run(count, columns, &call);
            row += call.Tiles * count;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Unpack(byte* from, float* to, int length)
    {
        do
        {
            var both = TCompact.Load(from);
            TSimd.Store(TCompact.LowerHalf(both), to);
            TSimd.Store(TCompact.UpperHalf(both), to + TSimd.Count);
            from += TSimd.Count * sizeof(int);
            to += Width;
        }
        while (--length != 0);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void MultiplyWhole(in CompressedProduct product, Rows<float> a, int rows, Rows<float> c)
    {
        var strides = stackalloc nint[MostRows];
        TileShape.FillStrides(strides, MostRows, c.Stride);

        // Rows of whole numbers, then a scale for each, then their sums. Few rows at a time, so that they stay near.
        var stride = CacheLine<float>.OddStride((product.Inner + 1) / 2);
        var blocks = QuantizedRows.Blocks(product.Inner);
        var rowsOfPass = Math.Min(rows, MostRows * Math.Max(2, BytesOfRows / ((int)stride * sizeof(float) * MostRows)));
        var whole = CacheLine<float>.Align(Scratch<float>.GetForWeights((rowsOfPass * (stride + blocks + 1)) + CacheLine<float>.Length));
        var scales = whole + (rowsOfPass * stride);
        var sums = (int*)(scales + rowsOfPass);
        for (var done = 0; done < rows; done += rowsOfPass)
        {
            var count = Math.Min(rowsOfPass, rows - done);
            for (var row = 0; row < count; row++)
            {
                scales[row] = QuantizedRows.Quantize(a[done + row], product.Inner, (short*)(whole + (row * stride)), sums + (row * blocks));
            }

            var call = new CompressedCall { A = (byte*)whole, ARow = stride * sizeof(float), RowScales = scales, RowSums = sums, RowSumStep = blocks };
            MultiplyDirect(in product, count, c.Skip(done), strides, ref call);
        }
    }

    /// <summary>All panels by groups of rows, as equal as can be: one or two rows take several panels at once, more rows a panel after another.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void MultiplyDirect(in CompressedProduct product, int rows, Rows<float> c, nint* strides, ref CompressedCall call)
    {
        var a = call.A;
        var scales = call.RowScales;
        var sums = call.RowSums;
        call.BPanel = CompressedPacking.Panel(product.Packed.Format, product.Inner, Width) * sizeof(float);
        var first = (byte*)Panel(in product, 0);
        var groups = (rows + MostRows - 1) / MostRows;
        var (height, taller) = Math.DivRem(rows, groups);
        var most = MostPanels(product.Packed.Format, height);
        for (var panel = product.FirstPanel; panel < product.EndPanel; panel += most)
        {
            var panels = Math.Min(most, product.EndPanel - panel);
            var row = 0;
            for (var group = 0; group < groups; group++)
            {
                var size = group < taller ? height + 1 : height;
                call.A = a + (row * call.ARow);
                call.RowScales = scales + row;
                call.RowSums = sums + (row * call.RowSumStep);
                call.B = first + (panel * call.BPanel);
                RunPanels(in product, size, panel, panels, c.Skip(row), strides, ref call);
                row += size;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void RunPanels(in CompressedProduct product, int rows, int panel, int panels, Rows<float> c, nint* strides, ref CompressedCall call)
    {
        var column = panel * Width;
        call.C = c.Start + column;
        call.CRows = c.Offsets == null ? strides : c.Offsets;
        call.Start = Start(in product, call.C, column, first: true);
        call.StartRows = StartRows(in product, call.CRows, first: true);
        call.ColumnScales = CacheLine<float>.Align(product.Packed.Pointer) + column;
        if (product.Outputs - column >= panels * Width)
        {
            RunWhole(in product, rows, panels, ref call);
        }
        else
        {
            RunPartial(in product, rows, panels, product.Outputs - column, in call);
        }
    }

    // The last panel has fewer columns: beside their place.
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void RunPartial(in CompressedProduct product, int rows, int panels, int columns, in CompressedCall call)
    {
        const int MostVectors = 12;
        var tile = stackalloc float[(MostVectors * TSimd.Count) + CacheLine<float>.Length];
        tile = CacheLine<float>.Align(tile);
        var strides = stackalloc nint[TileShape.MostRows];
        TileShape.FillStrides(strides, rows, panels * Width);
        for (var r = 0; r < rows; r++)
        {
            TileShape.CopyRow(call.Start + call.StartRows[r], tile + strides[r], columns);
            new Span<float>(tile + strides[r] + columns, (panels * Width) - columns).Clear();
        }

        var beside = call with { Start = tile, StartRows = strides, C = tile, CRows = strides };
        RunWhole(in product, rows, panels, ref beside);
        for (var r = 0; r < rows; r++)
        {
            TileShape.CopyRow(tile + strides[r], call.C + call.CRows[r], columns);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void RunWhole(in CompressedProduct product, int rows, int panels, ref CompressedCall call)
    {
        if (product.Packed.Format == PackedFormat.BFloat16)
        {
            BFloat16Kernel<TSimd, TCompact, TInteger, TVector>.Run(rows, panels, in call);
            return;
        }

        for (var pairs = (product.Inner + 1) / 2; pairs > 0; pairs -= QuantizedRows.BlockLength / 2)
        {
            call.Count = Math.Min(pairs, QuantizedRows.BlockLength / 2);
            Int8Kernel<TSimd, TCompact, TInteger, TVector>.Run(rows, panels, in call);
            call.Start = call.C;
            call.StartRows = call.CRows;
            call.A += QuantizedRows.BlockLength * sizeof(short);
            call.B += QuantizedRows.BlockLength / 2 * TSimd.Count * sizeof(int);
            call.RowSums++;
        }
    }

    private static float* Panel(in CompressedProduct product, int panel)
    {
        var format = product.Packed.Format;
        return CacheLine<float>.Align(product.Packed.Pointer) + CompressedPacking.Scales(format, product.Outputs, Width)
            + (panel * CompressedPacking.Panel(format, product.Inner, Width));
    }

    // What the sums start from: the target itself, or the bias or zeros, the same for every row.
    private float* Start(in CompressedProduct product, float* c, int column, bool first)
    {
        if (!first || product.Accumulate)
        {
            return c;
        }

        return product.Bias == null ? _start.Zeros : product.Bias + column;
    }

    private nint* StartRows(in CompressedProduct product, nint* cRows, bool first) => !first || product.Accumulate ? cRows : _start.SameRow;
}
