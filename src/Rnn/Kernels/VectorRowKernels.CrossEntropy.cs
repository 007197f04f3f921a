using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

internal sealed unsafe partial class VectorRowKernels<V, T>
{
    /// <inheritdoc/>
    public override (T Largest, T Sum) SoftmaxStatistics(T* x, int columns, T* exponentials)
    {
        var largest = Largest(x, columns);
        return (largest, Exponentials(x, exponentials, columns, largest));
    }

    /// <inheritdoc/>
    public override T WeightedSum(T* x, T* weights, T shift, int columns) => WeightedSum(x, weights, columns, shift);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public override void SoftmaxGradient(T* x, T* weights, T largest, T factor, T share, T* gradient, int columns, bool accumulate)
    {
        var center = V.Broadcast(largest);
        var scale = V.Broadcast(factor);
        var minusShare = V.Broadcast(-share);
        var i = 0;
        for (; i <= columns - V.Count; i += V.Count)
        {
            var offset = weights == null ? minusShare : minusShare * V.Load(weights + i);
            offset = accumulate ? offset + V.Load(gradient + i) : offset;
            V.MultiplyAdd(scale, V.Exp(V.Load(x + i) - center), offset).Store(gradient + i);
        }

        if (i < columns)
        {
            var rest = columns - i;
            var offset = weights == null ? minusShare : minusShare * V.LoadPartial(weights + i, rest);
            offset = accumulate ? offset + V.LoadPartial(gradient + i, rest) : offset;
            V.MultiplyAdd(scale, V.Exp(V.LoadPartial(x + i, rest) - center), offset).StorePartial(gradient + i, rest);
        }
    }
}
