using System.Numerics;
using Rnn.Kernels;
using Rnn.Training;

namespace Rnn.Tests.Training;

public unsafe class UpdateKernelTests
{
    public static TheoryData<int, int> WidthsAndLengths()
    {
        var data = new TheoryData<int, int>();
        foreach (var bits in Simd.SupportedVectorBits)
        {
            foreach (var length in new[] { 0, 1, 3, 16, 17, 37, 129 })
            {
                data.Add(bits, length);
            }
        }

        return data;
    }

    // A rule that uses every state in another way, so that one mixed up would show. The guards behind must stay.
    [Theory]
    [MemberData(nameof(WidthsAndLengths))]
    public void Every_element_is_updated_once_at_every_width(int bits, int length)
    {
        Check<float>(bits, length);
        Check<double>(bits, length);
    }

    [Theory]
    [MemberData(nameof(WidthsAndLengths))]
    public void Sums_of_squares_at_every_width(int bits, int length)
    {
        var random = new Random(length);
        var values = Enumerable.Range(0, (length * 71) + length).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray();
        var expected = values.Sum(value => (double)value * value);
        fixed (float* pointer = values)
        {
            var sum = Simd.Run<float, GradientKernels.SumOfSquares<float>, double>(new(pointer, values.Length), bits);
            Assert.Equal(expected, sum, 1e-6 * (expected + 1e-30));
        }
    }

    private static void Check<T>(int bits, int length)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        const int Guard = 5;
        var arrays = Enumerable.Range(0, 5).Select(k => Enumerable.Range(0, length + Guard).Select(i => T.CreateTruncating((k + 1) * (i + 1) % 11)).ToArray()).ToArray();
        var before = arrays.Select(array => array.ToArray()).ToArray();
        fixed (T* p = arrays[0], g = arrays[1], s0 = arrays[2], s1 = arrays[3], s2 = arrays[4])
        {
            Elementwise<T, UpdateKernel<T, Rule<T>>>.For(bits).Loop(new(new Rule<T>(T.CreateTruncating(3)), T.CreateTruncating(0.5), clear: true, p, g, s0, s1, s2, length), length);
        }

        for (var i = 0; i < length + Guard; i++)
        {
            var now = arrays.Select(array => double.CreateTruncating(array[i])).ToArray();
            var (p, g, s0, s1, s2) = (D(0), D(1) * 0.5, D(2), D(3), D(4));
            Assert.Equal(i >= length ? [p, g * 2, s0, s1, s2] : new[] { (p * 3) + g + s0 + (2 * s1) + (4 * s2), 0, g, s0, s1 }, now);

            double D(int k) => double.CreateTruncating(before[k][i]);
        }
    }

    private readonly struct Rule<T>(T factor) : IUpdateRule<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly T _factor = factor;

        public V Apply<V>(V parameter, V gradient, ref V state0, ref V state1, ref V state2)
            where V : struct, IVector<V, T>
        {
            var result = (parameter * V.Broadcast(_factor)) + gradient + state0 + (V.Constant(2) * state1) + (V.Constant(4) * state2);
            (state0, state1, state2) = (gradient, state0, state1);
            return result;
        }
    }
}
