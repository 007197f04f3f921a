using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Tests.Kernels;

/// <summary>Rows at distances that are powers of two, which meet in the same sets of a cache and are gathered or packed: the bits of rows that lie close together.</summary>
public unsafe class StridedProductTests
{
    public static TheoryData<int, int> Cases
    {
        get
        {
            var cases = new TheoryData<int, int>();
            foreach (var bits in Simd.SupportedVectorBits)
            {
                cases.Add(bits, 256);
                cases.Add(bits, 1024);
                cases.Add(bits, 4096);
            }

            return cases;
        }
    }

    public static TheoryData<int> Widths => new(Simd.SupportedVectorBits);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Packed_weights(int bits, int stride)
    {
        Multiply<float>(bits, stride, PackedFormat.Full);
        Multiply<float>(bits, stride, PackedFormat.BFloat16);
        Multiply<float>(bits, stride, PackedFormat.Int8);
        Multiply<double>(bits, stride, PackedFormat.Full);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Weight_gradients(int bits, int stride)
    {
        TransposedA<float>(bits, stride);
        TransposedA<double>(bits, stride);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Matrices_as_they_lie(int bits, int stride)
    {
        Product<float>(bits, stride);
        Product<double>(bits, stride);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Tiles_at_offsets_in_several_passes(int bits)
    {
        // More rows than pass all panels together, with any size of the second-level cache; C in any order.
        var (rows, inner, outputs) = (PackedRowsOfPass(bits) + 29, 700, 37);
        foreach (var format in new[] { PackedFormat.Full, PackedFormat.BFloat16 })
        {
            CheckMultiply<float>(bits, rows, inner, outputs, inner + 5, outputs + 5, atOffsets: true, format);
            CheckMultiply<float>(bits, rows, inner, outputs, 1024, 64, atOffsets: false, format);
        }
    }

    private static int PackedRowsOfPass(int bits) => bits switch
    {
        512 => PackedGemm<Registers512, System.Runtime.Intrinsics.Vector512<float>, float>.RowsOfPass(700),
        256 => PackedGemm<Registers256, System.Runtime.Intrinsics.Vector256<float>, float>.RowsOfPass(700),
        128 => PackedGemm<Registers128, System.Runtime.Intrinsics.Vector128<float>, float>.RowsOfPass(700),
        _ => PackedGemm<Vec1<float>, float, float>.RowsOfPass(700),
    };

    private static void Multiply<T>(int bits, int stride, PackedFormat format)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var rows in new[] { 1, 2, 3, 6, 7, 13, 31 })
        {
            foreach (var (inner, outputs) in new[] { (1, 37), (17, 8), (64, 100), (255, 21) })
            {
                CheckMultiply<T>(bits, rows, inner, outputs, stride, stride, atOffsets: false, format);
            }
        }
    }

    private static void CheckMultiply<T>(int bits, int rows, int inner, int outputs, int aStride, int cStride, bool atOffsets, PackedFormat format)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var kernels = MatrixKernels<T>.For(bits);
        var random = new Random(rows + inner);
        using var a = new GuardedMatrix<T>(rows, inner, random, atOffsets, aStride);
        using var b = new GuardedMatrix<T>(outputs, inner, random, offsets: false);
        using var c = new GuardedMatrix<T>(rows, outputs, random, atOffsets, cStride);
        using var expected = new GuardedMatrix<T>(rows, outputs, random, offsets: false);
        using var packed = new GuardedMemory<T>(kernels.PackedLength(inner, outputs, format));
        using var scratch = new GuardedMemory<T>(kernels.MultiplyScratch(rows, inner));
        expected.CopyFrom(c);
        var panels = kernels.PanelCount(outputs);
        var weights = new PackedPanels<T>(packed.Start, format);
        if (format == PackedFormat.Full)
        {
            kernels.Pack(b.Rows.Start, b.Rows.Stride, false, inner, outputs, packed.Start, 0, panels);
        }
        else
        {
            kernels.PackCompressed(b.Rows.Start, b.Rows.Stride, inner, outputs, weights, 0, panels);
        }

        kernels.Multiply(a.Rows, rows, weights, inner, outputs, c.Rows, accumulate: true, null, 0, panels, scratch.Start);
        scratch.Check();
        packed.Check();

        // Row after row; a single row is read where it lies.
        for (var r = 0; r < rows; r++)
        {
            kernels.Multiply(a.Rows.Skip(r), 1, weights, inner, outputs, expected.Rows.Skip(r), accumulate: true, null, 0, panels, scratch.Start);
        }

        c.CheckSame(expected, $"{typeof(T).Name} {bits} {format} [{rows}, {inner}] x [{inner}, {outputs}], strides {aStride} and {cStride}");
        a.CheckGuards();
    }

