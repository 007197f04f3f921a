using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

internal sealed unsafe partial class VectorRowKernels<V, T>
{
    /// <inheritdoc/>
    public override void CrossEntropy(
        Rows<T> logits, int* targets, int rows, int columns, in CrossEntropyOptions<T> options, T* losses, Rows<T> gradient, T scale)
    {
        // The target distribution of a row is q = (1 − ε)·[j = target] + ε/C, its loss −Σ wⱼ qⱼ log pⱼ, the gradient p·Σ w q − w⊙q.
        var weights = options.ClassWeights;
        var even = options.Smoothing / T.CreateTruncating(columns);
        var smooths = even != T.Zero;
        var allWeights = !smooths ? T.Zero : weights == null ? T.CreateTruncating(columns) : WeightedSum(weights, null, columns, T.Zero);
        for (var row = 0; row < rows; row++)
        {
            var target = targets[row];
            var g = Row(gradient, row);
            if (target == options.Ignored)
            {
                losses[row] = T.Zero;
                if (g != null)
                {
                    new Span<T>(g, columns).Clear();
                }

                continue;
            }

            if ((uint)target >= (uint)columns)
            {
                ThrowNoClass(targets, row, columns, options.Ignored);
            }

            // All logarithms are taken relative to the largest logit; what is read of the row is read before the gradient may overwrite it.
            var x = logits[row];
            var largest = Largest(x, columns);
            var onTarget = (weights == null ? T.One : weights[target]) * (T.One - options.Smoothing);
            var targetLogit = x[target] - largest;
            var smoothed = smooths ? WeightedSum(x, weights, columns, largest) : T.Zero;
            var sum = Exponentials(x, g, columns, largest);
            var logarithm = T.Log(sum);
            losses[row] = (onTarget * (logarithm - targetLogit)) + (even * ((allWeights * logarithm) - smoothed));
            if (g == null)
            {
                continue;
            }

            var factor = scale * (onTarget + (even * allWeights)) / sum;
            if (smooths && weights != null)
            {
                MinusWeights(g, weights, columns, factor, -(even * scale));
            }
            else
            {
                Affine(g, g, columns, factor, -(even * scale));
            }

            g[target] -= scale * onTarget;
        }
    }

    // g = g·factor + w·offset
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void MinusWeights(T* g, T* w, int count, T factor, T offset)
    {
        var f = V.Broadcast(factor);
        var o = V.Broadcast(offset);
        var i = 0;
        for (; i <= count - V.Count; i += V.Count)
        {
            V.MultiplyAdd(V.Load(g + i), f, V.Load(w + i) * o).Store(g + i);
        }

        if (i < count)
        {
            var rest = count - i;
            V.MultiplyAdd(V.LoadPartial(g + i, rest), f, V.LoadPartial(w + i, rest) * o).StorePartial(g + i, rest);
        }
    }

    private static void ThrowNoClass(int* targets, int row, int columns, int ignored) => throw new ArgumentException(
        $"targets: expected classes from 0 to {columns - 1}, or {ignored} for rows to ignore, but row {row} has {targets[row]}.", nameof(targets));
}
