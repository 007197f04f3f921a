namespace Rnn.Tensors;

/// <summary>A batch that knows how many rows it has, so that averages over batches of unequal size can be weighted by rows.</summary>
public interface IRowBatch
{
    /// <summary>The number of rows N.</summary>
    int Rows { get; }
}
