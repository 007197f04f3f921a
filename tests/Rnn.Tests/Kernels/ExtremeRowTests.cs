using System.Numerics;
using System.Runtime.InteropServices;
using Rnn.Kernels;

namespace Rnn.Tests.Kernels;

/// <summary>
/// Layer normalisation of rows whose squares, sums or differences leave the range of the type, or vanish, against plain loops over the same rows
/// before they were multiplied by a power of two; at every width.
/// </summary>
public sealed unsafe class ExtremeRowTests
{
    private const int Count = 3;

    private const int Columns = 37;

    // The largest make differences between two elements overflow.
    private static readonly int[] SingleExponents = [0, 61, 67, 100, 126, -40, -83, -100];

    private static readonly int[] DoubleExponents = [0, 500, 530, 1000, 1022, -300, -600, -900];

    public static TheoryData<int> Widths => [.. Simd.SupportedVectorBits];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Gate_products(int bits)
    {
        Array.ForEach(SingleExponents, exponent => new Gates<float>(bits, exponent, 3e-5).Run());
        Array.ForEach(DoubleExponents, exponent => new Gates<double>(bits, exponent, 1e-13).Run());
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Rows_of_any_magnitude_are_normalised(int bits)
    {
        foreach (var epsilon in new[] { 1e-5, 0 })
        {
            Array.ForEach(SingleExponents, exponent => CheckRows<float>(bits, exponent, epsilon, 3e-5));
            Array.ForEach(DoubleExponents, exponent => CheckRows<double>(bits, exponent, epsilon, 1e-13));
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void What_is_not_finite_stays_visible(int bits)
    {
        var moments = stackalloc float[2];
        foreach (var wrong in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
        {
            var (x, y, gain) = (new Grid<float>(1, Columns, 1), new Grid<float>(1, Columns, 2), new Grid<float>(1, Columns, 3));
            x.Row(0)[20] = wrong;
            NormalizationKernels<float>.For(bits).Forward(new(x.Rows, moments, 2, gain.Rows[0]), 1, Columns, gain.Rows[0], y.Rows, accumulate: false);
            Assert.All(y.Row(0).ToArray(), value => Assert.True(float.IsNaN(value)));
        }
    }

    private static void CheckRows<T>(int bits, int exponent, double epsilon, double tolerance)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var kernels = NormalizationKernels<T>.For(bits);
        var x = Scaled(new Grid<T>(Count, Columns, 1), exponent, 0);
        var expected = Enumerable.Range(0, Count).Select(row => new Reference(new Grid<T>(Count, Columns, 1).ToDouble()[row], exponent, epsilon)).ToArray();
        var (y, dx, sums) = (new Grid<T>(Count, Columns, 2), new Grid<T>(Count, Columns, 4), new Grid<T>(1, Columns, 11));
        var (gain, bias, dy) = (new Grid<T>(1, Columns, 6), new Grid<T>(1, Columns, 7), new Grid<T>(Count, Columns, 8));
        var moments = stackalloc T[2 * Count];
        var begun = sums.ToDouble()[0];
        var matrix = new Normalized<T>(x.Rows, moments, 2, gain.Rows[0], epsilon);
        kernels.Forward(matrix, Count, Columns, bias.Rows[0], y.Rows, accumulate: false);
        kernels.Backward(matrix, Count, Columns, dy.Rows, dx.Rows, accumulate: false, new(sums.Rows[0], 0), 0);

        var (w, b, d) = (gain.ToDouble()[0], bias.ToDouble()[0], dy.ToDouble());
        var what = $"{typeof(T).Name} · 2^{exponent}, {bits} bits, ε = {epsilon}";
        for (var row = 0; row < Count; row++)
        {
            var gradient = expected[row].Gradient(d[row], w);
            for (var j = 0; j < Columns; j++)
            {
                Near((expected[row].Normal[j] * w[j]) + b[j], y[row, j], tolerance, what);
                Near(gradient[j], dx[row, j], tolerance, what, expected[row].Unit);
                begun[j] += d[row][j] * expected[row].Normal[j];
            }
        }

        for (var j = 0; j < Columns; j++)
        {
            Near(begun[j], sums[0, j], 4 * tolerance, what);
        }

        Grid<T>.AssertGuards(x, y, dx, sums, gain, bias, dy);
    }

    private static Grid<T> Scaled<T>(Grid<T> grid, int exponent, int firstRow)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var row = firstRow; row < Count; row++)
        {
            foreach (ref var value in grid.Row(row))
            {
                value = T.ScaleB(value, exponent);
            }
        }

        return grid;
    }

    private static void Near<T>(double expected, T actual, double tolerance, string what, double unit = 1)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var value = double.CreateTruncating(actual) * unit;
        Assert.True(Math.Abs(expected - value) <= tolerance * (1 + Math.Abs(expected)), $"{what}: {expected} but {value}");
    }

    /// <summary>One row v·2ᵉ, by loops over v.</summary>
    private sealed class Reference
    {
        private readonly double _scale;

