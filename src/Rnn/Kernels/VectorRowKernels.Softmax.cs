using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

internal sealed unsafe partial class VectorRowKernels<V, T>
{
    /// <inheritdoc/>
    public override void Softmax(Rows<T> x, Rows<T> y, int rows, int columns)
    {
        for (var row = 0; row < rows; row++)
        {
            var sum = Exponentials(x[row], y[row], columns, Largest(x[row], columns));
            Affine(y[row], y[row], columns, T.One / sum, T.Zero);
        }
    }

    /// <inheritdoc/>
    public override void LogSoftmax(Rows<T> x, Rows<T> y, int rows, int columns)
    {
        for (var row = 0; row < rows; row++)
        {
            // x − (largest + log Σ) in two steps: the logarithm must not drown in a large x.
            var largest = Largest(x[row], columns);
            var logarithm = T.Log(Exponentials(x[row], null, columns, largest));
            Subtract(x[row], y[row], columns, largest, logarithm);
        }
    }

    /// <inheritdoc/>
    public override void SoftmaxBackward(Rows<T> y, Rows<T> dy, Rows<T> dx, int rows, int columns, bool accumulate)
    {
        for (var row = 0; row < rows; row++)
        {
            var sum = WeightedSum(dy[row], y[row], columns, T.Zero);
            SoftmaxBackward(y[row], dy[row], dx[row], columns, sum, accumulate);
        }
    }

    /// <inheritdoc/>
    public override void LogSoftmaxBackward(Rows<T> y, Rows<T> dy, Rows<T> dx, int rows, int columns, bool accumulate)
    {
        for (var row = 0; row < rows; row++)
        {
            var sum = WeightedSum(dy[row], null, columns, T.Zero);
            LogSoftmaxBackward(y[row], dy[row], dx[row], columns, sum, accumulate);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Subtract(T* x, T* y, int count, T first, T second)
    {
        var f = V.Broadcast(first);
        var s = V.Broadcast(second);
        var i = 0;
        for (; i <= count - V.Count; i += V.Count)
        {
            (V.Load(x + i) - f - s).Store(y + i);
        }

        if (i < count)
        {
            (V.LoadPartial(x + i, count - i) - f - s).StorePartial(y + i, count - i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void SoftmaxBackward(T* y, T* dy, T* dx, int count, T sum, bool accumulate)
    {
        var s = V.Broadcast(sum);
        var i = 0;
        for (; i <= count - V.Count; i += V.Count)
        {
            var before = accumulate ? V.Load(dx + i) : V.Zero;
            V.MultiplyAdd(V.Load(y + i), V.Load(dy + i) - s, before).Store(dx + i);
        }

        if (i < count)
        {
            var rest = count - i;
            var before = accumulate ? V.LoadPartial(dx + i, rest) : V.Zero;
            V.MultiplyAdd(V.LoadPartial(y + i, rest), V.LoadPartial(dy + i, rest) - s, before).StorePartial(dx + i, rest);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void LogSoftmaxBackward(T* y, T* dy, T* dx, int count, T sum, bool accumulate)
    {
        var minus = V.Broadcast(-sum);
        var i = 0;
        for (; i <= count - V.Count; i += V.Count)
        {
            var gradient = V.MultiplyAdd(V.Exp(V.Load(y + i)), minus, V.Load(dy + i));
            (accumulate ? gradient + V.Load(dx + i) : gradient).Store(dx + i);
        }

        if (i < count)
        {
            var rest = count - i;
            var gradient = V.MultiplyAdd(V.Exp(V.LoadPartial(y + i, rest)), minus, V.LoadPartial(dy + i, rest));
            (accumulate ? gradient + V.LoadPartial(dx + i, rest) : gradient).StorePartial(dx + i, rest);
        }
    }
}
