using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;

namespace Rnn.Kernels;

/// <summary>
/// The threads that share one piece of work: fork, run, join. Results never depend on their number, since work is split over rows or
/// columns of results and never over a sum.
/// </summary>
/// <remarks>
/// A fork costs about a microsecond and allocates nothing. Calls from several threads at once, or from inside a piece of work, run on the calling
/// thread alone, so that user code may be parallel itself.
/// </remarks>
public static class Workers
{
    // About fifty microseconds: the pauses within a training step, and little enough not to take a busy machine's time.
    private const int SpinsBeforeSleep = 1_500;

    private const int SpinsBeforeYield = 200;

    private const int PartBits = 31;

    private const long NoPart = (1L << PartBits) - 1;

    private static readonly Lock Gate = new();
    private static readonly List<Worker> Team = [];

    [ThreadStatic]
    private static bool _inside;

    private static int _maxThreads = Environment.ProcessorCount;
    private static WorkItem? _item;
    private static int _parts;
    private static int _unfinished;
    private static ExceptionDispatchInfo? _failure;

    // The run's number above, the next part to take below. A part is taken by exchanging it for the next one, which fails where a new run
    // has begun: a thread that comes late finds nothing and nobody waits for it.
    private static long _ticket;

    /// <summary>The most threads that one operation uses; the number of processors at first.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Less than one.</exception>
    public static int MaxThreads
    {
        get => _maxThreads;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            _maxThreads = value;
        }
    }

    /// <summary>Runs the parts 0 … <paramref name="parts"/> − 1 of <paramref name="item"/> on up to <see cref="MaxThreads"/> threads and returns when all are done.</summary>
    internal static void Run(WorkItem item, int parts)
    {
        var helpers = Math.Min(parts, _maxThreads) - 1;
        if (helpers <= 0 || _inside || !Gate.TryEnter())
        {
            for (var part = 0; part < parts; part++)
            {
                item.Execute(part);
            }

            return;
        }

        try
        {
            while (Team.Count < helpers)
            {
                Team.Add(new Worker());
            }

            _item = item;
            _parts = parts;
            _failure = null;
            Volatile.Write(ref _unfinished, parts);
            var run = (_ticket >> PartBits) + 1;
            Volatile.Write(ref _ticket, run << PartBits);
            for (var i = 0; i < helpers; i++)
            {
                Team[i].Wake();
            }

            TakeParts();

            // The others finish at nearly the same time, since parts are cut evenly: watch closely before giving way.
            for (var spins = 0; spins < SpinsBeforeYield && Volatile.Read(ref _unfinished) > 0; spins++)
            {
                Thread.SpinWait(1);
            }

            var spinner = default(SpinWait);
            while (Volatile.Read(ref _unfinished) > 0)
            {
                spinner.SpinOnce(sleep1Threshold: -1);
            }

            // Nothing is left to take: whoever still looks at the old run must not see the fields of the next one as its own.
            Interlocked.Exchange(ref _ticket, (run << PartBits) | NoPart);
            _item = null;
            _failure?.Throw();
        }
        finally
        {
            Gate.Exit();
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "The failure of a part is thrown again on the calling thread.")]
    private static void TakeParts()
    {
        _inside = true;
        while (true)
        {
            var ticket = Volatile.Read(ref _ticket);
            var part = (int)(ticket & NoPart);
            if (part >= Volatile.Read(ref _parts))
            {
                break;
            }

            // While this part is taken and not finished, the run and its fields stay.
            if (Interlocked.CompareExchange(ref _ticket, ticket + 1, ticket) != ticket)
            {
                continue;
            }

            try
            {
                if (_failure is null)
                {
                    _item!.Execute(part);
                }
            }
            catch (Exception failure)
            {
                _failure ??= ExceptionDispatchInfo.Capture(failure);
            }

            Interlocked.Decrement(ref _unfinished);
        }

        _inside = false;
    }

    [SuppressMessage("Design", "CA1001", Justification = "A worker lives as long as the process.")]
    private sealed class Worker
    {
        private readonly SemaphoreSlim _sleep = new(0);
        private int _signal;
        private int _asleep;

        internal Worker()
        {
            var thread = new Thread(Loop) { IsBackground = true, Name = "Rnn worker" };
            thread.Start();
        }

        internal void Wake()
        {
            Interlocked.Exchange(ref _signal, 1);
            if (Interlocked.Exchange(ref _asleep, 0) == 1)
            {
                _sleep.Release();
            }
        }

        private void Loop()
        {
            while (true)
            {
                AwaitSignal();
                TakeParts();
            }
        }

        // Work comes in quick succession within a training step: spin for a little before sleeping.
        private void AwaitSignal()
        {
            for (var spins = 0; Interlocked.CompareExchange(ref _signal, 0, 1) == 0; spins++)
            {
                if (spins < SpinsBeforeSleep)
                {
                    while (Volatile.Read(ref _signal) == 0 && spins++ < SpinsBeforeSleep)
                    {
                        Thread.SpinWait(1);
                    }

                    continue;
                }

                Interlocked.Exchange(ref _asleep, 1);
                if (Volatile.Read(ref _signal) == 0)
                {
                    _sleep.Wait();
                }
                else if (Interlocked.Exchange(ref _asleep, 0) == 0)
                {
                    _sleep.Wait();
                }

                spins = 0;
            }
        }
    }
}

/// <summary>A piece of work in parts that may run on several threads.</summary>
internal abstract class WorkItem
{
    /// <summary>Runs one part.</summary>
    internal abstract void Execute(int part);
}
