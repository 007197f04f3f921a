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

    private static readonly Lock Gate = new();
    private static readonly List<Worker> Team = [];

    [ThreadStatic]
    private static bool _inside;

    private static int _maxThreads = Environment.ProcessorCount;
    private static WorkItem? _item;
    private static ExceptionDispatchInfo? _failure;
    private static int _parts;
    private static int _nextPart;
    private static int _running;

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
            _nextPart = 0;
            _failure = null;
            Volatile.Write(ref _running, helpers);
            for (var i = 0; i < helpers; i++)
            {
                Team[i].Wake();
            }

            TakeParts();

            // The others finish at nearly the same time, since parts are cut evenly: watch closely before giving way.
            for (var spins = 0; spins < SpinsBeforeYield && Volatile.Read(ref _running) > 0; spins++)
            {
                Thread.SpinWait(1);
            }

            var spinner = default(SpinWait);
            while (Volatile.Read(ref _running) > 0)
            {
                spinner.SpinOnce(sleep1Threshold: -1);
            }

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
        try
        {
            for (var part = Interlocked.Increment(ref _nextPart) - 1; part < _parts; part = Interlocked.Increment(ref _nextPart) - 1)
            {
                _item!.Execute(part);
            }
        }
        catch (Exception failure)
        {
            _failure ??= ExceptionDispatchInfo.Capture(failure);
        }
        finally
        {
            _inside = false;
        }
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
                Interlocked.Decrement(ref _running);
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
