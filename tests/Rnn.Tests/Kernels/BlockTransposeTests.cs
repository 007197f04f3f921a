using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Tests.Kernels;

public sealed unsafe class BlockTransposeTests
{
    [Fact]
    public void Every_size_is_transposed() => EverySize<float>();

    [Fact]
    public void Every_size_is_transposed_in_double() => EverySize<double>();

    // Nothing beside the destination's own elements is written.
    private static void EverySize<T>()
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var rows = 0; rows <= 21; rows++)
        {
            for (var columns = 0; columns <= 37; columns++)
            {
                var (sourceStride, stride) = (columns + 3, rows + 2);
                var source = Enumerable.Range(1, (rows * sourceStride) + 1).Select(T.CreateChecked).ToArray();
                var result = Enumerable.Repeat(-T.One, (columns * stride) + 1).ToArray();
                fixed (T* from = source, to = result)
                {
                    BlockTranspose.Run(from, sourceStride, rows, columns, to, stride);
                }

                for (var i = 0; i < result.Length; i++)
                {
                    var (c, r) = (i / stride, i % stride);
                    Assert.Equal(r < rows && c < columns ? source[(r * sourceStride) + c] : -T.One, result[i]);
                }
            }
        }
    }
}
