using System.Numerics;

namespace Rnn.Kernels;

/// <summary><see cref="MatrixKernels{T}"/> over one vector type: which product goes through which of the kernels.</summary>
internal sealed unsafe class VectorMatrixKernels<TSimd, TVector, T> : MatrixKernels<T>
    where TSimd : struct, ITileRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly PackedGemm<TSimd, TVector, T> _packed;
    private readonly UnpackedGemm<TSimd, TVector, T> _unpacked;
    private readonly TransposedGemm<TSimd, TVector, T> _transposed;
    private readonly CompressedGemm? _compressed;

    /// <summary>Makes the kernels.</summary>
    /// <param name="compressed">Products with compressed weights; null where the element type has none.</param>
    public VectorMatrixKernels(CompressedGemm? compressed = null)
    {
        _compressed = compressed;
        var start = new SumStart<T>(FewRowsKernel<TSimd, TVector, T>.MostPanels * PanelWidth, TileShape.MostRows);
        _packed = new(start);
        _unpacked = new(start);
        _transposed = new(_unpacked);
    }

    /// <inheritdoc/>
    public override int PanelWidth => PanelLayout<TSimd, TVector, T>.Width;

    /// <inheritdoc/>
    public override nint PackedLength(int inner, int outputs, PackedFormat format) => format == PackedFormat.Full
        ? ((nint)inner * PanelCount(outputs) * PanelWidth) + CacheLine<T>.Length
        : CompressedPacking.Length(format, inner, outputs, PanelWidth);

    /// <inheritdoc/>
    public override void Pack(T* source, nint sourceStride, bool transposed, int inner, int outputs, T* packed, int firstPanel, int endPanel) =>
        PanelPacking<TSimd, TVector, T>.Pack(source, sourceStride, transposed, inner, outputs, packed, firstPanel, endPanel);

    /// <inheritdoc/>
    public override void PackCompressed(T* source, nint sourceStride, int inner, int outputs, PackedPanels<T> packed, int firstPanel, int endPanel) =>
        CompressedPacking.Pack(packed.Format, (float*)source, sourceStride, inner, outputs, (float*)packed.Pointer, firstPanel, endPanel, PanelWidth);

    /// <inheritdoc/>
    public override void Multiply(
        Rows<T> a, int rows, PackedPanels<T> packed, int inner, int outputs, Rows<T> c, bool accumulate, T* bias, int firstPanel, int endPanel, T* scratch)
    {
        if (packed.Format == PackedFormat.Full)
        {
            _packed.Multiply(a, rows, packed.Pointer, inner, outputs, c, accumulate, bias, firstPanel, endPanel, scratch);
            return;
        }

        var product = new CompressedProduct
        {
            Packed = new((float*)packed.Pointer, packed.Format),
            Inner = inner,
            Outputs = outputs,
            FirstPanel = firstPanel,
            EndPanel = endPanel,
            Accumulate = accumulate,
            Bias = (float*)bias,
        };
        _compressed!.Multiply(
            in product, new((float*)a.Start, a.Stride, a.Offsets), rows, new((float*)c.Start, c.Stride, c.Offsets), (float*)scratch);
    }

    /// <inheritdoc/>
    public override nint MultiplyScratch(int rows, int inner) => PackedGemm<TSimd, TVector, T>.MultiplyScratch(rows, inner);

    /// <inheritdoc/>
    public override int MostPreparedRows => FewRowsKernel<TSimd, TVector, T>.MostRows;

    /// <inheritdoc/>
    public override PreparedProducts<T> Prepare(ReadOnlySpan<RowProduct<T>> products, int rows, bool descending) =>
        _packed.Prepare(this, products, rows, descending);

    /// <inheritdoc/>
    public override void Run(FewRowsCall<T>* calls, int count) => FewRowsKernel<TSimd, TVector, T>.Run(calls, count);

    /// <inheritdoc/>
    public override void MultiplyTransposedA(
        Rows<T> a, Rows<T> b, int count, int m, int n, T* c, nint cStride, int firstRow, int endRow, T* scratch, bool accumulate) =>
        _transposed.Multiply(a, b, count, m, n, c, cStride, firstRow, endRow, scratch, accumulate);

    /// <inheritdoc/>
    public override nint TransposedScratch(int count, int m, int n) => TransposedGemm<TSimd, TVector, T>.Scratch(count, m, n);

    /// <inheritdoc/>
    public override nint ProductScratch(int n, int inner) => UnpackedGemm<TSimd, TVector, T>.Scratch(inner, PanelCount(n));

    /// <inheritdoc/>
    public override void Product(
        bool transposeA, bool transposeB, int m, int n, int inner, T* a, nint aStride, T* b, nint bStride, T* c, nint cStride, bool accumulate, T* bias, T* scratch)
    {
        if (m <= 0 || n <= 0)
        {
            return;
        }

        if (inner <= 0)
        {
            SumStart<T>.Write(m, new(c, cStride), accumulate, bias, 0, n);
            return;
        }

        _unpacked.Multiply(
            new() { Start = a, Row = transposeA ? 1 : aStride, Step = transposeA ? aStride : 1 }, m,
            new() { Rows = new(b, bStride), Columns = n, ColumnMajor = transposeB }, inner,
            new() { Start = c, Stride = cStride, Columns = n, Accumulate = accumulate, Bias = bias }, CacheLine<T>.Align(scratch));
    }
}
