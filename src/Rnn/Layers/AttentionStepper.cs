using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Layers;

/// <summary>
/// Attention of one query of each of N rows, without a graph and without allocating: what a decoder does at each step. Rows refer to rows of the memory, so hypotheses of one sequence share its memory, and
/// to select rows copies none of it.
/// </summary>
internal sealed unsafe class AttentionStepper<T>(Attention<T> attention, AttentionMemory<T> memory)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly int _steps = memory.Values.Shape[1];
    private readonly int _keySize = memory.Keys.Shape[2];
    private readonly T[] _weights = new T[memory.Values.Shape[1]];
    private readonly T[] _work = new T[attention.StepWork(memory.Values.Shape[1])];
    private T[] _queries = [];

    // The memory's row that each row attends to.
    private int[] _rows = [.. Enumerable.Range(0, memory.Values.Shape[0])];
    private int[] _chosen = [];

    /// <summary>Goes on with chosen rows.</summary>
    internal void SelectRows(ReadOnlySpan<int> rows)
    {
        if (_chosen.Length != rows.Length)
        {
            _chosen = new int[rows.Length];
        }

        for (var i = 0; i < rows.Length; i++)
        {
            _chosen[i] = _rows[rows[i]];
        }

        (_rows, _chosen) = (_chosen, _rows);
    }

    /// <summary>Attends with queries [N, Q].</summary>
    /// <param name="query">The queries.</param>
    /// <param name="context">Receives the weighted means of the memory: row i of M numbers begins at i·<paramref name="stride"/>.</param>
    /// <param name="stride">The distance of two rows of the context.</param>
    internal void Step(ReadOnlySpan<T> query, Span<T> context, int stride)
    {
        var (querySize, size) = (attention.StepQuerySize, attention.MemorySize);
        if (querySize > 0)
        {
            if (_queries.Length < _rows.Length * querySize)
            {
                _queries = new T[_rows.Length * querySize];
            }

            attention.StepQueries(query, _queries.AsSpan(0, _rows.Length * querySize));
            query = _queries;
        }
        else
        {
            querySize = attention.QuerySize;
        }

        var keys = memory.Keys.AsReadOnlySpan();
        var values = memory.Values.AsReadOnlySpan();
        for (var i = 0; i < _rows.Length; i++)
        {
            var row = _rows[i];
            var steps = memory.Lengths is { } lengths ? lengths[row] : _steps;
            var result = context.Slice(i * stride, size);
            if (steps == 0)
            {
                result.Clear();
                continue;
            }

            var weights = _weights.AsSpan(0, steps);
            attention.StepScores(query.Slice(i * querySize, querySize), keys.Slice(row * _steps * _keySize, steps * _keySize), weights, _work);
            fixed (T* w = weights)
            fixed (T* v = values.Slice(row * _steps * size, steps * size))
            fixed (T* c = result)
            {
                var all = new Rows<T>(w, steps);
                RowKernels<T>.Current.Softmax(all, all, 1, steps);
                SpanKernels<T>.RowTimesMatrix(w, v, c, size, steps, accumulate: false);
            }
        }
    }

    /// <summary>The product of one vector with each of several rows.</summary>
    internal static void Products(ReadOnlySpan<T> vector, ReadOnlySpan<T> rows, Span<T> products)
    {
        fixed (T* a = vector)
        fixed (T* b = rows)
        fixed (T* c = products)
        {
            SpanKernels<T>.RowTimesTransposed(a, b, c, products.Length, vector.Length, accumulate: false);
        }
    }
}
