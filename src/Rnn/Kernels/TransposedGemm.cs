using System.Numerics;

namespace Rnn.Kernels;

/// <summary>C += Aᵀ B of unpacked matrices: weight gradients. Either B or A is cut into panels, whichever leaves fewer lanes empty.</summary>
internal sealed unsafe class TransposedGemm<TSimd, TVector, T>(UnpackedGemm<TSimd, TVector, T> unpacked)
    where TSimd : struct, ITileRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Above this many columns the second matrix is never the one that is cut into tiles.</summary>
    private const int MostTransposedColumns = 128;

    private static int Width => PanelLayout<TSimd, TVector, T>.Width;

    /// <summary>See <see cref="MatrixKernels{T}.TransposedScratch"/>.</summary>
    internal static nint Scratch(int count, int m, int n)
    {
        var direct = UnpackedGemm<TSimd, TVector, T>.Scratch(count, PanelLayout<TSimd, TVector, T>.PanelCount(n));
        var group = Math.Min(PanelLayout<TSimd, TVector, T>.PanelCount(m), UnpackedGemm<TSimd, TVector, T>.NearPanels);
        var transposed = UnpackedGemm<TSimd, TVector, T>.Scratch(count, group) + ((nint)n * group * Width) + CacheLine<T>.Length;
        return n > MostTransposedColumns ? direct : Math.Max(direct, transposed);
    }

    /// <summary>See <see cref="MatrixKernels{T}.MultiplyTransposedA"/>.</summary>
    internal void Multiply(
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
            SumStart<T>.Write(rows, new(c, cStride), accumulate, null, 0, n);
            return;
        }

        a = a.SkipColumns(firstRow);
        scratch = CacheLine<T>.Align(scratch);

        // What the vectors do not fill is lost work: of two ways to lay the tiles the one that loses less, where it pays for transposing C.
        var direct = (nint)rows * Vectors(n);
        var transposed = (nint)n * Vectors(rows);
        if (n > MostTransposedColumns || transposed * 17 >= direct * 16)
        {
            unpacked.Multiply(
                Left(a), rows, new() { Rows = b, Columns = n }, count, new() { Start = c, Stride = cStride, Columns = n, Accumulate = accumulate }, scratch);
            return;
        }

        for (var row = 0; row < rows; row += UnpackedGemm<TSimd, TVector, T>.NearPanels * Width)
        {
            var group = Math.Min(UnpackedGemm<TSimd, TVector, T>.NearPanels * Width, rows - row);
            var width = PanelLayout<TSimd, TVector, T>.PanelCount(group) * Width;
            if (accumulate)
            {
                BlockTranspose.Run(c + (row * cStride), cStride, group, n, scratch, width);
            }

            unpacked.Multiply(
                Left(b), n, new() { Rows = a.SkipColumns(row), Columns = group }, count,
                new() { Start = scratch, Stride = width, Columns = width, Accumulate = accumulate }, CacheLine<T>.Align(scratch + ((nint)n * width)));
            BlockTranspose.Run(scratch, width, n, group, c + (row * cStride), cStride);
        }
    }

    private static LeftOperand<T> Left(Rows<T> k) => new() { Start = k.Start, Row = 1, Step = k.Stride, Offsets = k.Offsets };

    private static int Vectors(int columns) => (columns + TSimd.Count - 1) / TSimd.Count;
}
