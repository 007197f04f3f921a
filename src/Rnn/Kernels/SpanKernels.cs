using System.Numerics;

namespace Rnn.Kernels;

/// <summary>
/// The plain loops over spans that operations share: sums, products, extremes, each once for every vector width. Compiled at once to
/// full speed, unlike library loops that warm up, and called with as little as a row of a few numbers: hence loops of their own and no bodies of
/// <see cref="Elementwise{T, TBody}"/>, whose call costs some nanoseconds more.
/// </summary>
internal abstract unsafe class SpanKernels<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private static readonly SpanKernels<T> Current = Simd.Run<T, Factory, SpanKernels<T>>(default);

    /// <summary>sums += source.</summary>
    internal static void Add(ReadOnlySpan<T> source, Span<T> sums)
    {
        fixed (T* from = source)
        fixed (T* to = sums[..source.Length])
        {
            Current.AddTo(from, to, source.Length);
        }
    }

    /// <summary>target = source where it is overwritten, else target += source.</summary>
    internal static void AddOrCopy(ReadOnlySpan<T> source, Span<T> target, bool overwrite)
    {
        if (overwrite)
        {
            source.CopyTo(target);
        }
        else
        {
            Add(source, target);
        }
    }

    /// <summary>sums += source·factor.</summary>
    internal static void AddScaled(ReadOnlySpan<T> source, T factor, Span<T> sums)
    {
        fixed (T* from = source)
        fixed (T* to = sums[..source.Length])
        {
            Current.AddScaledTo(from, factor, to, source.Length);
        }
    }

    /// <summary>target = source·factor; both may be the same.</summary>
    internal static void Scale(ReadOnlySpan<T> source, T factor, Span<T> target)
    {
        fixed (T* from = source)
        fixed (T* to = target[..source.Length])
        {
            Current.ScaleInto(from, factor, to, source.Length);
        }
    }

    /// <summary>sums += value.</summary>
    internal static void AddConstant(T value, Span<T> sums)
    {
        fixed (T* to = sums)
        {
            Current.AddConstantTo(value, to, sums.Length);
        }
    }

    /// <summary>target = a⊙b.</summary>
    internal static void Multiply(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> target)
    {
        fixed (T* left = a)
        fixed (T* right = b[..a.Length])
        fixed (T* to = target[..a.Length])
        {
            Current.MultiplyInto(left, right, to, a.Length);
        }
    }

    /// <summary>sums += a⊙b.</summary>
    internal static void AddProduct(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> sums)
    {
        fixed (T* left = a)
        fixed (T* right = b[..a.Length])
        fixed (T* to = sums[..a.Length])
        {
            Current.AddProductTo(left, right, to, a.Length);
        }
    }

    /// <summary>The sum of all elements; long spans lose no more digits than short ones.</summary>
    internal static T Sum(ReadOnlySpan<T> values)
    {
        fixed (T* from = values)
        {
            return Current.SumOf(from, values.Length);
        }
    }

    /// <summary>Σ a⊙b.</summary>
    internal static T Dot(ReadOnlySpan<T> a, ReadOnlySpan<T> b)
    {
        fixed (T* left = a)
        fixed (T* right = b[..a.Length])
        {
            return Current.DotOf(left, right, a.Length);
        }
    }

    /// <summary>best = the larger of best and source (or the smaller), NaN where either is NaN.</summary>
    internal static void Extreme(ReadOnlySpan<T> source, Span<T> best, bool largest)
    {
        fixed (T* from = source)
        fixed (T* to = best[..source.Length])
        {
            Current.ExtremeInto(from, to, source.Length, largest);
        }
    }

    /// <summary>The largest (or smallest) element, NaN if any is NaN.</summary>
    internal static T Extreme(ReadOnlySpan<T> values, bool largest)
    {
        fixed (T* from = values)
        {
            return Current.ExtremeOf(from, values.Length, largest);
        }
    }

    /// <summary>The largest absolute value, NaN if any is NaN, 0 of none.</summary>
    internal static T LargestMagnitude(ReadOnlySpan<T> values)
    {
        fixed (T* from = values)
        {
            return Current.LargestMagnitudeOf(from, values.Length);
        }
    }

    /// <summary>Brings every element into a range; NaN stays.</summary>
    internal static void Clamp(Span<T> values, T minimum, T maximum)
    {
        fixed (T* all = values)
        {
            Current.ClampInPlace(all, minimum, maximum, values.Length);
        }
    }

    /// <summary>c (+)= a·B for one row a [k] and B [k, n].</summary>
    internal static void RowTimesMatrix(T* a, T* b, T* c, int n, int k, bool accumulate) => Current.RowTimesMatrixInto(a, b, c, n, k, accumulate);

    /// <summary>c (+)= a·Bᵀ for one row a [k] and B [n, k].</summary>
    internal static void RowTimesTransposed(T* a, T* b, T* c, int n, int k, bool accumulate) => Current.RowTimesTransposedInto(a, b, c, n, k, accumulate);

    private protected abstract void AddTo(T* source, T* sums, nint count);

    private protected abstract void AddScaledTo(T* source, T factor, T* sums, nint count);

    private protected abstract void ScaleInto(T* source, T factor, T* target, nint count);

    private protected abstract void AddConstantTo(T value, T* sums, nint count);

    private protected abstract void MultiplyInto(T* a, T* b, T* target, nint count);

    private protected abstract void AddProductTo(T* a, T* b, T* sums, nint count);

    private protected abstract T SumOf(T* values, nint count);

    private protected abstract T DotOf(T* a, T* b, nint count);

    private protected abstract void ExtremeInto(T* source, T* best, nint count, bool largest);

    private protected abstract T ExtremeOf(T* values, nint count, bool largest);

    private protected abstract T LargestMagnitudeOf(T* values, nint count);

    private protected abstract void ClampInPlace(T* values, T minimum, T maximum, nint count);

    private protected abstract void RowTimesMatrixInto(T* a, T* b, T* c, nint n, nint k, bool accumulate);

    private protected abstract void RowTimesTransposedInto(T* a, T* b, T* c, nint n, nint k, bool accumulate);

    private readonly struct Factory : IVectorFunction<T, SpanKernels<T>>
    {
        public SpanKernels<T> Invoke<V>()
            where V : struct, IVector<V, T> => new VectorSpanKernels<V, T>();
    }
}
