using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>Sums over the rows of matrices, column by column: the gradients of biases, of per-unit weights and of gains.</summary>
/// <remarks>Every column is one chain in ascending order of the rows, so work may be split over columns in any way.</remarks>
internal abstract unsafe class ColumnKernels<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The kernels for the vector width in use.</summary>
    internal static ColumnKernels<T> Current { get; } = For(Simd.VectorBits);

    /// <summary>The kernels for a given vector width (0, 128, 256 or 512 bits).</summary>
    internal static ColumnKernels<T> For(int vectorBits) => Simd.Run<T, Factory, ColumnKernels<T>>(default, vectorBits);

    /// <summary>sums[j] += Σᵣ a[r, j], for the columns from <paramref name="firstColumn"/> up to <paramref name="endColumn"/>.</summary>
    internal abstract void AddSums(Rows<T> a, int rows, T* sums, int firstColumn, int endColumn);

    /// <summary>sums[j] += Σᵣ a[r, j] b[r, j], for the columns from <paramref name="firstColumn"/> up to <paramref name="endColumn"/>.</summary>
    internal abstract void AddProducts(Rows<T> a, Rows<T> b, int rows, T* sums, int firstColumn, int endColumn);

    private readonly struct Factory : IVectorFunction<T, ColumnKernels<T>>
    {
        public ColumnKernels<T> Invoke<V>()
            where V : struct, IVector<V, T> => new ColumnKernels<V, T>();
    }
}

/// <inheritdoc/>
internal sealed unsafe class ColumnKernels<V, T> : ColumnKernels<T>
    where V : struct, IVector<V, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>What one row adds to a vector of sums.</summary>
    private interface ITerm
    {
        static abstract bool ReadsTwo { get; }
    }

    internal override void AddSums(Rows<T> a, int rows, T* sums, int firstColumn, int endColumn) =>
        Add<ValueTerm>(a, a, rows, sums, firstColumn, endColumn);

    internal override void AddProducts(Rows<T> a, Rows<T> b, int rows, T* sums, int firstColumn, int endColumn) =>
        Add<ProductTerm>(a, b, rows, sums, firstColumn, endColumn);

    private static void Add<TTerm>(Rows<T> a, Rows<T> b, int rows, T* sums, int firstColumn, int endColumn)
        where TTerm : struct, ITerm
    {
        var column = firstColumn;
        for (; column + (4 * V.Count) <= endColumn; column += 4 * V.Count)
        {
            AddFour<TTerm>(a.SkipColumns(column), b.SkipColumns(column), rows, sums + column);
        }

        for (; column + V.Count <= endColumn; column += V.Count)
        {
            AddOne<TTerm>(a.SkipColumns(column), b.SkipColumns(column), rows, sums + column);
        }

        if (column < endColumn)
        {
            AddPartial<TTerm>(a.SkipColumns(column), b.SkipColumns(column), rows, sums + column, endColumn - column);
        }
    }

    // Four sums at once hide the latency of the additions.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void AddFour<TTerm>(Rows<T> a, Rows<T> b, int rows, T* sums)
        where TTerm : struct, ITerm
    {
        var sum0 = V.Load(sums);
        var sum1 = V.Load(sums + V.Count);
        var sum2 = V.Load(sums + (2 * V.Count));
        var sum3 = V.Load(sums + (3 * V.Count));
        for (var row = 0; row < rows; row++)
        {
            var x = a[row];
            var y = TTerm.ReadsTwo ? b[row] : x;
            sum0 = Next<TTerm>(sum0, x, y);
            sum1 = Next<TTerm>(sum1, x + V.Count, y + V.Count);
            sum2 = Next<TTerm>(sum2, x + (2 * V.Count), y + (2 * V.Count));
            sum3 = Next<TTerm>(sum3, x + (3 * V.Count), y + (3 * V.Count));
        }

        sum0.Store(sums);
        sum1.Store(sums + V.Count);
        sum2.Store(sums + (2 * V.Count));
        sum3.Store(sums + (3 * V.Count));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void AddOne<TTerm>(Rows<T> a, Rows<T> b, int rows, T* sums)
        where TTerm : struct, ITerm
    {
        var sum = V.Load(sums);
        for (var row = 0; row < rows; row++)
        {
            sum = Next<TTerm>(sum, a[row], b[row]);
        }

        sum.Store(sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void AddPartial<TTerm>(Rows<T> a, Rows<T> b, int rows, T* sums, int columns)
        where TTerm : struct, ITerm
    {
        var sum = V.LoadPartial(sums, columns);
        for (var row = 0; row < rows; row++)
        {
            var x = V.LoadPartial(a[row], columns);
            sum = TTerm.ReadsTwo ? V.MultiplyAdd(x, V.LoadPartial(b[row], columns), sum) : sum + x;
        }

        sum.StorePartial(sums, columns);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Next<TTerm>(V sum, T* x, T* y)
        where TTerm : struct, ITerm => TTerm.ReadsTwo ? V.MultiplyAdd(V.Load(x), V.Load(y), sum) : sum + V.Load(x);

    private readonly struct ValueTerm : ITerm
    {
        public static bool ReadsTwo => false;
    }

    private readonly struct ProductTerm : ITerm
    {
        public static bool ReadsTwo => true;
    }
}
