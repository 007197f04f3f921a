using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary><see cref="SpanKernels{T}"/> over one vector type.</summary>
internal sealed unsafe class VectorSpanKernels<V, T> : SpanKernels<T>
    where V : struct, IVector<V, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Elements that are summed lane by lane before their sum joins the total.
    private const int Chunk = 4096;

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private protected override void AddTo(T* source, T* sums, nint count)
    {
        nint i = 0;
        for (; i <= count - V.Count; i += V.Count)
        {
            (V.Load(sums + i) + V.Load(source + i)).Store(sums + i);
        }

        for (; i < count; i++)
        {
            sums[i] += source[i];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private protected override void AddScaledTo(T* source, T factor, T* sums, nint count)
    {
        var scale = V.Broadcast(factor);
        nint i = 0;
        for (; i <= count - V.Count; i += V.Count)
        {
            V.MultiplyAdd(V.Load(source + i), scale, V.Load(sums + i)).Store(sums + i);
        }

        for (; i < count; i++)
        {
            sums[i] = Simd.MultiplyAdd(source[i], factor, sums[i]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private protected override void ScaleInto(T* source, T factor, T* target, nint count)
    {
        var scale = V.Broadcast(factor);
        nint i = 0;
        for (; i <= count - V.Count; i += V.Count)
        {
            (V.Load(source + i) * scale).Store(target + i);
        }

        for (; i < count; i++)
        {
            target[i] = source[i] * factor;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private protected override void AddConstantTo(T value, T* sums, nint count)
    {
        var constant = V.Broadcast(value);
        nint i = 0;
        for (; i <= count - V.Count; i += V.Count)
        {
            (V.Load(sums + i) + constant).Store(sums + i);
        }

        for (; i < count; i++)
        {
            sums[i] += value;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private protected override void MultiplyInto(T* a, T* b, T* target, nint count)
    {
        nint i = 0;
        for (; i <= count - V.Count; i += V.Count)
        {
            (V.Load(a + i) * V.Load(b + i)).Store(target + i);
        }

        for (; i < count; i++)
        {
            target[i] = a[i] * b[i];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private protected override void AddProductTo(T* a, T* b, T* sums, nint count)
    {
        nint i = 0;
        for (; i <= count - V.Count; i += V.Count)
        {
            V.MultiplyAdd(V.Load(a + i), V.Load(b + i), V.Load(sums + i)).Store(sums + i);
        }

        for (; i < count; i++)
        {
            sums[i] = Simd.MultiplyAdd(a[i], b[i], sums[i]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private protected override T SumOf(T* values, nint count)
    {
        var total = T.Zero;
        for (; count > 0; values += Chunk, count -= Chunk)
        {
            var length = Math.Min(count, Chunk);
            V s0 = V.Zero, s1 = V.Zero, s2 = V.Zero, s3 = V.Zero;
            nint i = 0;
            for (; i <= length - (4 * V.Count); i += 4 * V.Count)
            {
                s0 += V.Load(values + i);
                s1 += V.Load(values + i + V.Count);
                s2 += V.Load(values + i + (2 * V.Count));
                s3 += V.Load(values + i + (3 * V.Count));
            }

            var sum = V.Sum((s0 + s1) + (s2 + s3));
            for (; i < length; i++)
            {
                sum += values[i];
            }

            total += sum;
        }

        return total;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private protected override T DotOf(T* a, T* b, nint count)
    {
        V s0 = V.Zero, s1 = V.Zero, s2 = V.Zero, s3 = V.Zero;
        nint i = 0;
        for (; i <= count - (4 * V.Count); i += 4 * V.Count)
        {
            s0 = V.MultiplyAdd(V.Load(a + i), V.Load(b + i), s0);
            s1 = V.MultiplyAdd(V.Load(a + i + V.Count), V.Load(b + i + V.Count), s1);
            s2 = V.MultiplyAdd(V.Load(a + i + (2 * V.Count)), V.Load(b + i + (2 * V.Count)), s2);
            s3 = V.MultiplyAdd(V.Load(a + i + (3 * V.Count)), V.Load(b + i + (3 * V.Count)), s3);
        }

        for (; i <= count - V.Count; i += V.Count)
        {
            s0 = V.MultiplyAdd(V.Load(a + i), V.Load(b + i), s0);
        }

        var sum = V.Sum((s0 + s1) + (s2 + s3));
        for (; i < count; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private protected override void ExtremeInto(T* source, T* best, nint count, bool largest)
    {
        nint i = 0;
        for (; i <= count - V.Count; i += V.Count)
        {
            var (x, y) = (V.Load(source + i), V.Load(best + i));
            (largest ? V.Max(x, y) : V.Min(x, y)).Store(best + i);
        }

        for (; i < count; i++)
        {
            best[i] = largest ? T.Max(source[i], best[i]) : T.Min(source[i], best[i]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private protected override T ExtremeOf(T* values, nint count, bool largest)
    {
        var best = largest ? T.NegativeInfinity : T.PositiveInfinity;
        nint i = 0;
        if (count >= V.Count)
        {
            var lanes = V.Load(values);
            for (i = V.Count; i <= count - V.Count; i += V.Count)
            {
                var x = V.Load(values + i);
                lanes = largest ? V.Max(lanes, x) : V.Min(lanes, x);
            }

            for (var lane = 0; lane < V.Count; lane++)
            {
                var x = Unsafe.Add(ref Unsafe.As<V, T>(ref lanes), lane);
                best = largest ? T.Max(best, x) : T.Min(best, x);
            }
        }

        for (; i < count; i++)
        {
            best = largest ? T.Max(best, values[i]) : T.Min(best, values[i]);
        }

        return best;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private protected override T LargestMagnitudeOf(T* values, nint count)
    {
        V even = V.Zero, odd = V.Zero;
        nint i = 0;
        for (; i <= count - (2 * V.Count); i += 2 * V.Count)
        {
            even = V.Max(even, V.Abs(V.Load(values + i)));
            odd = V.Max(odd, V.Abs(V.Load(values + i + V.Count)));
        }

        even = V.Max(even, odd);
        var largest = T.Zero;
        for (var lane = 0; lane < V.Count; lane++)
        {
            largest = T.Max(largest, Unsafe.Add(ref Unsafe.As<V, T>(ref even), lane));
        }

        for (; i < count; i++)
        {
            largest = T.Max(largest, T.Abs(values[i]));
        }

        return largest;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private protected override void ClampInPlace(T* values, T minimum, T maximum, nint count)
    {
        nint i = 0;
        for (; i <= count - V.Count; i += V.Count)
        {
            V.Min(V.Max(V.Load(values + i), V.Broadcast(minimum)), V.Broadcast(maximum)).Store(values + i);
        }

        for (; i < count; i++)
        {
            values[i] = T.Min(T.Max(values[i], minimum), maximum);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private protected override void RowTimesMatrixInto(T* a, T* b, T* c, nint n, nint k, bool accumulate)
    {
        // Four vectors of columns at a time stay in registers while the rows of B pass by.
        nint j = 0;
        for (; j <= n - (4 * V.Count); j += 4 * V.Count)
        {
            V s0 = V.Zero, s1 = V.Zero, s2 = V.Zero, s3 = V.Zero;
            var from = b + j;
            for (nint p = 0; p < k; p++, from += n)
            {
                var factor = V.Broadcast(a[p]);
                s0 = V.MultiplyAdd(V.Load(from), factor, s0);
                s1 = V.MultiplyAdd(V.Load(from + V.Count), factor, s1);
                s2 = V.MultiplyAdd(V.Load(from + (2 * V.Count)), factor, s2);
                s3 = V.MultiplyAdd(V.Load(from + (3 * V.Count)), factor, s3);
            }

            Put(s0, c + j, accumulate);
            Put(s1, c + j + V.Count, accumulate);
            Put(s2, c + j + (2 * V.Count), accumulate);
            Put(s3, c + j + (3 * V.Count), accumulate);
        }

        for (; j < n; j += V.Count)
        {
            var width = (int)Math.Min(n - j, V.Count);
            var sum = V.Zero;
            var from = b + j;
            for (nint p = 0; p < k; p++, from += n)
            {
                sum = V.MultiplyAdd(width == V.Count ? V.Load(from) : V.LoadPartial(from, width), V.Broadcast(a[p]), sum);
            }

            if (width == V.Count)
            {
                Put(sum, c + j, accumulate);
            }
            else
            {
                (accumulate ? V.LoadPartial(c + j, width) + sum : sum).StorePartial(c + j, width);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private protected override void RowTimesTransposedInto(T* a, T* b, T* c, nint n, nint k, bool accumulate)
    {
        // Four rows of B at a time share what is read of a.
        nint j = 0;
        for (; j <= n - 4; j += 4)
        {
            var b0 = j * k;
            var b1 = b0 + k;
            var b2 = b1 + k;
            var b3 = b2 + k;
            V s0 = V.Zero, s1 = V.Zero, s2 = V.Zero, s3 = V.Zero;
            nint p = 0;
            for (; p <= k - V.Count; p += V.Count)
            {
                var x = V.Load(a + p);
                s0 = V.MultiplyAdd(x, V.Load(b + b0 + p), s0);
                s1 = V.MultiplyAdd(x, V.Load(b + b1 + p), s1);
                s2 = V.MultiplyAdd(x, V.Load(b + b2 + p), s2);
                s3 = V.MultiplyAdd(x, V.Load(b + b3 + p), s3);
            }

            if (p < k)
            {
                var rest = (int)(k - p);
                var x = V.LoadPartial(a + p, rest);
                s0 = V.MultiplyAdd(x, V.LoadPartial(b + b0 + p, rest), s0);
                s1 = V.MultiplyAdd(x, V.LoadPartial(b + b1 + p, rest), s1);
                s2 = V.MultiplyAdd(x, V.LoadPartial(b + b2 + p, rest), s2);
                s3 = V.MultiplyAdd(x, V.LoadPartial(b + b3 + p, rest), s3);
            }

            Put(V.Sum(s0), c + j, accumulate);
            Put(V.Sum(s1), c + j + 1, accumulate);
            Put(V.Sum(s2), c + j + 2, accumulate);
            Put(V.Sum(s3), c + j + 3, accumulate);
        }

        for (; j < n; j++)
        {
            Put(DotOf(a, b + (j * k), k), c + j, accumulate);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(T sum, T* c, bool accumulate) => *c = accumulate ? *c + sum : sum;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(V sum, T* c, bool accumulate) => (accumulate ? V.Load(c) + sum : sum).Store(c);
}
