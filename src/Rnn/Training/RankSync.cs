using System.Globalization;

namespace Rnn.Training;

/// <summary>Where a run meets the others.</summary>
internal enum SyncPoint
{
    Start = 1,
    Agreed,
    Begun,
    Update,
    Validation,
    Checkpoint,
    End,
}

/// <summary>What a process says of itself where all meet: of one size on all, without references.</summary>
internal struct SyncRecord
{
    internal SyncPoint Point;
    internal int Epoch;
    internal long Updates;
    internal int Batches;
    internal bool IsFailed;
    internal bool IsCancelled;

    /// <summary>The characters of the text that follows: a failure's message, or what identifies the training.</summary>
    internal int TextLength;

    /// <summary>The loss of this process's part, or its sum of validation losses.</summary>
    internal double Loss;
    internal double Weight;
    internal long Count;

    /// <summary>The time of the run on this process; rank 0's decides.</summary>
    internal long Ticks;

    /// <summary>The gradients' norm of the update before, which is the same on all processes unless they have come apart.</summary>
    internal double Norm;
}

/// <summary>
/// Keeps the processes of a group in step: before anything that needs all of them they meet, and each says where it is and whether it goes on. So a failure on one ends all with its message, and processes that do not do the same are found out.
/// </summary>
internal sealed class RankSync(ProcessGroup group)
{
    private readonly SyncRecord[] _all = new SyncRecord[group.Size];

    // After a failure there is no next meeting.
    private bool _isOver;

    internal ProcessGroup Group => group;

    /// <summary>Waits for all and learns what they say.</summary>
    /// <exception cref="ProcessGroupException">Another process has failed, or they are not at the same point.</exception>
    internal ReadOnlySpan<SyncRecord> Meet(SyncRecord own)
    {
        Exchange(own);
        if (Array.FindIndex(_all, record => record.IsFailed) is >= 0 and var failed)
        {
            _isOver = true;
            var message = Text(string.Empty, failed);
            throw _all[failed].IsCancelled
                ? new OperationCanceledException($"rank {failed} was cancelled: {message}")
                : new ProcessGroupException($"rank {failed}: {message}") { Rank = failed };
        }

        CheckSame();
        return _all;
    }

    /// <summary>Tells the others that this process cannot go on; does nothing where they know.</summary>
    internal void Fail(Exception exception)
    {
        if (_isOver)
        {
            return;
        }

        _isOver = true;
        try
        {
            var message = exception is ProcessGroupException ? exception.Message : $"{exception.GetType().Name}: {exception.Message}";
            Exchange(new() { IsFailed = true, IsCancelled = exception is OperationCanceledException, TextLength = message.Length });
            Text(message, Array.FindIndex(_all, record => record.IsFailed));
        }
        catch (Exception lost) when (lost is ProcessGroupException or ObjectDisposedException)
        {
            // The others cannot be reached; what has happened here is what counts.
        }
    }

    /// <summary>Gives the text of one process to all, of the length that it has said where they met.</summary>
    internal string Text(string own, int root)
    {
        var text = group.Rank == root ? own.ToCharArray() : new char[_all[root].TextLength];
        Transport(() => group.Broadcast(text.AsSpan(), root));
        return new(text);
    }

    /// <summary>Runs an operation of the group, after whose failure the others are not to be told: there is no way.</summary>
    internal void Transport(Action operation)
    {
        try
        {
            operation();
        }
        catch
        {
            _isOver = true;
            throw;
        }
    }

    private void Exchange(SyncRecord own) => Transport(() => group.AllGather(new ReadOnlySpan<SyncRecord>(in own), _all));

    private void CheckSame()
    {
        for (var rank = 1; rank < _all.Length; rank++)
        {
            var (first, other) = (_all[0], _all[rank]);
            if (first.Point != other.Point || first.Epoch != other.Epoch || first.Updates != other.Updates || first.Batches != other.Batches)
            {
                _isOver = true;
                throw new ProcessGroupException($"The processes do not do the same: rank 0 is at {Describe(first)}, rank {rank} at {Describe(other)}. Give all the same data, options and hooks.") { Rank = rank };
            }

            if (BitConverter.DoubleToInt64Bits(first.Norm) != BitConverter.DoubleToInt64Bits(other.Norm))
            {
                _isOver = true;
                var message = string.Create(
                    CultureInfo.InvariantCulture,
                    $"The processes have come apart: in update {first.Updates} the norm of the gradients was {first.Norm:r} on rank 0 and {other.Norm:r} on rank {rank}. A hook that changes gradients or parameters must do the same on all.");
                throw new ProcessGroupException(message) { Rank = rank };
            }
        }
    }

    private static string Describe(SyncRecord record) => record.Point switch
    {
        SyncPoint.Update => $"update {record.Updates + 1} in epoch {record.Epoch}, of {record.Batches} batches",
        SyncPoint.Validation => $"the validation after update {record.Updates}",
        SyncPoint.Checkpoint => $"the checkpoint after update {record.Updates}",
        SyncPoint.End => $"the end, after {record.Updates} updates",
        _ => "the beginning",
    };
}
