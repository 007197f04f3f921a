using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <content>The backward pass.</content>
internal sealed unsafe partial class NormalizationKernels<V, T>
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal override void Backward(in Normalized<T> x, int rows, int count, Rows<T> dy, Rows<T> dx, bool accumulate, Rows<T> sums, int shift)
    {
        var share = T.One / T.CreateTruncating(count);
        var means = stackalloc T[4 * MostRows];
        var most = RowsTogether(count);
        for (var start = 0; start < rows; start += most)
        {
            var end = Math.Min(start + most, rows);
            for (var row = start; row < end; row++)
            {
                GradientSums(x.Values[row], dy[row], x.Gain, x.MomentsOf(row), count, out var s, out var p);
                V.Sums(s, p, V.Zero, V.Zero, means + (4 * (row - start)));
            }

            for (var row = start; row < end; row++)
            {
                var mean = means + (4 * (row - start));
                Spread(x.Values[row], dy[row], x.Gain, x.MomentsOf(row), mean[0] * share, mean[1] * share, dx[row], accumulate, sums[row >> shift], count);
            }
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal override void BackwardSum(
        in Normalized<T> first, in Normalized<T> second, int rows, int count, Rows<T> dy, Rows<T> firstSums, Rows<T> secondSums, int shift)
    {
        var share = T.One / T.CreateTruncating(count);
        var means = stackalloc T[4 * MostRows];
        var most = RowsTogether(count);
        for (var start = 0; start < rows; start += most)
        {
            var end = Math.Min(start + most, rows);
            for (var row = start; row < end; row++)
            {
                GradientSums(first.Values[row], dy[row], first.Gain, first.MomentsOf(row), count, out var s1, out var p1);
                GradientSums(second.Values[row], dy[row], second.Gain, second.MomentsOf(row), count, out var s2, out var p2);
                V.Sums(s1, p1, s2, p2, means + (4 * (row - start)));
            }

            for (var row = start; row < end; row++)
            {
                var mean = means + (4 * (row - start));
                Spread(
                    first.Values[row], dy[row], first.Gain, first.MomentsOf(row), mean[0] * share, mean[1] * share, first.Values[row], false,
                    firstSums[row >> shift], count);
                Spread(
                    second.Values[row], dy[row], second.Gain, second.MomentsOf(row), mean[2] * share, mean[3] * share, second.Values[row], false,
                    secondSums[row >> shift], count);
            }
        }
    }

    // The lanes' parts of Σ g and Σ g⊙(x − μ) of one row, g = dy⊙γ.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void GradientSums(T* x, T* dy, T* gain, T* moments, int count, out V sum, out V product)
    {
        var mean = V.Broadcast(moments[0]);
        V s0 = V.Zero, s1 = V.Zero, p0 = V.Zero, p1 = V.Zero;
        var i = 0;
        for (; i + (2 * V.Count) <= count; i += 2 * V.Count)
        {
            var g0 = V.Load(dy + i) * V.Load(gain + i);
            var g1 = V.Load(dy + i + V.Count) * V.Load(gain + i + V.Count);
            s0 += g0;
            s1 += g1;
            p0 = V.MultiplyAdd(g0, V.Load(x + i) - mean, p0);
            p1 = V.MultiplyAdd(g1, V.Load(x + i + V.Count) - mean, p1);
        }

        if (i + V.Count <= count)
        {
            var g = V.Load(dy + i) * V.Load(gain + i);
            s0 += g;
            p0 = V.MultiplyAdd(g, V.Load(x + i) - mean, p0);
            i += V.Count;
        }

        if (i < count)
        {
            // Past the end g is zero, and so is its product.
            var g = V.LoadPartial(dy + i, count - i) * V.LoadPartial(gain + i, count - i);
            s1 += g;
            p1 = V.MultiplyAdd(g, V.LoadPartial(x + i, count - i) - mean, p1);
        }

        sum = s0 + s1;
        product = p0 + p1;
    }

    // dx (+)= r·(g − mean(g) − (x − μ)·r²·mean(g⊙(x − μ))); sums += dy⊙x̂. Of one column nothing flows: g less its mean is exactly zero.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Spread(T* x, T* dy, T* gain, T* moments, T meanGradient, T meanProduct, T* dx, bool accumulate, T* sums, int count)
    {
        if (ExtremeRow<T>.IsWide(moments[1]))
        {
            ExtremeRow<T>.Backward(x, moments[0], moments[1], dy, gain, dx, accumulate, sums, count);
            return;
        }

        var mean = V.Broadcast(moments[0]);
        var scale = V.Broadcast(moments[1]);
        var factor = V.Broadcast(-meanProduct * moments[1] * moments[1]);
        var shift = V.Broadcast(meanGradient);
        var i = 0;
        for (; i + V.Count <= count; i += V.Count)
        {
            var centred = V.Load(x + i) - mean;
            var d = V.Load(dy + i);
            var value = V.MultiplyAdd(centred, factor, (d * V.Load(gain + i)) - shift) * scale;
            V.MultiplyAdd(d, centred * scale, V.Load(sums + i)).Store(sums + i);
            (accumulate ? value + V.Load(dx + i) : value).Store(dx + i);
        }

        if (i < count)
        {
            var rest = count - i;
            var centred = V.LoadPartial(x + i, rest) - mean;
            var d = V.LoadPartial(dy + i, rest);
            var value = V.MultiplyAdd(centred, factor, (d * V.LoadPartial(gain + i, rest)) - shift) * scale;
            V.MultiplyAdd(d, centred * scale, V.LoadPartial(sums + i, rest)).StorePartial(sums + i, rest);
            (accumulate ? value + V.LoadPartial(dx + i, rest) : value).StorePartial(dx + i, rest);
        }
    }
}
