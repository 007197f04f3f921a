using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>Windows of a series side by side: what was known, and what came then, in the data's own units.</summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class ForecastBatch<T> : IRowBatch<ForecastBatch<T>>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly int[] _starts;

    /// <summary>A batch of windows.</summary>
    /// <param name="past">[N, W, C]: the W steps before the forecast, all variables.</param>
    /// <param name="future">[N, F, C]: the F steps to be forecast, all variables.</param>
    /// <param name="starts">At which step of its series each row's future begins; empty where that is of no interest.</param>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public ForecastBatch(Tensor<T> past, Tensor<T> future, ReadOnlySpan<int> starts = default)
    {
        ArgumentNullException.ThrowIfNull(past);
        ArgumentNullException.ThrowIfNull(future);
        if (past.Rank != 3)
        {
            throw new ArgumentException($"past: expected [rows, window, variables] but got {past.Shape}.", nameof(past));
        }

        if (future.Rank != 3 || future.Shape[0] != past.Shape[0] || future.Shape[2] != past.Shape[2])
        {
            throw new ArgumentException($"future: expected [{past.Shape[0]}, horizon, {past.Shape[2]}], rows and variables of the past {past.Shape}, but got {future.Shape}.", nameof(future));
        }

        if (!starts.IsEmpty && starts.Length != past.Shape[0])
        {
            throw new ArgumentException($"starts: expected {past.Shape[0]} steps, one for each row, but got {starts.Length}.", nameof(starts));
        }

        (Past, Future, _starts) = (past, future, starts.ToArray());
    }

    /// <summary>The number of rows N.</summary>
    public int Rows => Past.Shape[0];

    /// <summary>The steps before the forecast [N, W, C].</summary>
    public Tensor<T> Past { get; }

    /// <summary>The steps to be forecast [N, F, C]: of the variables that are known in the future a model reads them, of its targets they are what should have been said.</summary>
    public Tensor<T> Future { get; }

    /// <summary>At which step of the series each row's future begins.</summary>
    public ReadOnlySpan<int> Starts => _starts;

    /// <inheritdoc/>
    public ForecastBatch<T> TakeRows(int start, int count)
    {
        var rows = new RowRange(start, count, Rows);
        return new(rows.Of(Past), rows.Of(Future), rows.Of(_starts));
    }
}
