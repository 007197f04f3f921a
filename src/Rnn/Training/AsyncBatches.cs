using System.Collections;

namespace Rnn.Training;

/// <summary>Batches that come asynchronously, for a training that has a thread of its own and waits on it.</summary>
internal sealed class AsyncBatches<TBatch> : IEnumerable<TBatch>
{
    private readonly IAsyncEnumerable<TBatch> _batches;
    private readonly CancellationToken _cancellationToken;

    internal AsyncBatches(IAsyncEnumerable<TBatch> batches, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batches);
        (_batches, _cancellationToken) = (batches, cancellationToken);
    }

    public IEnumerator<TBatch> GetEnumerator()
    {
        var enumerator = _batches.GetAsyncEnumerator(_cancellationToken);
        try
        {
            while (Wait(enumerator.MoveNextAsync()))
            {
                yield return enumerator.Current;
            }
        }
        finally
        {
            var end = enumerator.DisposeAsync();
            if (!end.IsCompletedSuccessfully)
            {
                end.AsTask().GetAwaiter().GetResult();
            }
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static bool Wait(ValueTask<bool> task) => task.IsCompletedSuccessfully ? task.Result : task.AsTask().GetAwaiter().GetResult();
}