        internal Reference(double[] v, int exponent, double epsilon)
        {
            var mean = v.Average();
            var variance = v.Select(value => (value - mean) * (value - mean)).Average();

            // Gradients are smaller by 2ᵉ than the row is larger. Where ε rules they are not, and so their unit is one.
            var ruled = exponent < 0 && epsilon > 0;
            Unit = ruled ? 1 : Math.ScaleB(1, exponent);
            var factor = Math.ScaleB(1, exponent);
            _scale = 1 / Math.Sqrt(ruled ? (variance * factor * factor) + epsilon : variance + (epsilon / factor / factor));
            Normal = [.. v.Select(value => (value - mean) * _scale * (ruled ? factor : 1))];
        }

        internal double[] Normal { get; }

        /// <summary>What brings the gradient of the row to a size that can be compared.</summary>
        internal double Unit { get; }

        internal double[] Gradient(double[] dy, double[] gain)
        {
            var g = dy.Zip(gain, (a, b) => a * b).ToArray();
            var (mean, product) = (g.Average(), g.Zip(Normal, (a, b) => a * b).Average());
            return [.. g.Select((value, j) => _scale * (value - mean - (Normal[j] * product)))];
        }
    }

    private sealed class Gates<T>(int bits, int exponent, double tolerance)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly NormalizationKernels<T> _kernels = NormalizationKernels<T>.For(bits);
        private readonly Grid<T> _gains = new(2, Columns, 3);
        private readonly Grid<T> _bias = new(1, Columns, 4);
        private readonly Grid<T> _dy = new(Count, Columns, 5);
        private readonly T[] _moments = GC.AllocateArray<T>(4 * Count, pinned: true);
        private readonly string _what = $"{typeof(T).Name} · 2^{exponent}, {bits} bits";

        // Of the second matrix the first row keeps its size: an extreme row beside a usual one.
        public void Run()
        {
            var (first, second) = (X(1), X(2));
            var (w1, w2, b, d) = (_gains.ToDouble()[0], _gains.ToDouble()[1], _bias.ToDouble()[0], _dy.ToDouble());
            var (y, dx, sums1, sums2) = (new Grid<T>(Count, Columns, 6), new Grid<T>(Count, Columns, 7), new Grid<T>(Count, Columns, 8), new Grid<T>(Count, Columns, 9));
            var (begun1, begun2) = (sums1.ToDouble(), sums2.ToDouble());
            _kernels.Forward(Matrix(first, 0), Count, Columns, _bias.Rows[0], y.Rows, accumulate: false);
            _kernels.Backward(Matrix(first, 0), Count, Columns, _dy.Rows, dx.Rows, accumulate: false, sums1.Rows, 0);
            for (var row = 0; row < Count; row++)
            {
                var expected = Row(1, row);
                var gradient = expected.Gradient(d[row], w1);
                for (var j = 0; j < Columns; j++)
                {
                    Near((expected.Normal[j] * w1[j]) + b[j], y[row, j], tolerance, _what);
                    Near(gradient[j], dx[row, j], tolerance, _what, expected.Unit);
                    Near(begun1[row][j] + (d[row][j] * expected.Normal[j]), sums1[row, j], tolerance, _what);
                }
            }

            _kernels.ForwardSum(Matrix(first, 0), Matrix(second, 1), Count, Columns, _bias.Rows[0], y.Rows);
            begun1 = sums1.ToDouble();
            _kernels.BackwardSum(Matrix(first, 0), Matrix(second, 1), Count, Columns, _dy.Rows, sums1.Rows, sums2.Rows, 0);
            for (var row = 0; row < Count; row++)
            {
                var (e1, e2) = (Row(1, row), Row(2, row));
                var (gradient1, gradient2) = (e1.Gradient(d[row], w1), e2.Gradient(d[row], w2));
                for (var j = 0; j < Columns; j++)
                {
                    Near((e1.Normal[j] * w1[j]) + (e2.Normal[j] * w2[j]) + b[j], y[row, j], tolerance, _what);
                    Near(gradient1[j], first[row, j], tolerance, _what, e1.Unit);
                    Near(gradient2[j], second[row, j], tolerance, _what, e2.Unit);
                    Near(begun1[row][j] + (d[row][j] * e1.Normal[j]), sums1[row, j], tolerance, _what);
                    Near(begun2[row][j] + (d[row][j] * e2.Normal[j]), sums2[row, j], tolerance, _what);
                }
            }

            // In place, as inference runs it, the same bits.
            var (begin, other) = (X(1), X(2));
            _kernels.ForwardSum(Matrix(begin, 0), Matrix(other, 1), Count, Columns, _bias.Rows[0], begin.Rows);
            for (var row = 0; row < Count; row++)
            {
                Assert.Equal(y.Row(row).ToArray(), begin.Row(row).ToArray());
            }

            Grid<T>.AssertGuards(first, second, y, dx, sums1, sums2, begin, other);
        }

        private Grid<T> X(int which) => Scaled(new Grid<T>(Count, Columns, which), exponent, which - 1);

        private Reference Row(int which, int row) =>
            new(new Grid<T>(Count, Columns, which).ToDouble()[row], row >= which - 1 ? exponent : 0, NormalizationKernels<T>.Epsilon);

        private Normalized<T> Matrix(Grid<T> x, int which) =>
            new(x.Rows, (T*)Marshal.UnsafeAddrOfPinnedArrayElement(_moments, which * 2), 4, _gains.Rows[which]);
    }
}
