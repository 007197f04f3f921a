using Rnn.Training;

namespace Rnn.Tests.Training;

/// <summary>A group whose processes are threads of this one.</summary>
internal sealed class ThreadGroup : ProcessGroup
{
    private readonly Shared _shared;

    private ThreadGroup(Shared shared, int rank) => (_shared, Rank) = (shared, rank);

    public override int Rank { get; }

    public override int Size => _shared.Slots.Length;

    public static ThreadGroup[] Of(int size)
    {
        var shared = new Shared(size);
        return [.. Enumerable.Range(0, size).Select(rank => new ThreadGroup(shared, rank))];
    }

    /// <summary>Runs something on all ranks at once; its results and errors by rank.</summary>
    public static (TResult? Result, Exception? Error)[] Run<TResult>(int size, Func<ProcessGroup, TResult> run)
    {
        var (groups, results) = (Of(size), new (TResult?, Exception?)[size]);
        var threads = groups.Select(group => new Thread(() =>
        {
            try
            {
                results[group.Rank] = (run(group), null);
            }
            catch (Exception exception)
            {
                results[group.Rank] = (default, exception);
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        return results;
    }

    protected override void BroadcastBytes(Span<byte> bytes, int root)
    {
        var all = Exchange($"broadcast from {root}", bytes.ToArray());
        Assert.Equal(bytes.Length, all[root].Length);
        all[root].CopyTo(bytes);
    }

    protected override void AllGatherBytes(ReadOnlySpan<byte> own, Span<byte> all) => Exchange("gather", own.ToArray()).SelectMany(bytes => bytes).ToArray().CopyTo(all);

    protected override void AllToAllBytes(ReadOnlySpan<byte> sent, Span<byte> received)
    {
        var block = sent.Length / Size;
        foreach (var (rank, bytes) in Exchange("all to all", sent.ToArray()).Index())
        {
            bytes.AsSpan(Rank * block, block).CopyTo(received[(rank * block)..]);
        }
    }

    // All say what they do and what they give; two barriers, so that nobody writes before all have read. One that does not come is an error, not a test that hangs.
    private byte[][] Exchange(string operation, byte[] own)
    {
        _shared.Slots[Rank] = (operation, own);
        Wait();
        var all = _shared.Slots.ToArray();
        Wait();
        return all.All(slot => slot.Operation == operation) && (operation.StartsWith('b') || all.All(slot => slot.Bytes.Length == own.Length))
            ? [.. all.Select(slot => slot.Bytes)]
            : throw new ProcessGroupException($"Operations do not match: {string.Join(", ", all.Select(slot => $"{slot.Operation} of {slot.Bytes.Length} bytes"))}.");
    }

    private void Wait()
    {
        if (!_shared.Barrier.SignalAndWait(TimeSpan.FromSeconds(30)))
        {
            throw new ProcessGroupException("Another rank did not come.");
        }
    }

    private sealed class Shared(int size)
    {
        internal (string Operation, byte[] Bytes)[] Slots { get; } = new (string, byte[])[size];

        internal Barrier Barrier { get; } = new(size);
    }
}
