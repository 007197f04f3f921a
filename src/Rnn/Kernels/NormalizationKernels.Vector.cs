using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <inheritdoc/>
internal sealed unsafe class NormalizationKernels<V, T> : NormalizationKernels<T>
    where V : struct, IVector<V, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal override void Forward(in Normalized<T> x, int rows, int count, T* bias, Rows<T> y, bool accumulate)
    {
        var share = T.One / T.CreateTruncating(count);
        var lanes = stackalloc T[V.Count];
        for (var row = 0; row < rows; row++)
        {
            var from = x.Values[row];
            var to = y[row];
            Moments(from, count, share, lanes, out var mean, out var scale);
            var moments = x.Moments + (row * x.MomentStride);
            (moments[0], moments[1]) = (mean, scale);
            Apply(from, x.Gain, V.Broadcast(mean), V.Broadcast(scale), accumulate ? to : bias, to, count);
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal override void ForwardSum(in Normalized<T> first, in Normalized<T> second, int rows, int count, T* bias, Rows<T> y)
    {
        var share = T.One / T.CreateTruncating(count);
        var lanes = stackalloc T[V.Count];
        for (var row = 0; row < rows; row++)
        {
            var x1 = first.Values[row];
            var x2 = second.Values[row];
            Moments(x1, count, share, lanes, out var mean1, out var scale1);
            Moments(x2, count, share, lanes, out var mean2, out var scale2);
            var moments1 = first.Moments + (row * first.MomentStride);
            var moments2 = second.Moments + (row * second.MomentStride);
            (moments1[0], moments1[1], moments2[0], moments2[1]) = (mean1, scale1, mean2, scale2);
            ApplySum(
                x1, x2, first.Gain, second.Gain, V.Broadcast(mean1), V.Broadcast(scale1), V.Broadcast(mean2), V.Broadcast(scale2), bias, y[row], count);
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal override void Backward(in Normalized<T> x, int rows, int count, Rows<T> dy, Rows<T> dx, bool accumulate, Rows<T> sums)
    {
        var share = T.One / T.CreateTruncating(count);
        for (var row = 0; row < rows; row++)
        {
            var moments = x.Moments + (row * x.MomentStride);
            var (mean, scale) = (V.Broadcast(moments[0]), V.Broadcast(moments[1]));
            GradientSums(x.Values[row], dy[row], x.Gain, mean, count, out var sum, out var product);

            var slope = V.Broadcast(-product * share * moments[1] * moments[1]);
            Spread(x.Values[row], dy[row], x.Gain, mean, scale, slope, V.Broadcast(sum * share), dx[row], accumulate, sums[row], count);
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal override void BackwardSum(
        in Normalized<T> first, in Normalized<T> second, int rows, int count, Rows<T> dy, Rows<T> firstSums, Rows<T> secondSums)
    {
        var share = T.One / T.CreateTruncating(count);
        for (var row = 0; row < rows; row++)
        {
            var x1 = first.Values[row];
            var x2 = second.Values[row];
            var d = dy[row];
            var moments1 = first.Moments + (row * first.MomentStride);
            var moments2 = second.Moments + (row * second.MomentStride);
            var (mean1, mean2) = (V.Broadcast(moments1[0]), V.Broadcast(moments2[0]));
            GradientSums(x1, d, first.Gain, mean1, count, out var sum1, out var product1);
            GradientSums(x2, d, second.Gain, mean2, count, out var sum2, out var product2);
            var (scale1, scale2) = (moments1[1], moments2[1]);
            Spread(
                x1, d, first.Gain, mean1, V.Broadcast(scale1), V.Broadcast(-product1 * share * scale1 * scale1),
                V.Broadcast(sum1 * share), x1, false, firstSums[row], count);
            Spread(
                x2, d, second.Gain, mean2, V.Broadcast(scale2), V.Broadcast(-product2 * share * scale2 * scale2),
                V.Broadcast(sum2 * share), x2, false, secondSums[row], count);
        }
    }

    // μ and 1/√(σ² + ε) of one row; lanes is room for one vector. Two sums of each kind hide part of the latency of an addition.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Moments(T* x, int count, T share, T* lanes, out T mean, out T scale)
    {
        var origin = x[0];
        var o = V.Broadcast(origin);
        V s0 = V.Zero, s1 = V.Zero, q0 = V.Zero, q1 = V.Zero;
        var i = 0;
        for (; i + (2 * V.Count) <= count; i += 2 * V.Count)
        {
            var d0 = V.Load(x + i) - o;
            var d1 = V.Load(x + i + V.Count) - o;
            s0 += d0;
            s1 += d1;
            q0 = V.MultiplyAdd(d0, d0, q0);
            q1 = V.MultiplyAdd(d1, d1, q1);
        }

        if (i + V.Count <= count)
        {
            var d = V.Load(x + i) - o;
            s0 += d;
            q0 = V.MultiplyAdd(d, d, q0);
            i += V.Count;
        }

        if (i < count)
        {
            // Lanes past the end must add nothing: there the origin is zero too.
            o.Store(lanes);
            var d = V.LoadPartial(x + i, count - i) - V.LoadPartial(lanes, count - i);
            s1 += d;
            q1 = V.MultiplyAdd(d, d, q1);
        }

        var shift = V.Sum(s0 + s1) * share;
        var variance = T.Max(T.Zero, (V.Sum(q0 + q1) * share) - (shift * shift));
        mean = origin + shift;
        scale = T.One / T.Sqrt(variance + T.CreateTruncating(Epsilon));
    }

    // y = γ⊙(x − μ)·r + base
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Apply(T* x, T* gain, V mean, V scale, T* start, T* y, int count)
    {
        var i = 0;
        for (; i + V.Count <= count; i += V.Count)
        {
            V.MultiplyAdd((V.Load(x + i) - mean) * scale, V.Load(gain + i), V.Load(start + i)).Store(y + i);
        }

        if (i < count)
        {
            var rest = count - i;
            V.MultiplyAdd((V.LoadPartial(x + i, rest) - mean) * scale, V.LoadPartial(gain + i, rest), V.LoadPartial(start + i, rest)).StorePartial(y + i, rest);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ApplySum(T* x1, T* x2, T* gain1, T* gain2, V mean1, V scale1, V mean2, V scale2, T* bias, T* y, int count)
    {
        var i = 0;
        for (; i + V.Count <= count; i += V.Count)
        {
            var sum = V.MultiplyAdd((V.Load(x1 + i) - mean1) * scale1, V.Load(gain1 + i), V.Load(bias + i));
            V.MultiplyAdd((V.Load(x2 + i) - mean2) * scale2, V.Load(gain2 + i), sum).Store(y + i);
        }

        if (i < count)
        {
            var rest = count - i;
            var sum = V.MultiplyAdd((V.LoadPartial(x1 + i, rest) - mean1) * scale1, V.LoadPartial(gain1 + i, rest), V.LoadPartial(bias + i, rest));
            V.MultiplyAdd((V.LoadPartial(x2 + i, rest) - mean2) * scale2, V.LoadPartial(gain2 + i, rest), sum).StorePartial(y + i, rest);
        }
    }

    // Σ g and Σ g⊙(x − μ) of one row, g = dy⊙γ.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void GradientSums(T* x, T* dy, T* gain, V mean, int count, out T sum, out T product)
    {
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

        sum = V.Sum(s0 + s1);
        product = V.Sum(p0 + p1);
    }

    // dx (+)= r·(g − shift + (x − μ)·slope); sums += dy⊙x̂. Of one column nothing flows: g − shift is exactly zero.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Spread(T* x, T* dy, T* gain, V mean, V scale, V slope, V shift, T* dx, bool accumulate, T* sums, int count)
    {
        var i = 0;
        for (; i + V.Count <= count; i += V.Count)
        {
            var centred = V.Load(x + i) - mean;
            var d = V.Load(dy + i);
            var value = V.MultiplyAdd(centred, slope, (d * V.Load(gain + i)) - shift) * scale;
            V.MultiplyAdd(d, centred * scale, V.Load(sums + i)).Store(sums + i);
            (accumulate ? value + V.Load(dx + i) : value).Store(dx + i);
        }

        if (i < count)
        {
            var rest = count - i;
            var centred = V.LoadPartial(x + i, rest) - mean;
            var d = V.LoadPartial(dy + i, rest);
            var value = V.MultiplyAdd(centred, slope, (d * V.LoadPartial(gain + i, rest)) - shift) * scale;
            V.MultiplyAdd(d, centred * scale, V.LoadPartial(sums + i, rest)).StorePartial(sums + i, rest);
            (accumulate ? value + V.LoadPartial(dx + i, rest) : value).StorePartial(dx + i, rest);
        }
    }
}
