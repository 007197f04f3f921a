using System.Numerics;
using System.Runtime.Intrinsics;

namespace Rnn.Kernels;

/// <summary>
/// Matrix products over weights that were packed once: the gate products of a recurrent layer forward and back, its weight
/// gradients, and every other product of the library. Pointers and sizes only; nothing is checked here.
/// </summary>
/// <remarks>
/// <para>Every element of a result is one chain of multiply-adds (fused where the processor can) in ascending order of the summed index, begun from what the
/// element held before (or the bias, or zero). Neither the number of rows in a call nor the tile, panel range, row range or vector width changes a
/// bit of it, so work may be split over rows and outputs in any way.</para>
/// <para>Packed weights and scratch are aligned inside, so their memory must not move between calls (pinned or native) and may
/// begin anywhere.</para>
/// </remarks>
internal abstract unsafe class MatrixKernels<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The kernels for the vector width in use.</summary>
    public static MatrixKernels<T> Current { get; } = For(Simd.VectorBits);

    /// <summary>Outputs in one packed panel: two vectors.</summary>
    public abstract int PanelWidth { get; }

    /// <summary>The kernels for a given vector width (0, 128, 256 or 512 bits).</summary>
    public static MatrixKernels<T> For(int vectorBits)
    {
        // Types of their own for float and double, not one for both: that halves the time the JIT takes for a tile.
        object kernels = (vectorBits, typeof(T) == typeof(float)) switch
        {
            (512, true) when Vector512.IsHardwareAccelerated =>
                new VectorMatrixKernels<Registers512, Vector512<float>, float>(new CompressedGemm<Registers512, Compact512, Vector512<int>, Vector512<float>>()),
            (512, _) when Vector512.IsHardwareAccelerated => new VectorMatrixKernels<Registers512, Vector512<double>, double>(),
            (256, true) when Vector256.IsHardwareAccelerated =>
                new VectorMatrixKernels<Registers256, Vector256<float>, float>(new CompressedGemm<Registers256, Compact256, Vector256<int>, Vector256<float>>()),
            (256, _) when Vector256.IsHardwareAccelerated => new VectorMatrixKernels<Registers256, Vector256<double>, double>(),
            (128, true) when Vector128.IsHardwareAccelerated =>
                new VectorMatrixKernels<Registers128, Vector128<float>, float>(new CompressedGemm<Registers128, Compact128, Vector128<int>, Vector128<float>>()),
            (128, _) when Vector128.IsHardwareAccelerated => new VectorMatrixKernels<Registers128, Vector128<double>, double>(),
            (_, true) => new VectorMatrixKernels<Vec1<float>, float, float>(new CompressedGemm<Vec1<float>, Compact1, int, float>()),
            _ => new VectorMatrixKernels<Vec1<T>, T, T>(),
        };
        return (MatrixKernels<T>)kernels;
    }

    /// <summary>The number of panels that hold this many outputs.</summary>
    public int PanelCount(int outputs) => (outputs + PanelWidth - 1) / PanelWidth;

    /// <summary>Elements of memory that the packed form of a matrix takes; only single precision has compressed formats.</summary>
    public abstract nint PackedLength(int inner, int outputs, PackedFormat format = PackedFormat.Full);

    /// <summary>Brings weights into the form that <see cref="Multiply"/> reads: B[k, j], k &lt; inner, j &lt; outputs.</summary>
    /// <param name="source">B[k, j] at source[j · stride + k], as the weights W of x Wᵀ lie; transposed: at source[k · stride + j].</param>
    /// <param name="sourceStride">Elements from one row of the source to the next.</param>
    /// <param name="transposed">Which of the two forms the source has.</param>
    /// <param name="inner">The summed dimension.</param>
    /// <param name="outputs">The columns of the product.</param>
    /// <param name="packed">Memory of <see cref="PackedLength"/> elements.</param>
    /// <param name="firstPanel">The first panel to write, so that threads can share the work.</param>
    /// <param name="endPanel">One past the last panel to write.</param>
    public abstract void Pack(T* source, nint sourceStride, bool transposed, int inner, int outputs, T* packed, int firstPanel, int endPanel);

    /// <summary>Brings weights into a compressed form that <see cref="Multiply"/> reads; what the format does not hold is rounded.</summary>
    /// <param name="source">B[k, j] at source[j · stride + k].</param>
    /// <param name="sourceStride">Elements from one row of the source to the next.</param>
    /// <param name="inner">The summed dimension.</param>
    /// <param name="outputs">The columns of the product.</param>
    /// <param name="packed">Memory of <see cref="PackedLength"/> elements.</param>
    /// <param name="firstPanel">The first panel to write, so that threads can share the work.</param>
    /// <param name="endPanel">One past the last panel to write.</param>
    public abstract void PackCompressed(T* source, nint sourceStride, int inner, int outputs, PackedPanels<T> packed, int firstPanel, int endPanel);

    /// <summary>
    /// C = A B, or C += A B, or C = A B + bias, with C [rows, outputs], A [rows, inner] and B packed. Only the columns of the panels
    /// from <paramref name="firstPanel"/> up to <paramref name="endPanel"/> are computed.
    /// </summary>
    /// <param name="a">The rows of A.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="packed">What <see cref="Pack"/> or <see cref="PackCompressed"/> wrote for the same inner and outputs.</param>
    /// <param name="inner">The summed dimension; 0 leaves the starting values.</param>
    /// <param name="outputs">The columns of C.</param>
    /// <param name="c">The rows of C; no two may overlap.</param>
    /// <param name="accumulate">Whether C starts from what it holds.</param>
    /// <param name="bias">Where not accumulating: what every row starts from, [outputs], or null for zero.</param>
    /// <param name="firstPanel">The first panel of columns.</param>
    /// <param name="endPanel">One past the last panel of columns.</param>
    /// <param name="scratch">Memory of <see cref="MultiplyScratch"/> elements.</param>
    /// <remarks>
    /// Weights of bfloat16 give every element the same chain of multiply-adds with the rounded weights. With weights of 8 bits the rows of A become whole numbers of 16 bits
    /// with a scale of their own (<see cref="QuantizedRows"/>), and an element is Σ (x q) · (row scale · column scale) added to its start, where the sum is exact for up to 512 k and further
    /// such sums are added in turn.
    /// </remarks>
    public abstract void Multiply(
        Rows<T> a, int rows, PackedPanels<T> packed, int inner, int outputs, Rows<T> c, bool accumulate, T* bias, int firstPanel, int endPanel, T* scratch);

    /// <summary>Elements of scratch that <see cref="Multiply"/> needs, for any numbers up to these; it does not grow beyond a fixed number of rows.</summary>
    public abstract nint MultiplyScratch(int rows, int inner);

    /// <summary>The most rows of <see cref="Prepare"/>.</summary>
    public abstract int MostPreparedRows { get; }

    /// <summary>Prepares products of up to <see cref="MostPreparedRows"/> rows whose operands stay where they are, to be computed many times in the order given.</summary>
    /// <param name="products">The products; none may have an inner size of 0, and rows lie at equal distances.</param>
    /// <param name="rows">The rows of each.</param>
    /// <param name="descending">Whether the last columns come first; the bits are the same. Weights that exceed a cache are found there in part where they are read to and fro.</param>
    public abstract PreparedProducts<T> Prepare(ReadOnlySpan<RowProduct<T>> products, int rows, bool descending);

    /// <summary>Runs prepared calls of the micro-kernel of few rows.</summary>
    public abstract void Run(FewRowsCall<T>* calls, int count);

    /// <summary>
    /// C[i, j] += Σₖ A[k, i] B[k, j] over k &lt; count, for the rows i of C from <paramref name="firstRow"/> up to <paramref name="endRow"/>:
    /// weight gradients, where k runs over all steps and batch rows.
    /// </summary>
    /// <param name="a">The rows of A [count, m].</param>
    /// <param name="b">The rows of B [count, n].</param>
    /// <param name="count">The summed dimension.</param>
    /// <param name="m">Rows of C.</param>
    /// <param name="n">Columns of C.</param>
    /// <param name="c">C [m, n].</param>
    /// <param name="cStride">Elements from one row of C to the next.</param>
    /// <param name="firstRow">The first row of C to compute.</param>
    /// <param name="endRow">One past the last row of C to compute.</param>
    /// <param name="scratch">Memory of <see cref="TransposedScratch"/> elements, one for each thread.</param>
    /// <param name="accumulate">Whether C starts from what it holds, else from zero.</param>
    public abstract void MultiplyTransposedA(
        Rows<T> a, Rows<T> b, int count, int m, int n, T* c, nint cStride, int firstRow, int endRow, T* scratch, bool accumulate = true);

    /// <summary>Elements of scratch that <see cref="MultiplyTransposedA"/> needs.</summary>
    public abstract nint TransposedScratch(int count, int m, int n);

    /// <summary>
    /// C = op(A) op(B), or C += op(A) op(B), or C = op(A) op(B) + bias, with C [m, n], of matrices that are used once: B is packed
    /// only where its layout requires it. To compute a part of C, pass the parts of A and B.
    /// </summary>
    /// <param name="transposeA">Whether A lies as [inner, m] and not as [m, inner].</param>
    /// <param name="transposeB">Whether B lies as [n, inner] and not as [inner, n].</param>
    /// <param name="m">Rows of C.</param>
    /// <param name="n">Columns of C.</param>
    /// <param name="inner">The summed dimension.</param>
    /// <param name="a">A.</param>
    /// <param name="aStride">Elements from one row of A, as it lies, to the next.</param>
    /// <param name="b">B.</param>
    /// <param name="bStride">Elements from one row of B, as it lies, to the next.</param>
    /// <param name="c">C.</param>
    /// <param name="cStride">Elements from one row of C to the next.</param>
    /// <param name="accumulate">Whether C starts from what it holds.</param>
    /// <param name="bias">Where not accumulating: what every row starts from, [n], or null for zero.</param>
    /// <param name="scratch">Memory of <see cref="ProductScratch"/> elements.</param>
    public abstract void Product(
        bool transposeA, bool transposeB, int m, int n, int inner, T* a, nint aStride, T* b, nint bStride, T* c, nint cStride, bool accumulate, T* bias, T* scratch);

    /// <summary>Elements of scratch that <see cref="Product"/> needs: no more than some two megabytes, whatever the sizes (three quarters of the second-level cache and slack).</summary>
    public abstract nint ProductScratch(int n, int inner);
}
