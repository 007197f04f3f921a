using System.Diagnostics;
using System.Numerics;
using Rnn.Kernels;
using Rnn.Training;

namespace Rnn.Mpi;

/// <summary>
/// The processes that mpirun has started, or the scheduler of a cluster. Give it to a trainer as its <see cref="Trainer{T}.Processes"/>; a program that was started without is a group of one and trains as ever.
/// </summary>
/// <remarks>
/// Works on MPICH and on what has its binary interface (MVAPICH, Intel MPI, Cray MPICH), and on MS-MPI. The environment variable <c>RNN_MPI_LIBRARY</c> names another library than the one that is found. One for a process: MPI cannot be started a second
/// time. Dispose it at the end on every process, after an error too.
/// </remarks>
/// <example>
/// <code>
/// using var mpi = MpiProcessGroup.Start();
/// var trainer = new Trainer&lt;float&gt;(model, new Adam&lt;float&gt;()) { Processes = mpi, BatchSize = 64 };
/// await trainer.FitAsync(tokens, epochs: 10, progress: progress);        // mpirun -n 4 dotnet Program.dll
/// </code>
/// </example>
public sealed unsafe class MpiProcessGroup : ProcessGroup, IDisposable
{
    private const int Tag = 1;

    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(5);

    private static int _isStarted;

    private readonly MPI.Environment? _environment;
    private readonly MpiTransport? _transport;
    private readonly Pulse? _pulse;
    private readonly int[] _requests = [];
    private bool _isDisposed;

    private MpiProcessGroup()
    {
    }

    private MpiProcessGroup(MPI.Environment environment, TimeSpan timeout)
    {
        (_environment, _transport) = (environment, new());
        _pulse = Size > 1 ? new(_transport, timeout) : null;
        _requests = new int[2 * Size];
    }

    /// <inheritdoc/>
    public override int Rank => _transport?.Rank ?? 0;

    /// <inheritdoc/>
    public override int Size => _transport?.Size ?? 1;

    /// <summary>The processes of the group on this machine, this one too.</summary>
    public int SizeOnThisMachine { get; private set; } = 1;

    /// <summary>Starts MPI and joins the others; all processes call it at their beginning. Without a launcher it needs no MPI and gives a group of one.</summary>
    /// <param name="options">How; null for the defaults.</param>
    /// <exception cref="DllNotFoundException">There is no MPI, or only Open MPI, whose interface is another.</exception>
    /// <exception cref="InvalidOperationException">It was started before in this process, or the library serves a single thread only.</exception>
    public static MpiProcessGroup Start(MpiOptions? options = null)
    {
        options ??= new();
        if (!MpiLibrary.IsLaunched(Environment.GetEnvironmentVariables()))
        {
            return new();
        }

        if (Interlocked.Exchange(ref _isStarted, 1) != 0)
        {
            throw new InvalidOperationException("Start: MPI was started before in this process, which it allows once; keep the group that Start gave.");
        }

        MpiLibrary.Resolve();
        string[] arguments = [];
        var environment = new MPI.Environment(ref arguments, MPI.Threading.Multiple);
        if (MPI.Environment.Threading < MPI.Threading.Serialized)
        {
            environment.Dispose();
            throw new InvalidOperationException($"Start: this MPI serves its first thread only ({MPI.Environment.Threading}); training and watching over the others need MPI_THREAD_SERIALIZED or more.");
        }

        var group = new MpiProcessGroup(environment, options.Timeout);
        group.SizeOnThisMachine = group.CountOnThisMachine();
        if (options.Threads != 0)
        {
            Workers.MaxThreads = options.Threads ?? Math.Max(1, Math.Min(Workers.MaxThreads, Environment.ProcessorCount / group.SizeOnThisMachine));
        }

        return group;
    }

    /// <summary>Ends all processes at once, where one can go on no longer and the others wait for it.</summary>
    /// <param name="message">Why; it is written to the standard error.</param>
    public override void Abort(string message) => _pulse?.End(message);

    /// <summary>Leaves the group and ends MPI; waits for the others to do so.</summary>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        _pulse?.Leave();
        try
        {
            if (_pulse is { Failure: null })
            {
                // The others are waited for as long as they live; when all are here no pulse is needed any more.
                Span<byte> all = stackalloc byte[Size];
                Gather([1], all, Tag + 2);
                _pulse.Dispose();
                Gather([1], all, Tag + 3);
                _pulse.Drain();
            }
        }
        catch (ProcessGroupException)
        {
            // One of them is gone: ending MPI would wait for it.
        }

        if (_pulse?.Failure is { } failure)
        {
            _pulse.End(failure);
            return;
        }

