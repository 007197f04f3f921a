using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <content>Column sums: bias gradients.</content>
internal sealed unsafe partial class PanelKernels<TSimd, TVector, T>
    where TSimd : struct, ITileRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <inheritdoc/>
    public override void ColumnSums(Rows<T> a, int count, T* sums, int firstColumn, int endColumn)
    {
        var column = firstColumn;
        for (; column + (4 * TSimd.Count) <= endColumn; column += 4 * TSimd.Count)
        {
            Sum<N4>(a.SkipColumns(column), count, sums + column);
        }

        for (; column + TSimd.Count <= endColumn; column += TSimd.Count)
        {
            Sum<N1>(a.SkipColumns(column), count, sums + column);
        }

        if (column < endColumn)
        {
            SumPartial(a.SkipColumns(column), count, sums + column, endColumn - column);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Sum<TVectors>(Rows<T> a, int count, T* sums)
        where TVectors : struct, ICount
    {
        var s0 = TSimd.Load(sums);
        var s1 = TVectors.Value > 1 ? TSimd.Load(sums + TSimd.Count) : default;
        var s2 = TVectors.Value > 2 ? TSimd.Load(sums + (2 * TSimd.Count)) : default;
        var s3 = TVectors.Value > 3 ? TSimd.Load(sums + (3 * TSimd.Count)) : default;
        for (var r = 0; r < count; r++)
        {
            var row = a[r];
            s0 = TSimd.Add(s0, TSimd.Load(row));
            s1 = TVectors.Value > 1 ? TSimd.Add(s1, TSimd.Load(row + TSimd.Count)) : default;
            s2 = TVectors.Value > 2 ? TSimd.Add(s2, TSimd.Load(row + (2 * TSimd.Count))) : default;
            s3 = TVectors.Value > 3 ? TSimd.Add(s3, TSimd.Load(row + (3 * TSimd.Count))) : default;
        }

        TSimd.Store(s0, sums);
        if (TVectors.Value > 1)
        {
            TSimd.Store(s1, sums + TSimd.Count);
        }

        if (TVectors.Value > 2)
        {
            TSimd.Store(s2, sums + (2 * TSimd.Count));
        }

        if (TVectors.Value > 3)
        {
            TSimd.Store(s3, sums + (3 * TSimd.Count));
        }
    }

    private static void SumPartial(Rows<T> a, int count, T* sums, int columns)
    {
        for (var r = 0; r < count; r++)
        {
            var row = a[r];
            for (var j = 0; j < columns; j++)
            {
                sums[j] += row[j];
            }
        }
    }
}
