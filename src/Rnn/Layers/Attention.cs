using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// Attention over the steps of a sequence, the memory: each query weighs all steps by how well they fit it, and gets their weighted mean. Steps past the end of a row weigh nothing.
/// </summary>
/// <remarks>
/// What depends on the memory alone (its keys) is computed once by <see cref="Prepare"/>, so that a decoder pays only for its query at each step.
/// </remarks>
/// <example>
/// <code>
/// var attention = new AdditiveAttention&lt;float&gt;(querySize: 128, memorySize: 256, hiddenSize: 128);
/// var memory = attention.Prepare(encoder.Forward(x, lengths).Output, lengths);
/// var (context, weights) = attention.Forward(decoderState.Hidden(), memory);   // [N, 256], [N, T]
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public abstract class Attention<T> : Module<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private protected Attention(int querySize, int memorySize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(querySize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(memorySize);
        (QuerySize, MemorySize) = (querySize, memorySize);
    }

    /// <summary>The size of a query Q.</summary>
    public int QuerySize { get; }

    /// <summary>The size of a step of the memory M.</summary>
    public int MemorySize { get; }

    /// <summary>Computes what attention needs of a memory, for any number of queries.</summary>
    /// <param name="memory">[N, T, <see cref="MemorySize"/>], such as the outputs of an encoder.</param>
    /// <param name="lengths">The valid steps of each row, 0 to T; empty for all.</param>
    /// <exception cref="ArgumentException">A shape or a length does not fit.</exception>
    public AttentionMemory<T> Prepare(Tensor<T> memory, ReadOnlySpan<int> lengths = default)
    {
        RecurrentChecks.CheckBatch(memory, lengths, MemorySize, nameof(memory), nameof(MemorySize));
        var ended = StepMask.PastEnds<T>(memory.Shape[0], memory.Shape[1], lengths)?.Unsqueeze(1);

        // What lies past an end may be anything, and a weight of zero times NaN is NaN.
        memory = StepMask.ClearPastEnds(memory, lengths);
        return new(memory, Keys(memory), ended, ended is null ? null : lengths.ToArray());
    }

    /// <summary>Attends to a memory.</summary>
    /// <param name="query">[N, <see cref="QuerySize"/>], or [N, U, <see cref="QuerySize"/>] for U queries a row.</param>
    /// <param name="memory">What <see cref="Prepare"/> of this module gave.</param>
    /// <returns>
    /// The weighted mean of the memory's steps, [N, <see cref="MemorySize"/>] or [N, U, <see cref="MemorySize"/>], and the weights, [N, T] or [N, U, T], which are positive and add to 1 over the valid
    /// steps. A row without steps gets zeros.
    /// </returns>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public (Tensor<T> Context, Tensor<T> Weights) Forward(Tensor<T> query, AttentionMemory<T> memory)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(memory);
        var (rows, steps) = (memory.Values.Shape[0], memory.Values.Shape[1]);
        if (query.Rank is not (2 or 3) || query.Shape[0] != rows || query.Shape[^1] != QuerySize)
        {
            throw new ArgumentException(
                $"query: expected [{rows}, {QuerySize}] or [{rows}, queries, {QuerySize}] but got {query.Shape}; the last dimension must be QuerySize ({QuerySize}).", nameof(query));
        }

        var queries = query.Rank == 3 ? query : query.Unsqueeze(1);
        var scores = Scores(queries, memory.Keys);
        var weights = memory.Ended is { } ended
            ? scores.MaskedFill(ended, StepMask.Impossible).Softmax().MaskedFill(ended, 0)
            : scores.Softmax();
        var context = weights.MatMul(memory.Values);
        return query.Rank == 3 ? (context, weights) : (context.Reshape(rows, MemorySize), weights.Reshape(rows, steps));
    }

    /// <summary>What <see cref="Scores"/> needs of the memory [N, T, M].</summary>
    private protected virtual Tensor<T> Keys(Tensor<T> memory) => memory;

    /// <summary>The scores of queries [N, U, Q] for keys: [N, U, T].</summary>
    private protected abstract Tensor<T> Scores(Tensor<T> queries, Tensor<T> keys);

    /// <summary>The numbers that <see cref="StepScores"/> needs to work with beside its arguments, for T steps.</summary>
    internal virtual int StepWork(int steps) => 0;

    /// <summary>The size of a row of <see cref="StepQueries"/>; 0 where queries are taken as they are.</summary>
    internal virtual int StepQuerySize => 0;

    /// <summary>What <see cref="StepScores"/> takes in place of queries [N, Q]: [N, <see cref="StepQuerySize"/>].</summary>
    internal virtual void StepQueries(ReadOnlySpan<T> queries, Span<T> prepared)
    {
    }

    /// <summary>The scores of one query for the keys of one row's valid steps, in spans that nothing records.</summary>
    internal abstract void StepScores(ReadOnlySpan<T> query, ReadOnlySpan<T> keys, Span<T> scores, Span<T> work);
}

/// <summary>A sequence made ready for <see cref="Attention{T}"/>, for as many queries as there are.</summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class AttentionMemory<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal AttentionMemory(Tensor<T> values, Tensor<T> keys, Tensor<T>? ended, int[]? lengths) => (Values, Keys, Ended, Lengths) = (values, keys, ended, lengths);

    /// <summary>The sequence [N, T, M].</summary>
    public Tensor<T> Values { get; }

    internal Tensor<T> Keys { get; }

    /// <summary>[N, 1, T] with ones past the end of each row, or null.</summary>
    internal Tensor<T>? Ended { get; }

    /// <summary>The valid steps of each row, or null for all.</summary>
    internal int[]? Lengths { get; }

    /// <summary>Chosen rows in a chosen order; a row may come several times: the memories of the hypotheses of a beam search.</summary>
    /// <param name="rows">Rows from 0 to N − 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    public AttentionMemory<T> SelectRows(params ReadOnlySpan<int> rows)
    {
        var values = Values.IndexSelect(0, rows);
        var lengths = Lengths is null ? null : new int[rows.Length];
        for (var i = 0; i < lengths?.Length; i++)
        {
            lengths[i] = Lengths![rows[i]];
        }

        return new(values, ReferenceEquals(Keys, Values) ? values : Keys.IndexSelect(0, rows), Ended?.IndexSelect(0, rows), lengths);
    }
}
