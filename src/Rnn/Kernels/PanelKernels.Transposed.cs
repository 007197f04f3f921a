using System.Numerics;

namespace Rnn.Kernels;

/// <content>Products of matrices as they lie: weight gradients, and any product that is made once.</content>
internal sealed unsafe partial class PanelKernels<TSimd, TVector, T>
    where TSimd : struct, ITileRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Above this many columns the second matrix is never the one that is cut into tiles.</summary>
    private const int MostTurnedColumns = 128;

    /// <inheritdoc/>
    public override nint TransposedScratch(int count, int m, int n)
    {
        var straight = LooseScratch(count, PanelCount(n), true);
        var group = Math.Min(PanelCount(m), PanelsOfGroup);
        return n > MostTurnedColumns ? straight : Math.Max(straight, LooseScratch(count, group, true) + ((nint)n * group * Width) + Line);
    }

    /// <inheritdoc/>
    public override void MultiplyTransposedA(
        Rows<T> a, Rows<T> b, int count, int m, int n, T* c, nint cStride, int firstRow, int endRow, T* scratch, bool accumulate)
    {
        var rows = endRow - firstRow;
        if (n <= 0 || rows <= 0)
        {
            return;
        }

        c += firstRow * cStride;
        if (count <= 0)
        {
            StartOnly(rows, n, new(c, cStride), accumulate, null, 0, PanelCount(n));
            return;
        }

        a = a.SkipColumns(firstRow);
        scratch = Align(scratch);

        // What the vectors do not fill is lost work: of two ways to lay the tiles the one that loses less, where it pays for turning C.
        var straight = (nint)rows * Vectors(n);
        var turned = (nint)n * Vectors(rows);
        if (n > MostTurnedColumns || turned * 17 >= straight * 16)
        {
            MultiplyLoose(
                Left(a), rows, new() { Rows = b, Columns = n }, count, new() { Start = c, Stride = cStride, Columns = n, Accumulate = accumulate }, scratch);
            return;
        }

        for (var row = 0; row < rows; row += PanelsOfGroup * Width)
        {
            var group = Math.Min(PanelsOfGroup * Width, rows - row);
            var width = PanelCount(group) * Width;
            if (accumulate)
            {
                BlockTranspose.Run(c + (row * cStride), cStride, group, n, scratch, width);
            }

            MultiplyLoose(
                Left(b), n, new() { Rows = a.SkipColumns(row), Columns = group }, count,
                new() { Start = scratch, Stride = width, Columns = width, Accumulate = accumulate }, Align(scratch + ((nint)n * width)));
            BlockTranspose.Run(scratch, width, n, group, c + (row * cStride), cStride);
        }
    }

    /// <inheritdoc/>
    public override nint ProductScratch(int n, int inner) => LooseScratch(inner, PanelCount(n), false);

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
            StartOnly(m, n, new(c, cStride), accumulate, bias, 0, PanelCount(n));
            return;
        }

        MultiplyLoose(
            new() { Start = a, Row = transposeA ? 1 : aStride, Step = transposeA ? aStride : 1 }, m,
            new() { Rows = new(b, bStride), Columns = n, ColumnMajor = transposeB }, inner,
            new() { Start = c, Stride = cStride, Columns = n, Accumulate = accumulate, Bias = bias }, Align(scratch));
    }

    private static LeftOperand Left(Rows<T> k) => new() { Start = k.Start, Row = 1, Step = k.Stride, Offsets = k.Offsets };

    private static int Vectors(int columns) => (columns + TSimd.Count - 1) / TSimd.Count;
}
