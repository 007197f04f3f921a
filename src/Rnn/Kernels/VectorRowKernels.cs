using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary><see cref="RowKernels{T}"/> over one vector type. Here: the loops that several functions share.</summary>
internal sealed unsafe partial class VectorRowKernels<V, T> : RowKernels<T>
    where V : struct, IVector<V, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Elements that are summed lane by lane before their sum joins the total: long rows lose no more digits than short ones.</summary>
    private const int Chunk = 1024;

    /// <summary>The largest element; a NaN may be passed over, the sum of exponentials finds it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static T Largest(T* x, int count)
    {
        if (count < V.Count)
        {
            var few = V.Select(V.FirstLanes(count), V.LoadPartial(x, count), V.Constant(double.NegativeInfinity));
            return V.LargestLane(few);
        }

        // The last vector overlaps the one before where the row does not end with a whole one.
        var last = count - V.Count;
        var m0 = V.Load(x + last);
        var m1 = m0;
        var m2 = m0;
        var m3 = m0;
        var i = 0;
        for (; i + (3 * V.Count) < last; i += 4 * V.Count)
        {
            m0 = V.MaxNative(m0, V.Load(x + i));
            m1 = V.MaxNative(m1, V.Load(x + i + V.Count));
            m2 = V.MaxNative(m2, V.Load(x + i + (2 * V.Count)));
            m3 = V.MaxNative(m3, V.Load(x + i + (3 * V.Count)));
        }

        for (; i < last; i += V.Count)
        {
            m0 = V.MaxNative(m0, V.Load(x + i));
        }

        return V.LargestLane(V.MaxNative(V.MaxNative(m0, m1), V.MaxNative(m2, m3)));
    }

    /// <summary>y = e^(x − shift) where y is not null; returns Σ e^(x − shift).</summary>
    private static T Exponentials(T* x, T* y, int count, T shift)
    {
        var total = ExponentialsOfChunk(x, y, Math.Min(count, Chunk), shift);
        for (var start = Chunk; start < count; start += Chunk)
        {
            total += ExponentialsOfChunk(x + start, y == null ? null : y + start, Math.Min(count - start, Chunk), shift);
        }

        return total;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static T ExponentialsOfChunk(T* x, T* y, int count, T shift)
    {
        var minus = V.Broadcast(-shift);
        var sum = V.Zero;
        var i = 0;
        for (; i <= count - V.Count; i += V.Count)
        {
            var e = V.Exp(V.Load(x + i) + minus);
            sum += e;
            if (y != null)
            {
                e.Store(y + i);
            }
        }

        if (i < count)
        {
            var e = V.Exp(V.LoadPartial(x + i, count - i) + minus);
            sum += V.Select(V.FirstLanes(count - i), e, V.Zero);
            if (y != null)
            {
                e.StorePartial(y + i, count - i);
            }
        }

        return V.Sum(sum);
    }

    /// <summary>y = x·factor + offset.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Affine(T* x, T* y, int count, T factor, T offset)
    {
        var f = V.Broadcast(factor);
        var o = V.Broadcast(offset);
        var i = 0;
        for (; i <= count - V.Count; i += V.Count)
        {
            V.MultiplyAdd(V.Load(x + i), f, o).Store(y + i);
        }

        if (i < count)
        {
            V.MultiplyAdd(V.LoadPartial(x + i, count - i), f, o).StorePartial(y + i, count - i);
        }
    }

    /// <summary>Σ w⊙(x − shift), with w = 1 where it is null.</summary>
    private static T WeightedSum(T* x, T* w, int count, T shift)
    {
        var total = WeightedSumOfChunk(x, w, Math.Min(count, Chunk), shift);
        for (var start = Chunk; start < count; start += Chunk)
        {
            total += WeightedSumOfChunk(x + start, w == null ? null : w + start, Math.Min(count - start, Chunk), shift);
        }

        return total;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static T WeightedSumOfChunk(T* x, T* w, int count, T shift)
    {
        var s = V.Broadcast(shift);
        var sum = V.Zero;
        var i = 0;
        for (; i <= count - V.Count; i += V.Count)
        {
            var difference = V.Load(x + i) - s;
            sum = w == null ? sum + difference : V.MultiplyAdd(V.Load(w + i), difference, sum);
        }

        if (i < count)
        {
            var difference = V.Select(V.FirstLanes(count - i), V.LoadPartial(x + i, count - i) - s, V.Zero);
            sum = w == null ? sum + difference : V.MultiplyAdd(V.LoadPartial(w + i, count - i), difference, sum);
        }

        return V.Sum(sum);
    }
}
