using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Training;

/// <summary>What cross-entropy computes over one row of logits, with the vectors of the width in use.</summary>
internal abstract unsafe class SoftmaxKernel<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal static readonly SoftmaxKernel<T> Instance = ForWidth(Simd.VectorBits);

    internal static SoftmaxKernel<T> ForWidth(int vectorBits) => Simd.Create<T, Factory, SoftmaxKernel<T>>(default, vectorBits);

    /// <summary>The largest logit, and Σ e^(x − largest).</summary>
    internal abstract (T Largest, T Sum) Statistics(T* x, int count);

    /// <summary>Σ w·(largest − x); without weights all are 1.</summary>
    internal abstract double WeightedDistance(T* x, T* weights, T largest, int count);

    /// <summary>g = factor·e^(x − largest) − share·w, written where fresh, else added; without weights all are 1.</summary>
    internal abstract void Gradient(T* x, T* weights, T largest, T factor, T share, T* gradient, int count, bool fresh);

    private readonly struct Factory : IVectorFactory<T, SoftmaxKernel<T>>
    {
        public SoftmaxKernel<T> Create<V>()
            where V : struct, IVector<V, T> => new Kernel<V>();
    }

    private sealed class Kernel<V> : SoftmaxKernel<T>
        where V : struct, IVector<V, T>
    {
        // Zeros, then −∞: read from the right place it adds −∞ to the lanes behind the end of a row, whose exponential is nothing.
        private readonly AlignedArray<T> _padding = new(2 * V.Count);

        internal Kernel() => _padding.Slice(V.Count, V.Count).Fill(T.NegativeInfinity);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        internal override (T Largest, T Sum) Statistics(T* x, int count)
        {
            var (whole, rest) = (count - (count % V.Count), count % V.Count);
            var padding = V.Load(_padding.Pointer + V.Count - rest);
            var tail = rest > 0 ? V.LoadPartial(x + whole, rest) + padding : padding;

            var (max0, max1) = (rest > 0 ? tail : V.Broadcast(T.NegativeInfinity), V.Broadcast(T.NegativeInfinity));
            var i = 0;
            for (; i <= whole - (2 * V.Count); i += 2 * V.Count)
            {
                max0 = V.MaxNative(max0, V.Load(x + i));
                max1 = V.MaxNative(max1, V.Load(x + i + V.Count));
            }

            if (i < whole)
            {
                max0 = V.MaxNative(max0, V.Load(x + i));
            }

            var largest = MaxOf(V.MaxNative(max0, max1));
            var center = V.Broadcast(largest);
            var (sum0, sum1) = (rest > 0 ? V.Exp(tail - center) : V.Zero, V.Zero);
            for (i = 0; i <= whole - (2 * V.Count); i += 2 * V.Count)
            {
                sum0 += V.Exp(V.Load(x + i) - center);
                sum1 += V.Exp(V.Load(x + i + V.Count) - center);
            }

            if (i < whole)
            {
                sum0 += V.Exp(V.Load(x + i) - center);
            }

            return (largest, V.Sum(sum0 + sum1));
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        internal override double WeightedDistance(T* x, T* weights, T largest, int count)
        {
            var (sum, center, i) = (V.Zero, V.Broadcast(largest), 0);
            for (; i <= count - V.Count; i += V.Count)
            {
                sum = V.MultiplyAdd(weights == null ? V.One : V.Load(weights + i), center - V.Load(x + i), sum);
            }

            var total = double.CreateTruncating(V.Sum(sum));
            for (; i < count; i++)
            {
                total += double.CreateTruncating((weights == null ? T.One : weights[i]) * (largest - x[i]));
            }

            return total;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        internal override void Gradient(T* x, T* weights, T largest, T factor, T share, T* gradient, int count, bool fresh)
        {
            var (center, scale, minusShare, i) = (V.Broadcast(largest), V.Broadcast(factor), V.Broadcast(-share), 0);
            for (; i <= count - V.Count; i += V.Count)
            {
                var offset = weights == null ? minusShare : minusShare * V.Load(weights + i);
                offset = fresh ? offset : offset + V.Load(gradient + i);
                V.MultiplyAdd(scale, V.Exp(V.Load(x + i) - center), offset).Store(gradient + i);
            }

            if (i < count)
            {
                var rest = count - i;
                var offset = weights == null ? minusShare : minusShare * V.LoadPartial(weights + i, rest);
                offset = fresh ? offset : offset + V.LoadPartial(gradient + i, rest);
                V.MultiplyAdd(scale, V.Exp(V.LoadPartial(x + i, rest) - center), offset).StorePartial(gradient + i, rest);
            }
        }

        private static T MaxOf(V vector)
        {
            var lanes = stackalloc T[64];
            vector.Store(lanes);
            var largest = lanes[0];
            for (var i = 1; i < V.Count; i++)
            {
                largest = T.MaxNative(largest, lanes[i]);
            }

            return largest;
        }
    }
}