    private static void TransposedA<T>(int bits, int stride)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var kernels = MatrixKernels<T>.For(bits);
        foreach (var (count, m, n) in new[] { (1, 256, 7), (40, 64, 256), (129, 37, 100), (70, 255, 37), (300, 130, 12) })
        {
            var random = new Random(m);
            using var a = new GuardedMatrix<T>(count, m, random, offsets: false, stride + (stride <= m ? stride : 0));
            using var b = new GuardedMatrix<T>(count, n, random, offsets: false, stride + (stride <= n ? stride : 0));
            using var nearA = new GuardedMatrix<T>(count, m, random, offsets: false);
            using var nearB = new GuardedMatrix<T>(count, n, random, offsets: false);
            using var c = new GuardedMatrix<T>(m, n, random, offsets: false, stride + (stride <= n ? stride : 0));
            using var expected = new GuardedMatrix<T>(m, n, random, offsets: false);
            using var scratch = new GuardedMemory<T>(kernels.TransposedScratch(count, m, n));
            nearA.CopyFrom(a);
            nearB.CopyFrom(b);
            expected.CopyFrom(c);
            kernels.MultiplyTransposedA(nearA.Rows, nearB.Rows, count, m, n, expected.Rows.Start, expected.Rows.Stride, 0, m, scratch.Start);
            scratch.Check();
            kernels.MultiplyTransposedA(a.Rows, b.Rows, count, m, n, c.Rows.Start, c.Rows.Stride, 0, m, scratch.Start);
            scratch.Check();
            c.CheckSame(expected, $"{typeof(T).Name} {bits} [{count}, {m}]ᵀ x [{count}, {n}], stride {stride}");
        }
    }

    private static void Product<T>(int bits, int stride)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var kernels = MatrixKernels<T>.For(bits);
        foreach (var (m, n, inner) in new[] { (1, 40, 129), (13, 100, 64), (64, 37, 150), (150, 64, 255) })
        {
            for (var form = 0; form < 4; form++)
            {
                var (transposeA, transposeB) = ((form & 1) != 0, (form & 2) != 0);
                var random = new Random(m);
                using var a = new GuardedMatrix<T>(transposeA ? inner : m, transposeA ? m : inner, random, offsets: false, stride);
                using var b = new GuardedMatrix<T>(transposeB ? n : inner, transposeB ? inner : n, random, offsets: false, stride);
                using var nearA = new GuardedMatrix<T>(transposeA ? inner : m, transposeA ? m : inner, random, offsets: false);
                using var nearB = new GuardedMatrix<T>(transposeB ? n : inner, transposeB ? inner : n, random, offsets: false);
                using var c = new GuardedMatrix<T>(m, n, random, offsets: false, stride);
                using var expected = new GuardedMatrix<T>(m, n, random, offsets: false);
                using var scratch = new GuardedMemory<T>(kernels.ProductScratch(n, inner));
                nearA.CopyFrom(a);
                nearB.CopyFrom(b);
                expected.CopyFrom(c);
                var accumulate = form % 3 == 0;
                kernels.Product(transposeA, transposeB, m, n, inner, nearA.Rows.Start, nearA.Rows.Stride, nearB.Rows.Start, nearB.Rows.Stride, expected.Rows.Start, expected.Rows.Stride, accumulate, null, scratch.Start);
                kernels.Product(transposeA, transposeB, m, n, inner, a.Rows.Start, a.Rows.Stride, b.Rows.Start, b.Rows.Stride, c.Rows.Start, c.Rows.Stride, accumulate, null, scratch.Start);
                scratch.Check();
                c.CheckSame(expected, $"{typeof(T).Name} {bits} [{m}, {inner}] x [{inner}, {n}] {transposeA} {transposeB}, stride {stride}");
            }
        }
    }
}
