using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Tests.Kernels;

/// <summary>Softmax and cross-entropy against plain loops in double, at every width, in both types, with odd sizes.</summary>
public unsafe class RowKernelsTests
{
    private static readonly (int Rows, int Columns)[] Sizes = [(0, 3), (1, 1), (3, 3), (2, 15), (2, 16), (3, 17), (5, 37), (2, 65), (3, 129), (2, 1024), (1, 2500)];

    public static TheoryData<int> Widths
    {
        get
        {
            var widths = new TheoryData<int>();
            foreach (var bits in Simd.SupportedVectorBits)
            {
                widths.Add(bits);
            }

            return widths;
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Softmax(int bits)
    {
        CheckSoftmax<float>(bits, 2e-6);
        CheckSoftmax<double>(bits, 4e-15);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Parts_of_cross_entropy(int bits)
    {
        CheckCrossEntropy<float>(bits, 1e-6);
        CheckCrossEntropy<double>(bits, 1e-14);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Large_and_infinite_logits_stay_in_range(int bits)
    {
        var x = new Grid<float>(1, 40, 1);
        foreach (ref var value in x.Row(0))
        {
            value = float.NegativeInfinity;
        }

        x.Row(0)[7] = 1e30f;
        x.Row(0)[39] = 1e30f;
        RowKernels<float>.For(bits).Softmax(x.Rows, x.Rows, 1, 40);
        for (var i = 0; i < 40; i++)
        {
            Assert.Equal(i is 7 or 39 ? 0.5f : 0f, x.Row(0)[i]);
        }

        x.Row(0)[3] = float.NaN;
        x.Row(0)[20] = float.PositiveInfinity;
        RowKernels<float>.For(bits).LogSoftmax(x.Rows, x.Rows, 1, 40);
        Assert.All(x.Row(0).ToArray(), value => Assert.True(float.IsNaN(value)));
    }

    private static void CheckSoftmax<T>(int bits, double tolerance)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var kernels = RowKernels<T>.For(bits);
        foreach (var (rows, columns) in Sizes)
        {
            var x = new Grid<T>(rows, columns, 1);
            var y = new Grid<T>(rows, columns, 2);
            var log = new Grid<T>(rows, columns, 3);
            var dy = new Grid<T>(rows, columns, 4);
            var dx = new Grid<T>(rows, columns, 5);
            var dxLog = new Grid<T>(rows, columns, 6);
            var begun = dx.ToDouble();
            kernels.Softmax(x.Rows, y.Rows, rows, columns);
            kernels.LogSoftmax(x.Rows, log.Rows, rows, columns);
            kernels.SoftmaxBackward(y.Rows, dy.Rows, dx.Rows, rows, columns, accumulate: true);
            kernels.LogSoftmaxBackward(log.Rows, dy.Rows, dxLog.Rows, rows, columns, accumulate: false);
            for (var r = 0; r < rows; r++)
            {
                var values = x.ToDouble()[r];
                var gradients = dy.ToDouble()[r];
                var largest = values.Max();
                var sum = values.Sum(v => Math.Exp(v - largest));
                var p = values.Select(v => Math.Exp(v - largest) / sum).ToArray();
                var dot = p.Zip(gradients, (a, b) => a * b).Sum();
                var total = gradients.Sum();
                for (var c = 0; c < columns; c++)
                {
                    Near(p[c], y[r, c], tolerance);
                    Near(values[c] - largest - Math.Log(sum), log[r, c], 8 * tolerance);
                    Near(begun[r][c] + (p[c] * (gradients[c] - dot)), dx[r, c], 4 * tolerance);
                    Near(gradients[c] - (p[c] * total), dxLog[r, c], 8 * tolerance);
                }
            }

            // In place, and the other way of storing the gradient.
            kernels.SoftmaxBackward(y.Rows, dy.Rows, dxLog.Rows, rows, columns, accumulate: false);
            kernels.SoftmaxBackward(y.Rows, dy.Rows, dy.Rows, rows, columns, accumulate: false);
            Same(dxLog, dy);
            var copy = new Grid<T>(rows, columns, 1);
            kernels.Softmax(copy.Rows, copy.Rows, rows, columns);
            Same(y, copy);
            Grid<T>.AssertGuards(x, y, log, dy, dx, dxLog, copy);
        }
    }

    private static void CheckCrossEntropy<T>(int bits, double tolerance)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var kernels = RowKernels<T>.For(bits);
        foreach (var (_, columns) in Sizes)
        {
            var (x, w, g) = (new Grid<T>(1, columns, 1), new Grid<T>(1, columns, 2, positive: true), new Grid<T>(1, columns, 3));

            // All below zero, so that a lane that is none would show as the largest.
            foreach (ref var value in x.Row(0))
            {
                value -= T.CreateTruncating(5);
            }

            var (values, weights) = (x.ToDouble()[0], w.ToDouble()[0]);
            var top = values.Max();
            var (largest, sum) = kernels.SoftmaxStatistics(x.Rows[0], columns);
            Assert.Equal(top, double.CreateTruncating(largest));
            Near(values.Sum(v => Math.Exp(v - top)), sum, tolerance);
            Near(values.Sum(v => v - top), kernels.WeightedSum(x.Rows[0], null, largest, columns), tolerance);
            Near(values.Zip(weights, (v, c) => (v - top) * c).Sum(), kernels.WeightedSum(x.Rows[0], w.Rows[0], largest, columns), tolerance);
            foreach (var (weighted, accumulate) in ((bool, bool)[])[(false, false), (true, false), (false, true), (true, true)])
            {
                var before = g.ToDouble()[0];
                kernels.SoftmaxGradient(
                    x.Rows[0], weighted ? w.Rows[0] : null, largest, T.CreateTruncating(2), T.CreateTruncating(0.5), g.Rows[0], columns, accumulate);
                for (var c = 0; c < columns; c++)
                {
                    var added = (2 * Math.Exp(values[c] - top)) - (0.5 * (weighted ? weights[c] : 1));
                    Near(accumulate ? before[c] + added : added, g[0, c], tolerance);
                }
            }

            Grid<T>.AssertGuards(x, w, g);
        }
    }

    private static void Near<T>(double expected, T actual, double tolerance)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Assert.Equal(expected, double.CreateTruncating(actual), tolerance * Math.Max(1, Math.Abs(expected)));

    private static void Same<T>(Grid<T> expected, Grid<T> actual)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (e, a) = (expected.ToDouble(), actual.ToDouble());
        for (var r = 0; r < e.Length; r++)
        {
            Assert.Equal(e[r], a[r]);
        }
    }
}
