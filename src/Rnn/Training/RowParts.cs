using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>Cuts batches by rows into parts of neighbouring rows, whose sizes differ by one at most; the last ones are empty where there are fewer rows than parts.</summary>
internal static class RowParts
{
    /// <summary>The first row of a part, and how many it has.</summary>
    internal static (int Start, int Count) Of(int rows, int part, int parts)
    {
        var (least, more) = Math.DivRem(rows, parts);
        return ((part * least) + Math.Min(part, more), least + (part < more ? 1 : 0));
    }

    /// <summary>The rows of a batch where the library knows them: of its own batches, of tensors, and of tuples that begin with one of them; else 1.</summary>
    internal static int RowsOf<T>(object? batch)
        where T : unmanaged, IFloatingPointIeee754<T> => batch switch
        {
            IRowBatch rows => rows.Rows,
            Tensor<T> tensor => tensor.Rank > 0 ? tensor.Shape[0] : 1,
            ITuple { Length: > 0 } tuple => RowsOf<T>(tuple[0]),
            _ => 1,
        };

    /// <summary>Some rows of a batch: of one that can cut itself, of a tensor [N, …], or of a value tuple of these and of arrays [N] or [N, …].</summary>
    /// <exception cref="InvalidOperationException">The batch is nothing of these.</exception>
    internal static TBatch Take<T, TBatch>(TBatch batch, int start, int count)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (batch is IRowBatch<TBatch> rows)
        {
            return rows.TakeRows(start, count);
        }

        if (batch is ITuple tuple && typeof(TBatch).IsValueType && Unsafe.SizeOf<TBatch>() == tuple.Length * Unsafe.SizeOf<object>())
        {
            return TakeTuple<T, TBatch>(batch, tuple, start, count);
        }

        return batch is not null && Cut<T>(batch, RowsOf<T>(batch), start, count) is TBatch part ? part : throw Refuse(batch);
    }

    // A value tuple of references is as many references one behind the other; that they are those of its items is looked at.
    private static TBatch TakeTuple<T, TBatch>(TBatch batch, ITuple items, int start, int count)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (part, rows) = (batch, RowsOf<T>(items));
        for (var i = 0; i < items.Length; i++)
        {
            if (items[i] is not { } item)
            {
                continue;
            }

            var cut = item.GetType().IsValueType ? null : Cut<T>(item, rows, start, count);
            ref var place = ref Unsafe.Add(ref Unsafe.As<TBatch, object?>(ref part), i);
            if (cut is null || cut.GetType() != item.GetType() || !ReferenceEquals(place, item))
            {
                throw Refuse(batch);
            }

            place = cut;
        }

        return part;
    }

    private static object? Cut<T>(object item, int rows, int start, int count)
        where T : unmanaged, IFloatingPointIeee754<T> => item switch
        {
            IRowBatch<object> batch when batch.Rows == rows => batch.TakeRows(start, count),
            Tensor<T> { Rank: > 0 } tensor when tensor.Shape[0] == rows => tensor.Slice(0, start..(start + count)),
            int[] values => Rows(values, rows, start, count),
            bool[] values => Rows(values, rows, start, count),
            T[] values => Rows(values, rows, start, count),
            string[] values => Rows(values, rows, start, count),
            int[][] values => Rows(values, rows, start, count),
            Tensor<T>[] values => Rows(values, rows, start, count),
            _ => null,
        };

    // Of an array [N] or, row by row, [N, …].
    private static TValue[]? Rows<TValue>(TValue[] values, int rows, int start, int count)
    {
        var width = values.Length / rows;
        return width * rows == values.Length ? values.AsSpan(start * width, count * width).ToArray() : null;
    }

    private static InvalidOperationException Refuse<TBatch>(TBatch batch) => new(
        $"FitAsync: a batch of {batch?.GetType().ToString() ?? "null"} cannot be cut by rows, which BatchParts and Processes need. Let it implement IRowBatch<{typeof(TBatch).Name.Split('`')[0]}>, whose TakeRows gives some of its rows; "
        + "batches of the library, tensors [N, ...] and tuples of these and of arrays of as many rows can be.");
}
