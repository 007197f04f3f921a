using System.Numerics;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Rnn.Autograd;

/// <summary>Products of a row or two, where packing the other matrix would be most of the work.</summary>
internal static unsafe class SmallProduct
{
    /// <summary>C = A·op(B), or C += A·op(B); C [m, n], A [m, k], B [k, n] or, transposed, [n, k].</summary>
    internal static void Multiply<T>(T* a, T* b, bool transposeB, T* c, int m, int n, int k, bool accumulate)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < m; i++)
        {
            var left = new ReadOnlySpan<T>(a + ((nint)i * k), k);
            var row = new Span<T>(c + ((nint)i * n), n);
            if (!accumulate)
            {
                row.Clear();
            }

            for (var p = 0; p < (transposeB ? n : k); p++)
            {
                if (transposeB)
                {
                    row[p] += TensorPrimitives.Dot(left, new ReadOnlySpan<T>(b + ((nint)p * k), k));
                }
                else
                {
                    TensorPrimitives.FusedMultiplyAdd(new ReadOnlySpan<T>(b + ((nint)p * n), n), left[p], row, row);
                }
            }
        }
    }
}
