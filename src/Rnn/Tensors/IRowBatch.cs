namespace Rnn.Tensors;

/// <summary>A batch that knows how many rows it has, so that means over batches of unequal size can be weighed by rows.</summary>
public interface IRowBatch
{
    /// <summary>The number of rows N.</summary>
    int Rows { get; }
}
