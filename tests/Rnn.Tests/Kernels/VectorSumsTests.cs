using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Tests.Kernels;

public sealed unsafe class VectorSumsTests
{
    public static TheoryData<int> Widths => [.. Simd.SupportedVectorBits];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Four_sums_at_once_are_four_sums(int bits)
    {
        Assert.True(Simd.Run<float, Check<float>, bool[]>(default, bits).All(same => same));
        Assert.True(Simd.Run<double, Check<double>, bool[]>(default, bits).All(same => same));
    }

    private readonly struct Check<T> : IVectorFunction<T, bool[]>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // Whole numbers, so that no order of additions rounds.
        public bool[] Invoke<V>()
            where V : struct, IVector<V, T>
        {
            var values = stackalloc T[4 * V.Count];
            var sums = stackalloc T[4];
            var expected = new int[4];
            for (var i = 0; i < 4 * V.Count; i++)
            {
                values[i] = T.CreateTruncating((i * i * 7) - (i * 50));
                expected[i / V.Count] += (i * i * 7) - (i * 50);
            }

            V.Sums(V.Load(values), V.Load(values + V.Count), V.Load(values + (2 * V.Count)), V.Load(values + (3 * V.Count)), sums);
            return [sums[0] == T.CreateTruncating(expected[0]), sums[1] == T.CreateTruncating(expected[1]), sums[2] == T.CreateTruncating(expected[2]), sums[3] == T.CreateTruncating(expected[3])];
        }
    }
}
