namespace Rnn.Tensors;

/// <summary>A batch that knows how many rows it has, so that averages over batches of unequal size can be weighted by rows.</summary>
public interface IRowBatch
{
    /// <summary>The number of rows N.</summary>
    int Rows { get; }
}

/// <summary>A batch that can be cut by rows, so that its parts can be computed one after another or by several processes.</summary>
/// <typeparam name="TSelf">The type of the parts: the batch's own.</typeparam>
public interface IRowBatch<out TSelf> : IRowBatch
{
    /// <summary>
    /// Neighbouring rows as a batch of their own: what would have been made of these rows alone. Where rows are padded to a common length it may be that of the longest one taken.
    /// </summary>
    /// <param name="start">The first row.</param>
    /// <param name="count">How many, one or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">These are no rows of this batch.</exception>
    TSelf TakeRows(int start, int count);
}
