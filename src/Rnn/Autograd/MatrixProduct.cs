using System.Numerics;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Rnn.Autograd;

/// <summary>The matrix products of all operations: the one place that chooses the kernel.</summary>
internal static class MatrixProduct
{
    /// <summary>
    /// C = op(A)·op(B), or C += op(A)·op(B) where <paramref name="accumulate"/>; row-major and dense. C is [m, n]; A is [m, k] or,
    /// transposed, [k, m]; B is [k, n] or, transposed, [n, k].
    /// </summary>
    internal static void Multiply<T>(
        ReadOnlySpan<T> a, bool transposeA, ReadOnlySpan<T> b, bool transposeB, Span<T> c, int m, int n, int k, bool accumulate)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!accumulate)
        {
            c[..(m * n)].Clear();
        }

        for (var i = 0; i < m; i++)
        {
            var row = c.Slice(i * n, n);
            if (transposeB && !transposeA)
            {
                for (var j = 0; j < n; j++)
                {
                    row[j] += TensorPrimitives.Dot(a.Slice(i * k, k), b.Slice(j * k, k));
                }

                continue;
            }

            for (var p = 0; p < k; p++)
            {
                var factor = transposeA ? a[(p * m) + i] : a[(i * k) + p];
                if (!transposeB)
                {
                    TensorPrimitives.MultiplyAdd(b.Slice(p * n, n), factor, row, row);
                    continue;
                }

                for (var j = 0; j < n; j++)
                {
                    row[j] += factor * b[(j * k) + p];
                }
            }
        }
    }
}
