using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Rnn.Mpi;

/// <summary>
/// A thread that says every second to the next process that this one lives, and listens to the one before: the processes stand in a ring. What is not heard of for too long is dead, and the one behind it ends all.
/// </summary>
internal sealed unsafe class Pulse : IDisposable
{
    private const int Tag = 2;
    private const byte Alive = 1;
    private const byte Leaving = 2;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // Between being sure and ending all: the time for the training to end with its own error.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private readonly MpiTransport _transport;
    private readonly TimeSpan _timeout;
    private readonly Thread _thread;
    private readonly byte[] _bytes = GC.AllocateArray<byte>(1, pinned: true);
    private readonly ManualResetEventSlim _end = new();
    private volatile bool _isLeaving;
    private volatile string? _failure;
    private TimeSpan _silence;
    private TimeSpan _failed;
    private TimeSpan _waited;
    private bool _hasPreviousLeft;

    // Odd while the training waits for the others.
    private long _operation;
    private long _waitedFor;

    internal Pulse(MpiTransport transport, TimeSpan timeout)
    {
        (_transport, _timeout) = (transport, timeout);
        _thread = new(Run) { IsBackground = true, Name = "Rnn.Mpi pulse" };
        _thread.Start();
    }

    /// <summary>Why the others cannot be waited for; null where they can.</summary>
    internal string? Failure => _failure;

    private int Previous => (_transport.Rank + _transport.Size - 1) % _transport.Size;

    private int Next => (_transport.Rank + 1) % _transport.Size;

    /// <summary>Tells that the training begins to wait for the others, or has ended to.</summary>
    internal void TurnWaiting() => Volatile.Write(ref _operation, _operation + 1);

    /// <summary>From now on says that this process is about to leave.</summary>
    internal void Leave() => _isLeaving = true;

    /// <summary>Ends all processes because of something that this one cannot mend.</summary>
    internal void End(string why)
    {
        Console.Error.WriteLine($"Rnn.Mpi: rank {_transport.Rank} of {_transport.Size} ends all processes: {why}");
        MpiTransport.Abort(1);
    }

    public void Dispose()
    {
        _end.Set();
        _thread.Join();
        _end.Dispose();
    }

    /// <summary>Takes what the process before has sent until its own pulse ended: MPI is not ended with messages that nobody has taken.</summary>
    internal void Drain()
    {
        while (_transport.TryTake(Previous, Tag, out _))
        {
        }
    }

    private void Run()
    {
        var own = (byte*)Unsafe.AsPointer(ref _bytes[0]);
        var sending = MpiTransport.Ended;
        try
        {
            var last = Stopwatch.GetTimestamp();
            do
            {
                // A process that was stopped itself, with its machine or by a debugger, has not listened meanwhile.
                var now = Stopwatch.GetTimestamp();
                var passed = Stopwatch.GetElapsedTime(last, now);
                passed = passed < 2 * Interval ? passed : 2 * Interval;
                last = now;
                if (_transport.HasEnded(ref sending))
                {
                    *own = _isLeaving ? Leaving : Alive;
                    sending = _transport.Send(own, 1, Next, Tag);
                }

                _silence += passed;
                while (_transport.TryTake(Previous, Tag, out var heard))
                {
                    _silence = TimeSpan.Zero;
                    _hasPreviousLeft |= heard == Leaving;
                }

                Judge(passed);
                if (_failure is { } failure && (_failed += passed) > Grace)
                {
                    End(failure);
                    return;
                }
            }
            while (!_end.Wait(_isLeaving ? Interval / 10 : Interval));

            while (!_transport.HasEnded(ref sending))
            {
                Thread.Yield();
            }
        }
        catch (MpiFailureException exception)
        {
            // A process that is gone may show as an error of the channel to it.
            _failure = $"a message to or from a neighbour of rank {_transport.Rank} failed ({exception.Message})";
            if (!_isLeaving && !_end.Wait(Grace))
            {
                End(_failure);
            }
        }
    }

    private void Judge(TimeSpan passed)
    {
        if (!_hasPreviousLeft)
        {
            if (_silence > _timeout)
            {
                _failure ??= $"nothing has been heard from rank {Previous} for {_timeout.TotalSeconds:0} s";
            }

            return;
        }

        // One that has said that it leaves may be silent. What it had sent before may still be on its way.
        var operation = Volatile.Read(ref _operation);
        _waited = operation % 2 == 1 && operation == _waitedFor && !_isLeaving ? _waited + passed : TimeSpan.Zero;
        _waitedFor = operation;
        if (_waited > Grace)
        {
            _failure ??= $"rank {Previous} has left the group while rank {_transport.Rank} waits for it";
        }
    }
}
