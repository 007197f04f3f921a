using System.Numerics;
using System.Runtime.InteropServices;
using Rnn.Kernels;

namespace Rnn.Tests.Kernels;

/// <summary>Layer normalisation against plain loops in double, at every width, with odd sizes.</summary>
public sealed unsafe class NormalizationKernelsTests
{
    private static readonly (int Rows, int Columns)[] Sizes = [(0, 3), (1, 1), (2, 3), (3, 16), (5, 17), (9, 37), (2, 64), (3, 129), (1, 1024), (2, 2500)];

    public static TheoryData<int> Widths => [.. Simd.SupportedVectorBits];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Forward_and_backward(int bits)
    {
        foreach (var (rows, columns) in Sizes)
        {
            new Case<float>(bits, rows, columns, 3e-5).Run();
            new Case<double>(bits, rows, columns, 1e-13).Run();
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void A_large_mean_costs_no_digits_of_the_variance(int bits)
    {
        // One part in a thousand around a mean of 1000: the squares alone would leave nothing of the variance in float.
        var x = new Grid<float>(1, 100, 1);
        var y = new Grid<float>(1, 100, 2);
        var gain = new Grid<float>(1, 100, 3);
        for (var i = 0; i < 100; i++)
        {
            x.Row(0)[i] = 1000 + (i % 2);
            gain.Row(0)[i] = 1;
        }

        var moments = stackalloc float[2];
        NormalizationKernels<float>.For(bits).Forward(new(x.Rows, moments, 2, gain.Rows[0]), 1, 100, null, y.Rows, accumulate: true);
        Assert.Equal(1000.5, moments[0], 1e-4);
        Assert.Equal(1 / Math.Sqrt(0.25 + 1e-5), moments[1], 1e-5);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void A_first_element_far_from_the_others_costs_no_digits_of_the_variance(int bits)
    {
        // Less the first element, all others are 100 and so large that their squares leave few digits of their differences.
        var x = new Grid<float>(1, 1000, 1);
        var y = new Grid<float>(1, 1000, 2);
        var gain = new Grid<float>(1, 1000, 3);
        for (var i = 1; i < 1000; i++)
        {
            x.Row(0)[i] = i % 2;
        }

        x.Row(0)[0] = -100;
        var values = x.Row(0).ToArray().Select(v => (double)v).ToArray();
        var mean = values.Average();
        var moments = stackalloc float[2];
        NormalizationKernels<float>.For(bits).Forward(new(x.Rows, moments, 2, gain.Rows[0], 1e-3), 1, 1000, gain.Rows[0], y.Rows, accumulate: false);

        // One lane adds 999 small squares to one of 10,000, each to half an ulp of 5e-4: up to 7e-6. One pass alone would be 2 % off.
        Assert.Equal(mean, moments[0], 1e-5);
        Assert.Equal(1 / Math.Sqrt(values.Select(v => (v - mean) * (v - mean)).Average() + 1e-3), moments[1], 1e-5);
    }

    private sealed class Case<T>(int bits, int rows, int columns, double tolerance)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly NormalizationKernels<T> _kernels = NormalizationKernels<T>.For(bits);
        private readonly Grid<T> _first = new(rows, columns, 1);
        private readonly Grid<T> _second = new(rows, columns, 2);
        private readonly Grid<T> _gains = new(2, columns, 3);
        private readonly Grid<T> _bias = new(1, columns, 4);
        private readonly Grid<T> _dy = new(rows, columns, 5);
        private readonly T[] _moments = GC.AllocateArray<T>((rows * 5) + 5, pinned: true);

        public void Run()
        {
            Forward();
            ForwardSum();
            Backward(accumulate: false, 0);
            Backward(accumulate: true, 1);
            BackwardSum(0);
            BackwardSum(2);
            SumsInOneRow();
        }

        private Normalized<T> Matrix(Grid<T> x, int which) =>
            new(x.Rows, (T*)Marshal.UnsafeAddrOfPinnedArrayElement(_moments, which * 2), 5, _gains.Rows[which]);

        private void Forward()
        {
            var y = new Grid<T>(rows, columns, 6);
            var before = y.ToDouble();
            _kernels.Forward(Matrix(_first, 0), rows, columns, _bias.Rows[0], y.Rows, accumulate: true);
            for (var row = 0; row < rows; row++)
            {
                var normal = Normal(_first.ToDouble()[row], out _);
                Equal(row, y, j => before[row][j] + (normal[j] * Gain(0, j)));
            }

            _kernels.Forward(Matrix(_first, 0), rows, columns, _bias.Rows[0], y.Rows, accumulate: false);
            for (var row = 0; row < rows; row++)
            {
                var normal = Normal(_first.ToDouble()[row], out _);
                Equal(row, y, j => double.CreateTruncating(_bias[0, j]) + (normal[j] * Gain(0, j)));
            }

            Grid<T>.AssertGuards(y, _first, _gains, _bias);
        }

        private void ForwardSum()
        {
            // In place of the first, as inference runs it.
            var y = new Grid<T>(rows, columns, 1);
            _kernels.ForwardSum(Matrix(y, 0), Matrix(_second, 1), rows, columns, _bias.Rows[0], y.Rows);
            for (var row = 0; row < rows; row++)
            {
                var (first, second) = (Normal(_first.ToDouble()[row], out _), Normal(_second.ToDouble()[row], out _));
                Equal(row, y, j => double.CreateTruncating(_bias[0, j]) + (first[j] * Gain(0, j)) + (second[j] * Gain(1, j)));
            }

            Grid<T>.AssertGuards(y, _second, _gains, _bias);
        }

        private void Backward(bool accumulate, int shift)
        {
            var (dx, sums) = (new Grid<T>(rows, columns, 7), new Grid<T>(rows, columns, 8));
            var (dxBefore, sumsBefore) = (dx.ToDouble(), sums.ToDouble());
            _kernels.Forward(Matrix(_first, 0), rows, columns, _bias.Rows[0], new Grid<T>(rows, columns, 6).Rows, accumulate: false);
            _kernels.Backward(Matrix(_first, 0), rows, columns, _dy.Rows, dx.Rows, accumulate, sums.Rows, shift);
            var products = Products(_first);
            for (var row = 0; row < rows; row++)
            {
                var expected = Gradient(_first, row, 0);
                Equal(row, dx, j => expected[j] + (accumulate ? dxBefore[row][j] : 0));
                Equal(row, sums, j => sumsBefore[row][j] + SumOf(products, row, shift, j));
            }

            Grid<T>.AssertGuards(dx, sums, _first, _dy);
        }

        // As the tensor operation asks for it: another ε, and the gradient of the gain in one row for all.
        private void SumsInOneRow()
        {
            const double Epsilon = 0.25;
            var (dx, sums) = (new Grid<T>(rows, columns, 7), new Grid<T>(1, columns, 8));
            var begun = sums.ToDouble()[0];
            var x = new Normalized<T>(_first.Rows, (T*)Marshal.UnsafeAddrOfPinnedArrayElement(_moments, 0), 5, _gains.Rows[0], Epsilon);
            _kernels.Forward(x, rows, columns, _bias.Rows[0], new Grid<T>(rows, columns, 6).Rows, accumulate: false);
            _kernels.Backward(x, rows, columns, _dy.Rows, dx.Rows, accumulate: false, new(sums.Rows[0], 0), 0);
            var products = Products(_first, Epsilon);
            for (var row = 0; row < rows; row++)
            {
                var expected = Gradient(_first, row, 0, Epsilon);
                Equal(row, dx, j => expected[j]);
            }

            Equal(0, sums, j => begun[j] + products.Sum(row => row[j]));
            Grid<T>.AssertGuards(dx, sums, _first, _dy);
        }

        private void BackwardSum(int shift)
        {
            var (first, second) = (new Grid<T>(rows, columns, 1), new Grid<T>(rows, columns, 2));
            var (sums1, sums2) = (new Grid<T>(rows, columns, 7), new Grid<T>(rows, columns, 8));
            var (before1, before2) = (sums1.ToDouble(), sums2.ToDouble());
            _kernels.ForwardSum(Matrix(first, 0), Matrix(second, 1), rows, columns, _bias.Rows[0], new Grid<T>(rows, columns, 6).Rows);
            _kernels.BackwardSum(Matrix(first, 0), Matrix(second, 1), rows, columns, _dy.Rows, sums1.Rows, sums2.Rows, shift);
            var (products1, products2) = (Products(_first), Products(_second));
            for (var row = 0; row < rows; row++)
            {
                var (expected1, expected2) = (Gradient(_first, row, 0), Gradient(_second, row, 1));
                Equal(row, first, j => expected1[j]);
                Equal(row, second, j => expected2[j]);
                Equal(row, sums1, j => before1[row][j] + SumOf(products1, row, shift, j));
                Equal(row, sums2, j => before2[row][j] + SumOf(products2, row, shift, j));
            }

            Grid<T>.AssertGuards(first, second, sums1, sums2, _dy);
        }

        private double[][] Products(Grid<T> x, double epsilon = 1e-5)
        {
            var (values, dy) = (x.ToDouble(), _dy.ToDouble());
            return [.. Enumerable.Range(0, rows).Select(row => Normal(values[row], out _, epsilon).Zip(dy[row], (n, d) => n * d).ToArray())];
        }

        // What the rows that share a row of sums add up to.
        private static double SumOf(double[][] products, int sumRow, int shift, int column) =>
            products.Where((_, row) => row >> shift == sumRow).Sum(row => row[column]);

        private double Gain(int which, int column) => double.CreateTruncating(_gains[which, column]);

        private static double[] Normal(double[] x, out double scale, double epsilon = 1e-5)
        {
            var mean = x.Average();
            var factor = 1 / Math.Sqrt(x.Sum(v => (v - mean) * (v - mean)) / x.Length + epsilon);
            scale = factor;
            return [.. x.Select(v => (v - mean) * factor)];
        }

        private double[] Gradient(Grid<T> x, int row, int which, double epsilon = 1e-5)
        {
            var normal = Normal(x.ToDouble()[row], out var scale, epsilon);
            var g = _dy.ToDouble()[row].Select((d, j) => d * Gain(which, j)).ToArray();
            var (mean, slope) = (g.Average(), g.Zip(normal, (a, b) => a * b).Average());
            return [.. g.Select((v, j) => scale * (v - mean - (normal[j] * slope)))];
        }

        private void Equal(int row, Grid<T> actual, Func<int, double> expected)
        {
            for (var j = 0; j < columns; j++)
            {
                var e = expected(j);
                var a = double.CreateTruncating(actual[row, j]);
                Assert.True(Math.Abs(e - a) <= tolerance * (1 + Math.Abs(e)), $"{bits} bits [{row}, {j}] of {rows}×{columns}: {e} but {a}");
            }
        }
    }
}
