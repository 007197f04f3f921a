using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Rnn.Autograd;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// The Q of A = R Q with orthonormal rows and a positive diagonal of R, by Gram and Schmidt's way in blocks: mostly matrix products, and
/// ten times as fast as a factorisation by single reflections. The same bits on every machine that has a fused multiply-add, and on all others.
/// </summary>
internal static unsafe class Orthonormalizer
{
    private const int LargestBlock = 32;

    // Up to so many rows one block does without matrix products, whose kernels for double a program in float would have to compile first.
    private const int RowsOfOneBlock = 160;

    /// <summary>Makes the rows orthonormal, in place: each is freed of the ones before it and brought to length 1.</summary>
    /// <param name="matrix">[rows, columns], row-major, of full rank.</param>
    /// <param name="rows">The number of rows, at most the number of columns.</param>
    /// <param name="columns">The number of columns.</param>
    internal static void Run(Span<double> matrix, int rows, int columns)
    {
        var block = rows <= RowsOfOneBlock ? rows : LargestBlock;
        fixed (double* a = matrix)
        {
            // The first pass loses digits where rows are nearly dependent; the second, on rows that nearly are orthonormal, loses none.
            for (var pass = 0; pass < 2; pass++)
            {
                for (var start = 0; start < rows; start += block)
                {
                    var count = Math.Min(block, rows - start);
                    var q = a + ((nint)start * columns);
                    for (var i = 0; i < count; i++)
                    {
                        Free(q, i, columns);
                    }

                    if (start + count < rows)
                    {
                        FreeAll(q, count, rows - start - count, columns);
                    }
                }
            }
        }
    }

    // Frees all rows after a block of it at once: X −= (X Qᵀ) Q.
    private static void FreeAll(double* q, int count, int rest, int columns)
    {
        var kernels = MatrixKernels<double>.Current;
        var rentedPanels = TensorPool<double>.Rent(checked((int)nint.Max(kernels.PackedLength(columns, count), kernels.PackedLength(count, columns))));
        var rentedShares = TensorPool<double>.Rent(rest * count);
        var x = q + ((nint)count * columns);
        try
        {
            fixed (double* panels = rentedPanels, shares = rentedShares)
            {
                kernels.Pack(q, columns, false, columns, count, panels, 0, kernels.PanelCount(count));
                MatrixProduct<double>.MultiplyPacked(x, rest, panels, columns, count, shares, accumulate: false, null);
                for (nint i = 0; i < (nint)rest * count; i++)
                {
                    shares[i] = -shares[i];
                }

                kernels.Pack(q, columns, true, count, columns, panels, 0, kernels.PanelCount(columns));
                MatrixProduct<double>.MultiplyPacked(shares, rest, panels, count, columns, x, accumulate: true, null);
            }
        }
        finally
        {
            TensorPool<double>.Return(rentedPanels);
            TensorPool<double>.Return(rentedShares);
        }
    }

    // Frees row i of those before it, one after another, and brings it to length 1.
    private static void Free(double* rows, int i, int columns)
    {
        var row = rows + ((nint)i * columns);
        for (var j = 0; j < i; j++)
        {
            var other = rows + ((nint)j * columns);
            AddScaled(other, -Dot(row, other, columns), row, columns);
        }

        var length = Math.Sqrt(Dot(row, row, columns));
        for (var k = 0; k < columns; k++)
        {
            row[k] /= length;
        }
    }

    // 128 bits on every machine, so that the order of the sum is the same.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static double Dot(double* a, double* b, int count)
    {
        Vector128<double> s0 = default, s1 = default, s2 = default, s3 = default;
        var i = 0;
        for (; i <= count - 8; i += 8)
        {
            s0 = MultiplyAdd(Vector128.Load(a + i), Vector128.Load(b + i), s0);
            s1 = MultiplyAdd(Vector128.Load(a + i + 2), Vector128.Load(b + i + 2), s1);
            s2 = MultiplyAdd(Vector128.Load(a + i + 4), Vector128.Load(b + i + 4), s2);
            s3 = MultiplyAdd(Vector128.Load(a + i + 6), Vector128.Load(b + i + 6), s3);
        }

        var lanes = (s0 + s1) + (s2 + s3);
        var sum = lanes[0] + lanes[1];
        for (; i < count; i++)
        {
            sum = Simd.MultiplyAdd(a[i], b[i], sum);
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void AddScaled(double* source, double factor, double* sums, int count)
    {
        var scale = Vector128.Create(factor);
        var i = 0;
        for (; Vector128.IsHardwareAccelerated && i <= count - 4; i += 4)
        {
            MultiplyAdd(Vector128.Load(source + i), scale, Vector128.Load(sums + i)).Store(sums + i);
            MultiplyAdd(Vector128.Load(source + i + 2), scale, Vector128.Load(sums + i + 2)).Store(sums + i + 2);
        }

        for (; i < count; i++)
        {
            sums[i] = Simd.MultiplyAdd(source[i], factor, sums[i]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<double> MultiplyAdd(Vector128<double> a, Vector128<double> b, Vector128<double> c) =>
        Vec128<double>.MultiplyAdd(a, b, c);
}
