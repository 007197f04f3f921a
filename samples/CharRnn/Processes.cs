using Rnn.Kernels;
using Rnn.Mpi;
using Rnn.Training;
using Samples;

namespace CharRnn;

/// <summary>The processes that mpirun has started to train one model together, with <c>--mpi</c>; this one alone without.</summary>
internal sealed class Processes : IDisposable
{
    private readonly MpiProcessGroup? _group;

    private Processes(MpiProcessGroup? group) => _group = group;

    /// <summary>What the trainer is given: null where this process trains alone.</summary>
    internal ProcessGroup? Group => _group;

    /// <summary>Whether this process reports and writes.</summary>
    internal bool IsFirst => _group is null or { Rank: 0 };

    internal static Processes Start(Settings settings)
    {
        if (!settings.Mpi)
        {
            Workers.MaxThreads = settings.Threads ?? Environment.ProcessorCount;
            return new(null);
        }

        try
        {
            return new(MpiProcessGroup.Start(new() { Threads = settings.Threads }));
        }
        catch (Exception error) when (error is DllNotFoundException or InvalidOperationException)
        {
            throw new InputException($"--mpi: {error.Message}", error);
        }
    }

    /// <summary>The report of the first process; the others say nothing.</summary>
    internal Report CreateReport(string introduction) => IsFirst
        ? Report.Create(_group is null ? introduction : $"{introduction}\n{_group.Size} process{(_group.Size == 1 ? string.Empty : "es")}")
        : Report.None;

    /// <summary>What of the training's time has gone into communication, where there are several processes.</summary>
    internal string? Share(TimeSpan elapsed) => _group is { Size: > 1 }
        ? $"{_group.Size} processes, {_group.CommunicationTime / elapsed:P1} of the time in communication"
        : null;

    public void Dispose() => _group?.Dispose();
}
