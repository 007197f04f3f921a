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

    public VectorMatrixKernels()
    {
        var start = new SumStart<T>(FewRowsKernel<TSimd, TVector, T>.MostPanels * PanelWidth, TileShape.MostRows);
        _packed = new(start);
        _unpacked = new(start);
        _transposed = new(_unpacked);
    }

    /// <inheritdoc/>
    public override int PanelWidth => PanelLayout<TSimd, TVector, T>.Width;

    /// <inheritdoc/>
    public override nint PackedLength(int inner, int outputs) => ((nint)inner * PanelCount(outputs) * PanelWidth) + CacheLine<T>.Length;

    /// <inheritdoc/>
    public override void Pack(T* source, nint sourceStride, bool transposed, int inner, int outputs, T* packed, int firstPanel, int endPanel) =>
        PanelPacking<TSimd, TVector, T>.Pack(source, sourceStride, transposed, inner, outputs, packed, firstPanel, endPanel);

    /// <inheritdoc/>
    public override void Multiply(
        Rows<T> a, int rows, T* packed, int inner, int outputs, Rows<T> c, bool accumulate, T* bias, int firstPanel, int endPanel, T* scratch) =>
        _packed.Multiply(a, rows, packed, inner, outputs, c, accumulate, bias, firstPanel, endPanel, scratch);

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