        EndMpi();
    }

    // All have met and nothing is under way. MPICH 4.0 over UCX and TCP may still not come back from MPI_Finalize (one process waits for the launcher, the other for the first one's connection), so that it is not waited for without end: after it there is only the end of the program.
    private void EndMpi()
    {
        if (_environment is null)
        {
            return;
        }

        var end = new Thread(_environment.Dispose) { IsBackground = true, Name = "Rnn.Mpi end" };
        end.Start();
        end.Join(EndTimeout);
    }

    /// <summary>The place in the group.</summary>
    public override string ToString() => $"rank {Rank} of {Size}";

    /// <inheritdoc/>
    protected override void BroadcastBytes(Span<byte> bytes, int root)
    {
        // Down a binomial tree: after k rounds 2ᵏ processes have it.
        Begin();
        var place = (Rank - root + Size) % Size;
        fixed (byte* pointer = bytes)
        {
            var received = place == 0 ? Size : place & -place;
            if (place != 0)
            {
                _requests[0] = _transport!.Receive(pointer, bytes.Length, (place - received + root) % Size, Tag);
                Wait(1);
            }

            var count = 0;
            for (var distance = (int)BitOperations.RoundUpToPowerOf2((uint)received) >> 1; distance > 0; distance >>= 1)
            {
                if (place + distance < Size)
                {
                    _requests[count++] = _transport!.Send(pointer, bytes.Length, (place + distance + root) % Size, Tag);
                }
            }

            Wait(count);
        }
    }

    /// <inheritdoc/>
    protected override void AllGatherBytes(ReadOnlySpan<byte> own, Span<byte> all)
    {
        Begin();
        Gather(own, all, Tag);
    }

    /// <inheritdoc/>
    protected override void AllToAllBytes(ReadOnlySpan<byte> sent, Span<byte> received)
    {
        Begin();
        var block = sent.Length / Size;
        fixed (byte* from = sent)
        fixed (byte* to = received)
        {
            var count = 0;
            for (var step = 1; step < Size; step++)
            {
                // In each round every process sends to one and receives from one.
                var (next, previous) = ((Rank + step) % Size, (Rank - step + Size) % Size);
                _requests[count++] = _transport!.Receive(to + ((nint)previous * block), block, previous, Tag);
                _requests[count++] = _transport.Send(from + ((nint)next * block), block, next, Tag);
            }

            sent.Slice(Rank * block, block).CopyTo(received[(Rank * block)..]);
            Wait(count);
        }
    }

    private void Gather(ReadOnlySpan<byte> own, Span<byte> all, int tag)
    {
        fixed (byte* from = own)
        fixed (byte* to = all)
        {
            var count = 0;
            for (var step = 1; step < Size; step++)
            {
                var (next, previous) = ((Rank + step) % Size, (Rank - step + Size) % Size);
                _requests[count++] = _transport!.Receive(to + ((nint)previous * own.Length), own.Length, previous, tag);
                _requests[count++] = _transport.Send(from, own.Length, next, tag);
            }

            own.CopyTo(all[(Rank * own.Length)..]);
            Wait(count);
        }
    }

    private void Begin() => ObjectDisposedException.ThrowIf(_isDisposed, this);

    // Until all requests have ended, or others are gone. What is there at once is not waited for with a system call; what takes long leaves the processor to others.
    private void Wait(int count)
    {
        var start = Stopwatch.GetTimestamp();
        _pulse!.TurnWaiting();
        try
        {
            for (var first = 0; first < count;)
            {
                if (_transport!.HasEnded(ref _requests[first]))
                {
                    first++;
                    continue;
                }

                if (_pulse.Failure is { } failure)
                {
                    throw new ProcessGroupException($"{failure}.");
                }

                switch (Stopwatch.GetElapsedTime(start).TotalMilliseconds)
                {
                    case < 0.2: Thread.SpinWait(10); break;
                    case < 50: Thread.Yield(); break;
                    default: Thread.Sleep(1); break;
                }
            }
        }
        catch (MpiFailureException exception)
        {
            throw new ProcessGroupException($"A message to or from another process failed: {exception.Message}", exception);
        }
        finally
        {
            _pulse.TurnWaiting();
        }
    }

    private int CountOnThisMachine()
    {
        if (Size == 1)
        {
            return 1;
        }

        var name = 0xCBF29CE484222325UL;
        foreach (var letter in Environment.MachineName)
        {
            name = (name ^ letter) * 0x100000001B3UL;
        }

        var names = new ulong[Size];
        AllGather([name], names);
        return names.Count(each => each == name);
    }
}
