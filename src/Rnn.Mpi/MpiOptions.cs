namespace Rnn.Mpi;

/// <summary>How a process takes part in a group.</summary>
public sealed record MpiOptions
{
    /// <summary>
    /// How long nothing may be heard from another process before it is taken for dead and all are ended; 60 s by default. Each process says every second that it lives, from a thread of its own: however long a step, a validation or a checkpoint
    /// takes, it is not taken for dead.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The time is less than five seconds or more than a day.</exception>
    public TimeSpan Timeout
    {
        get;
        init => field = value >= TimeSpan.FromSeconds(5) && value <= TimeSpan.FromDays(1)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(Timeout), value, $"Timeout: expected five seconds to a day but got {value}.");
    } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// The threads that each process computes with: sets <see cref="Kernels.Workers.MaxThreads"/>. Null, the default, for the processors of its machine shared out evenly among the processes on it; 0 to leave that as it is.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public int? Threads
    {
        get;
        init => field = value is null or >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(Threads), value, $"Threads: expected 0 or more but got {value}.");
    }
}
