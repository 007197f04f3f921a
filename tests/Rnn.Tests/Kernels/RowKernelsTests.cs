using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Tests.Kernels;

/// <summary>Softmax, cross-entropy and layer normalisation against plain loops in double, at every width, in both types, with odd sizes.</summary>
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
    public void LayerNorm(int bits)
    {
        CheckLayerNorm<float>(bits, 2e-5);
        CheckLayerNorm<double>(bits, 4e-14);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void CrossEntropy(int bits)
    {
        foreach (var smoothing in (double[])[0, 0.1])
        {
            foreach (var weighted in (bool[])[false, true])
            {
                CheckCrossEntropy<float>(bits, smoothing, weighted, 3e-6);
                CheckCrossEntropy<double>(bits, smoothing, weighted, 5e-15);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void LargeAndInfiniteLogitsStayInRange(int bits)
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

    [Fact]
    public void ATargetThatIsNoClassIsNamed()
    {
        var x = new Grid<float>(2, 5, 1);
        var targets = new[] { 1, 5 };
        var losses = new float[2];
        var error = Assert.Throws<ArgumentException>(() =>
        {
            fixed (int* t = targets)
            fixed (float* l = losses)
            {
                RowKernels<float>.Current.CrossEntropy(x.Rows, t, 2, 5, new(null, 0, -100), l, default, 1);
            }
        });
        Assert.Equal("targets", error.ParamName);
        Assert.StartsWith("targets: expected classes from 0 to 4, or -100 for rows to ignore, but row 1 has 5.", error.Message, StringComparison.Ordinal);
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

    private static void CheckCrossEntropy<T>(int bits, double smoothing, bool weighted, double tolerance)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var kernels = RowKernels<T>.For(bits);
        foreach (var (rows, columns) in Sizes)
        {
            var x = new Grid<T>(rows, columns, 1);
            var g = new Grid<T>(rows, columns, 2);
            var losses = new Grid<T>(1, rows + 1, 3);
            var onlyLosses = new Grid<T>(1, rows + 1, 4);
            var weights = new Grid<T>(1, columns, 5, positive: true);
            var targets = Enumerable.Range(0, rows + 1).Select(r => r % 3 == 2 ? -1 : (r * 31) % columns).ToArray();
            var scale = T.CreateTruncating(0.25);
            var options = new CrossEntropyOptions<T>(weighted ? weights.Rows[0] : null, T.CreateTruncating(smoothing), -1);
            fixed (int* t = targets)
            {
                kernels.CrossEntropy(x.Rows, t, rows, columns, options, onlyLosses.Rows[0], default, scale);
                kernels.CrossEntropy(x.Rows, t, rows, columns, options, losses.Rows[0], g.Rows, scale);
                for (var r = 0; r < rows; r++)
                {
                    var values = x.ToDouble()[r];
                    var w = weighted ? weights.ToDouble()[0] : [.. values.Select(_ => 1.0)];
                    var largest = values.Max();
                    var sum = values.Sum(v => Math.Exp(v - largest));
                    var epsilon = double.CreateTruncating(T.CreateTruncating(smoothing));
                    var q = values.Select((_, c) => (epsilon / columns) + (c == targets[r] ? 1 - epsilon : 0)).ToArray();
                    var mass = q.Zip(w, (a, b) => a * b).Sum();
                    var loss = -values.Select((v, c) => w[c] * q[c] * (v - largest - Math.Log(sum))).Sum();
                    Near(targets[r] < 0 ? 0 : loss, losses[0, r], 8 * tolerance);
                    for (var c = 0; c < columns; c++)
                    {
                        var p = Math.Exp(values[c] - largest) / sum;
                        Near(targets[r] < 0 ? 0 : 0.25 * ((p * mass) - (w[c] * q[c])), g[r, c], tolerance);
                    }
                }

                Assert.Equal(losses.ToDouble()[0][..rows], onlyLosses.ToDouble()[0][..rows]);
                kernels.CrossEntropy(x.Rows, t, rows, columns, options, losses.Rows[0], x.Rows, scale);
                Same(g, x);
            }

            Grid<T>.AssertGuards(x, g, losses, onlyLosses, weights);
        }
    }

    private static void CheckLayerNorm<T>(int bits, double tolerance)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var kernels = RowKernels<T>.For(bits);
        const double Epsilon = 1e-3;
        foreach (var (rows, columns) in Sizes)
        {
            var x = new Grid<T>(rows, columns, 1);
            var (y, plain, hat) = (new Grid<T>(rows, columns, 2), new Grid<T>(rows, columns, 3), new Grid<T>(rows, columns, 4));
            var (gain, bias) = (new Grid<T>(1, columns, 5), new Grid<T>(1, columns, 6));
            var (mean, r, r2) = (new Grid<T>(1, rows + 1, 7), new Grid<T>(1, rows + 1, 8), new Grid<T>(1, rows + 1, 9));
            var epsilon = T.CreateTruncating(Epsilon);
            var byMean = new NormKept<T>(r.Rows[0], mean.Rows[0], default);
            var byHat = new NormKept<T>(r2.Rows[0], null, hat.Rows);
            kernels.LayerNorm(x.Rows, y.Rows, rows, columns, gain.Rows[0], bias.Rows[0], epsilon, byMean);
            kernels.LayerNorm(x.Rows, plain.Rows, rows, columns, null, null, epsilon, byHat);
            Same(plain, hat);

            var dy = new Grid<T>(rows, columns, 10);
            var (dx, dx2) = (new Grid<T>(rows, columns, 11), new Grid<T>(rows, columns, 12));
            var (dGain, dBias) = (new Grid<T>(1, columns, 13), new Grid<T>(1, columns, 14));
            var (begun, begunGain, begunBias) = (dx.ToDouble(), dGain.ToDouble()[0], dBias.ToDouble()[0]);
            kernels.LayerNormBackward(x.Rows, byMean, dy.Rows, dx.Rows, rows, columns, gain.Rows[0], accumulate: true);
            kernels.LayerNormBackward(default, byHat, dy.Rows, dx2.Rows, rows, columns, null, accumulate: false);

            // In two parts of the columns, as threads would.
            var half = columns / 2;
            kernels.LayerNormParameters(x.Rows, byMean, dy.Rows, rows, dGain.Rows[0], dBias.Rows[0], 0, half);
            kernels.LayerNormParameters(default, byHat, dy.Rows, rows, dGain.Rows[0], dBias.Rows[0], half, columns);

            var (w, b) = (gain.ToDouble()[0], bias.ToDouble()[0]);
            for (var i = 0; i < rows; i++)
            {
                var values = x.ToDouble()[i];
                var gradients = dy.ToDouble()[i];
                var m = values.Average();
                var inverse = 1 / Math.Sqrt(values.Select(v => (v - m) * (v - m)).Average() + Epsilon);
                var normal = values.Select(v => (v - m) * inverse).ToArray();
                Near(m, mean[0, i], tolerance);
                Near(inverse, r[0, i], tolerance);
                var d = gradients.Zip(w, (a, c) => a * c).ToArray();
                for (var c = 0; c < columns; c++)
                {
                    Near((normal[c] * w[c]) + b[c], y[i, c], tolerance);
                    Near(normal[c], hat[i, c], tolerance);
                    Near(begun[i][c] + Input(d, c), dx[i, c], 4 * tolerance);
                    Near(Input(gradients, c), dx2[i, c], 4 * tolerance);
                    begunGain[c] += gradients[c] * normal[c];
                    begunBias[c] += gradients[c];
                }

                double Input(double[] e, int c) => inverse * (e[c] - e.Average() - (normal[c] * e.Zip(normal, (s, t) => s * t).Average()));
            }

            for (var c = 0; c < columns; c++)
            {
                Near(begunGain[c], dGain[0, c], 4 * tolerance);
                Near(begunBias[c], dBias[0, c], 4 * tolerance);
            }

            Grid<T>.AssertGuards(x, y, plain, hat, gain, bias, mean, r, r2, dy, dx, dx2, dGain, dBias);
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
