using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Tests.Kernels;

/// <summary>The products against the plain chain of multiply-adds that they promise, bit by bit, at every width.</summary>
public unsafe class MatrixKernelsTests
{
    private static readonly int[] Sizes = [1, 3, 17, 37, 129];

    public static TheoryData<int> Widths => new(Simd.SupportedVectorBits);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Multiply_is_the_chain_of_multiply_adds_in_float(int bits) => Multiply<float>(bits);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Multiply_is_the_chain_of_multiply_adds_in_double(int bits) => Multiply<double>(bits);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Transposed_product_is_the_chain_of_multiply_adds_in_float(int bits) => TransposedA<float>(bits);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Transposed_product_is_the_chain_of_multiply_adds_in_double(int bits) => TransposedA<double>(bits);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Products_read_matrices_as_they_lie(int bits)
    {
        var random = new Random(bits);
        for (var form = 0; form < 12; form++)
        {
            foreach (var (m, n, inner) in new[] { (1, 1, 1), (3, 17, 37), (17, 129, 3), (37, 3, 129), (129, 37, 17), (13, 300, 20), (7, 40, 900), (50, 64, 0) })
            {
                CheckProduct<float>(bits, m, n, inner, (form & 1) != 0, (form & 2) != 0, (Start)(form / 4), random);
                CheckProduct<double>(bits, m, n, inner, (form & 1) != 0, (form & 2) != 0, (Start)(form / 4), random);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Column_sums_add_row_after_row_in_float(int bits) => ColumnSums<float>(bits);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Column_sums_add_row_after_row_in_double(int bits) => ColumnSums<double>(bits);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Long_sums_cross_blocks(int bits)
    {
        CheckMultiply<float>(bits, 5, 700, 40, new Random(1), Start.Bias, false, true, false);
        CheckMultiply<float>(bits, 29, 513, 70, new Random(2), Start.Accumulate, true, false, true);
        CheckMultiply<float>(bits, 1, 1030, 300, new Random(3), Start.Zero, false, false, false);
        CheckMultiply<double>(bits, 2, 601, 150, new Random(4), Start.Bias, true, true, true);
        CheckTransposedA<float>(bits, 1500, 29, 300, new Random(5), false);
        CheckTransposedA<double>(bits, 700, 40, 7, new Random(6), true);
        CheckTransposedA<float>(bits, 520, 300, 7, new Random(7), false);
        CheckTransposedA<float>(bits, 300, 100, 45, new Random(8), true, true);
        CheckTransposedA<double>(bits, 300, 290, 21, new Random(9), false, true);
        CheckTransposedA<float>(bits, 270, 611, 530, new Random(10), false); // columns that lie far apart are packed: several groups of tiles and panels
        CheckTransposedA<double>(bits, 150, 421, 270, new Random(11), true);
        CheckProduct<float>(bits, 205, 190, 131, true, true, Start.Accumulate, new Random(12));
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Every_row_count_gives_the_same_bits(int bits)
    {
        for (var rows = 1; rows <= 40; rows++)
        {
            CheckMultiply<float>(bits, rows, 19, 75, new Random(rows), (Start)(rows % 3), rows % 2 == 0, rows % 5 < 2, rows % 7 < 3);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Rows_beyond_one_block_of_tiles(int bits)
    {
        CheckMultiply<float>(bits, 307, 21, 33, new Random(1), Start.Bias, false, true, false);
        CheckMultiply<float>(bits, 250, 260, 33, new Random(2), Start.Zero, true, false, true);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Nothing_to_sum_gives_the_start(int bits)
    {
        CheckMultiply<float>(bits, 4, 0, 21, new Random(1), Start.Bias, false, false, false);
        CheckMultiply<float>(bits, 4, 0, 21, new Random(1), Start.Zero, false, true, false);
        CheckMultiply<float>(bits, 4, 0, 21, new Random(1), Start.Accumulate, false, false, false);
        CheckMultiply<float>(bits, 0, 5, 21, new Random(1), Start.Bias, false, false, false);
        CheckTransposedA<float>(bits, 0, 3, 5, new Random(1), false);
    }

    private enum Start
    {
        Zero,
        Bias,
        Accumulate,
    }

    private static void Multiply<T>(int bits)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var random = new Random(bits + sizeof(T));
        foreach (var rows in Sizes)
        {
            foreach (var inner in Sizes)
            {
                foreach (var outputs in Sizes)
                {
                    var turn = random.Next(24);
                    CheckMultiply<T>(bits, rows, inner, outputs, random, (Start)(turn % 3), (turn & 1) != 0, (turn & 2) != 0, (turn & 4) != 0);
                }
            }
        }
    }

    private static void TransposedA<T>(int bits)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var random = new Random(bits + sizeof(T));
        foreach (var count in Sizes)
        {
            foreach (var m in Sizes)
            {
                foreach (var n in Sizes)
                {
                    CheckTransposedA<T>(bits, count, m, n, random, random.Next(2) == 0, random.Next(4) == 0);
                }
            }
        }
    }

    private static void CheckMultiply<T>(
        int bits, int rows, int inner, int outputs, Random random, Start start, bool aOffsets, bool cOffsets, bool transposed)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var kernels = MatrixKernels<T>.For(bits);
        using var a = new GuardedMatrix<T>(rows, inner, random, aOffsets);
        using var b = new GuardedMatrix<T>(transposed ? inner : outputs, transposed ? outputs : inner, random, false);
        using var c = new GuardedMatrix<T>(rows, outputs, random, cOffsets);
        using var bias = new GuardedMatrix<T>(1, outputs, random, false);
        using var packed = new GuardedMemory<T>(kernels.PackedLength(inner, outputs));
        using var scratch = new GuardedMemory<T>(kernels.MultiplyScratch(rows, inner));

        var expected = new T[rows, outputs];
        for (var r = 0; r < rows; r++)
        {
            for (var j = 0; j < outputs; j++)
            {
                var sum = start switch { Start.Zero => T.Zero, Start.Bias => bias[0, j], _ => c[r, j] };
                for (var k = 0; k < inner; k++)
                {
                    sum = Simd.MultiplyAdd(a[r, k], transposed ? b[k, j] : b[j, k], sum);
                }

                expected[r, j] = sum;
            }
        }

        var panels = kernels.PanelCount(outputs);
        var split = random.Next(panels + 1);
        kernels.Pack(b.Rows.Start, b.Rows.Stride, transposed, inner, outputs, packed.Start, split, panels);
        kernels.Pack(b.Rows.Start, b.Rows.Stride, transposed, inner, outputs, packed.Start, 0, split);

        // The same product in four parts: rows and panels split anywhere.
        var splitRow = random.Next(rows + 1);
        split = random.Next(panels + 1);
        foreach (var (firstRow, count) in new[] { (splitRow, rows - splitRow), (0, splitRow) })
        {
            foreach (var (first, end) in new[] { (0, split), (split, panels) })
            {
                kernels.Multiply(
                    a.Rows.Skip(firstRow), count, packed.Start, inner, outputs, c.Rows.Skip(firstRow), start == Start.Accumulate,
                    start == Start.Bias ? bias.Rows.Start : null, first, end, scratch.Start);
            }
        }

        Check(expected, c, $"{typeof(T).Name} {bits} [{rows}, {inner}] x [{inner}, {outputs}] {start} {aOffsets} {cOffsets} {transposed}");
        packed.Check();
        scratch.Check();
    }

    private static void CheckTransposedA<T>(int bits, int count, int m, int n, Random random, bool offsets, bool aOffsets = false)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var kernels = MatrixKernels<T>.For(bits);
        using var a = new GuardedMatrix<T>(count, m, random, aOffsets);
        using var b = new GuardedMatrix<T>(count, n, random, offsets);
        using var c = new GuardedMatrix<T>(m, n, random, false);
        using var scratch = new GuardedMemory<T>(kernels.TransposedScratch(count, m, n));
        var expected = new T[m, n];
        for (var i = 0; i < m; i++)
        {
            for (var j = 0; j < n; j++)
            {
                var sum = c[i, j];
                for (var k = 0; k < count; k++)
                {
                    sum = Simd.MultiplyAdd(a[k, i], b[k, j], sum);
                }

                expected[i, j] = sum;
            }
        }

        var split = random.Next(m + 1);
        kernels.MultiplyTransposedA(a.Rows, b.Rows, count, m, n, c.Rows.Start, c.Rows.Stride, split, m, scratch.Start);
        kernels.MultiplyTransposedA(a.Rows, b.Rows, count, m, n, c.Rows.Start, c.Rows.Stride, 0, split, scratch.Start);
        Check(expected, c, $"{typeof(T).Name} {bits} [{count}, {m}]ᵀ x [{count}, {n}] {offsets}");
        scratch.Check();
    }

    private static void CheckProduct<T>(int bits, int m, int n, int inner, bool transposeA, bool transposeB, Start start, Random random)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var kernels = MatrixKernels<T>.For(bits);
        using var a = new GuardedMatrix<T>(transposeA ? inner : m, transposeA ? m : inner, random, false);
        using var b = new GuardedMatrix<T>(transposeB ? n : inner, transposeB ? inner : n, random, false);
        using var c = new GuardedMatrix<T>(m, n, random, false);
        using var bias = new GuardedMatrix<T>(1, n, random, false);
        using var scratch = new GuardedMemory<T>(kernels.ProductScratch(n, inner));
        var expected = new T[m, n];
        for (var i = 0; i < m; i++)
        {
            for (var j = 0; j < n; j++)
            {
                var sum = start switch { Start.Zero => T.Zero, Start.Bias => bias[0, j], _ => c[i, j] };
                for (var k = 0; k < inner; k++)
                {
                    sum = Simd.MultiplyAdd(transposeA ? a[k, i] : a[i, k], transposeB ? b[j, k] : b[k, j], sum);
                }

                expected[i, j] = sum;
            }
        }

        kernels.Product(
            transposeA, transposeB, m, n, inner, a.Rows.Start, a.Rows.Stride, b.Rows.Start, b.Rows.Stride, c.Rows.Start, c.Rows.Stride,
            start == Start.Accumulate, start == Start.Bias ? bias.Rows.Start : null, scratch.Start);
        Check(expected, c, $"{typeof(T).Name} {bits} [{m}, {inner}] x [{inner}, {n}] {transposeA} {transposeB} {start}");
        scratch.Check();
    }

    private static void ColumnSums<T>(int bits)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var random = new Random(bits);
        var kernels = ColumnKernels<T>.For(bits);
        foreach (var count in Sizes)
        {
            foreach (var columns in Sizes)
            {
                using var a = new GuardedMatrix<T>(count, columns, random, count % 2 == 0);
                using var b = new GuardedMatrix<T>(count, columns, random, count % 2 != 0);
                using var sums = new GuardedMatrix<T>(1, columns, random, false);
                using var products = new GuardedMatrix<T>(1, columns, random, false);
                var expected = new T[1, columns];
                var expectedProducts = new T[1, columns];
                for (var j = 0; j < columns; j++)
                {
                    expected[0, j] = sums[0, j];
                    for (var r = 0; r < count; r++)
                    {
                        expected[0, j] += a[r, j];
                    }

                    expectedProducts[0, j] = products[0, j];
                    for (var r = 0; r < count; r++)
                    {
                        expectedProducts[0, j] = Simd.MultiplyAdd(a[r, j], b[r, j], expectedProducts[0, j]);
                    }
                }

                var split = random.Next(columns + 1);
                kernels.AddSums(a.Rows, count, sums.Rows.Start, split, columns);
                kernels.AddSums(a.Rows, count, sums.Rows.Start, 0, split);
                Check(expected, sums, $"{count} x {columns}");
                kernels.AddProducts(a.Rows, b.Rows, count, products.Rows.Start, split, columns);
                kernels.AddProducts(a.Rows, b.Rows, count, products.Rows.Start, 0, split);
                Check(expectedProducts, products, $"{count} x {columns}, products");
            }
        }
    }

    private static void Check<T>(T[,] expected, GuardedMatrix<T> actual, string what)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var r = 0; r < expected.GetLength(0); r++)
        {
            for (var j = 0; j < expected.GetLength(1); j++)
            {
                Assert.True(expected[r, j].Equals(actual[r, j]), $"{what}: [{r}, {j}] is {actual[r, j]}, expected {expected[r, j]}");
            }
        }

        actual.CheckGuards();
    }
}
