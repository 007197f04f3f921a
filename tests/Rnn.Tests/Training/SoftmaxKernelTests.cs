using System.Numerics;
using Rnn.Kernels;
using Rnn.Training;

namespace Rnn.Tests.Training;

public unsafe class SoftmaxKernelTests
{
    public static TheoryData<int, int> WidthsAndCounts()
    {
        var data = new TheoryData<int, int>();
        foreach (var bits in Simd.SupportedVectorBits)
        {
            foreach (var count in new[] { 1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 37, 48, 65, 129 })
            {
                data.Add(bits, count);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(WidthsAndCounts))]
    public void EveryWidthAndTailFollowsTheDefinition(int bits, int count)
    {
        Check<float>(bits, count, 1e-6);
        Check<double>(bits, count, 1e-14);
    }

    private static void Check<T>(int bits, int count, double tolerance)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        const int Guard = 4;
        var kernel = SoftmaxKernel<T>.ForWidth(bits);
        var random = new Random(count);

        // All below zero, so that a lane that is none would show as the largest.
        var x = Numbers(_ => -(random.NextDouble() * 9) - 1);
        var w = Numbers(_ => random.NextDouble());
        var gradient = Numbers(i => i);
        fixed (T* px = x, pw = w, pg = gradient)
        {
            var (largest, sum) = kernel.Statistics(px, count);
            var values = x[..count].Select(double.CreateTruncating).ToArray();
            Assert.Equal(values.Max(), double.CreateTruncating(largest));
            Assert.Equal(values.Sum(value => Math.Exp(value - values.Max())), double.CreateTruncating(sum), tolerance * count);
            Assert.Equal(values.Sum(value => values.Max() - value), kernel.WeightedDistance(px, null, largest, count), tolerance * count * 10);
            Assert.Equal(
                values.Zip(w).Sum(pair => (values.Max() - pair.First) * double.CreateTruncating(pair.Second)),
                kernel.WeightedDistance(px, pw, largest, count),
                tolerance * count * 10);
            foreach (var (weighted, fresh) in new[] { (false, true), (true, true), (false, false), (true, false) })
            {
                var before = gradient.ToArray();
                kernel.Gradient(px, weighted ? pw : null, largest, T.CreateTruncating(2), T.CreateTruncating(0.5), pg, count, fresh);
                for (var i = 0; i < count + Guard; i++)
                {
                    var old = double.CreateTruncating(before[i]);
                    var added = i < count ? (2 * Math.Exp(values[i] - values.Max())) - (0.5 * (weighted ? double.CreateTruncating(w[i]) : 1)) : 0;
                    var expected = i < count && fresh ? added : old + added;
                    Assert.Equal(expected, double.CreateTruncating(gradient[i]), tolerance * Math.Max(1, Math.Abs(expected)));
                }
            }
        }

        T[] Numbers(Func<int, double> at) => [.. Enumerable.Range(0, count + Guard).Select(i => T.CreateTruncating(i < count ? at(i) : 777))];
    }
}
