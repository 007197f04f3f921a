using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <inheritdoc/>
internal sealed unsafe partial class NormalizationKernels<V, T> : NormalizationKernels<T>
    where V : struct, IVector<V, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Rows processed together: from sums to scale is a long chain of latencies, and rows hide each other's.
    private const int MostRows = 8;

    // Where the variance is less than this part of the mean square about the first element, four bits or more have cancelled.
    private const double CancelledPart = 1.0 / 16;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal override void Forward(in Normalized<T> x, int rows, int count, T* bias, Rows<T> y, bool accumulate)
    {
        var share = T.One / T.CreateTruncating(count);
        var lanes = stackalloc T[V.Count];
        var sums = stackalloc T[4 * MostRows];
        var most = RowsTogether(count);
        for (var start = 0; start < rows; start += most)
        {
            var end = Math.Min(start + most, rows);
            for (var row = start; row < end; row++)
            {
                Deviations(x.Values[row], count, x.Values[row][0], lanes, out var s, out var q);
                V.Sums(s, q, V.Zero, V.Zero, sums + (4 * (row - start)));
            }

            for (var row = start; row < end; row++)
            {
                var sum = sums + (4 * (row - start));
                SetMoments(x, row, count, sum[0] * share, sum[1] * share, lanes);
            }

            for (var row = start; row < end; row++)
            {
                var moments = x.MomentsOf(row);
                if (ExtremeRow<T>.IsWide(moments[1]))
                {
                    ExtremeRow<T>.Normalise(x.Values[row], moments[0], moments[1], x.Gain, accumulate ? y[row] : bias, y[row], count);
                    continue;
                }

                Apply(x.Values[row], x.Gain, moments, accumulate ? y[row] : bias, y[row], count);
            }
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal override void ForwardSum(in Normalized<T> first, in Normalized<T> second, int rows, int count, T* bias, Rows<T> y)
    {
        var share = T.One / T.CreateTruncating(count);
        var lanes = stackalloc T[V.Count];
        var sums = stackalloc T[4 * MostRows];
        var most = RowsTogether(count);
        for (var start = 0; start < rows; start += most)
        {
            var end = Math.Min(start + most, rows);
            for (var row = start; row < end; row++)
            {
                Deviations(first.Values[row], count, first.Values[row][0], lanes, out var s1, out var q1);
                Deviations(second.Values[row], count, second.Values[row][0], lanes, out var s2, out var q2);
                V.Sums(s1, q1, s2, q2, sums + (4 * (row - start)));
            }

            for (var row = start; row < end; row++)
            {
                var sum = sums + (4 * (row - start));
                SetMoments(first, row, count, sum[0] * share, sum[1] * share, lanes);
                SetMoments(second, row, count, sum[2] * share, sum[3] * share, lanes);
            }

            for (var row = start; row < end; row++)
            {
                var x1 = first.Values[row];
                var x2 = second.Values[row];
                var moments1 = first.MomentsOf(row);
                var moments2 = second.MomentsOf(row);
                if (ExtremeRow<T>.IsWide(moments1[1]) || ExtremeRow<T>.IsWide(moments2[1]))
                {
                    ExtremeRow<T>.NormaliseSum(x1, x2, first.Gain, second.Gain, moments1, moments2, bias, y[row], count);
                    continue;
                }

                ApplySum(x1, x2, first.Gain, second.Gain, moments1, moments2, bias, y[row], count);
            }
        }
    }

    // As many rows as stay in the first-level cache.
    private static int RowsTogether(int count) => Math.Clamp(16384 / (Math.Max(count, 1) * sizeof(T)), 1, MostRows);

    // The lanes' parts of Σ d and Σ d², d the row less an origin. Two sums of each kind hide part of the latency of an addition.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Deviations(T* x, int count, T origin, T* lanes, out V sum, out V squares)
    {
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

        sum = s0 + s1;
        squares = q0 + q1;
    }

    // μ and 1/√(σ² + ε) from the mean of x − x₀ and that of its square.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SetMoments(in Normalized<T> x, int row, int count, T shift, T meanSquare, T* lanes)
    {
        var moments = x.MomentsOf(row);
        var spread = meanSquare - (shift * shift);
        var variance = spread + x.Epsilon;
        if (spread < meanSquare * T.CreateTruncating(CancelledPart) || ExtremeRow<T>.IsLost(variance))
        {
            SetMomentsCarefully(x.Values[row], count, x.Values[row][0] + shift, x.Epsilon, lanes, moments);
            return;
        }

        moments[0] = x.Values[row][0] + shift;
        moments[1] = T.One / T.Sqrt(variance);
    }

    // A second pass, from the mean that the first one found; exactly where that is not enough either.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SetMomentsCarefully(T* x, int count, T origin, T epsilon, T* lanes, T* moments)
    {
        var share = T.One / T.CreateTruncating(count);
        Deviations(x, count, origin, lanes, out var s, out var q);
        var shift = V.Sum(s) * share;
        var variance = (V.Sum(q) * share) - (shift * shift) + epsilon;
        if (ExtremeRow<T>.IsLost(variance))
        {
            ExtremeRow<T>.Moments(x, count, epsilon, out moments[0], out moments[1]);
            return;
        }

        moments[0] = origin + shift;
        moments[1] = T.One / T.Sqrt(variance);
    }

    // y = γ⊙(x − μ)·r + start
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Apply(T* x, T* gain, T* moments, T* start, T* y, int count)
    {
        var mean = V.Broadcast(moments[0]);
        var scale = V.Broadcast(moments[1]);
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

    // y = γ₁⊙(x₁ − μ₁)·r₁ + γ₂⊙(x₂ − μ₂)·r₂ + bias
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ApplySum(T* x1, T* x2, T* gain1, T* gain2, T* moments1, T* moments2, T* bias, T* y, int count)
    {
        var mean1 = V.Broadcast(moments1[0]);
        var scale1 = V.Broadcast(moments1[1]);
        var mean2 = V.Broadcast(moments2[0]);
        var scale2 = V.Broadcast(moments2[1]);
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
}
