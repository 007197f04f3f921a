using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Rnn.Kernels;

namespace Rnn.Training;

/// <summary>
/// The processes that train one model together: numbered places and a few collective operations between them. A <see cref="Trainer{T}"/> that has one as its
/// <see cref="Trainer{T}.Processes"/> shares its batches with the others. Derive from it for a way of communication of your own; <c>Rnn.Mpi</c> has that of MPI.
/// </summary>
/// <remarks>
/// Every operation is called by all processes in the same order and with arguments of the same sizes, and returns when this process has what it gives. A derived class moves bytes; sums are computed here, in the order of ranks, so that they
/// have the same bits at every run and on all processes. A group is used by one thread at a time.
/// </remarks>
public abstract class ProcessGroup
{
    // What one operation moves at most, for transports that count in 32 bits.
    private const int MaxBytes = 1 << 28;

    private byte[] _sent = [];
    private byte[] _received = [];

    /// <summary>The number of this process, from 0.</summary>
    public abstract int Rank { get; }

    /// <summary>The number of processes N.</summary>
    public abstract int Size { get; }

    /// <summary>The time that this process has spent in operations so far: in moving, in adding up and in waiting for the others.</summary>
    public TimeSpan CommunicationTime { get; private set; }

    /// <summary>Gives the values of one process to all.</summary>
    /// <param name="values">On the root the values; on the others what they are written to, as many.</param>
    /// <param name="root">The rank that has them.</param>
    /// <typeparam name="TValue">Any type without references, laid out alike on all processes.</typeparam>
    /// <exception cref="ArgumentOutOfRangeException">There is no such rank.</exception>
    /// <exception cref="ProcessGroupException">Another process has ended.</exception>
    public void Broadcast<TValue>(Span<TValue> values, int root = 0)
        where TValue : unmanaged
    {
        if ((uint)root >= (uint)Size)
        {
            throw new ArgumentOutOfRangeException(nameof(root), root, $"root: expected a rank from 0 to {Size - 1} but got {root}.");
        }

        using var time = new Timing(this);
        var step = Math.Max(1, MaxBytes / Unsafe.SizeOf<TValue>());
        for (var start = 0; start < values.Length && Size > 1; start += step)
        {
            BroadcastBytes(MemoryMarshal.AsBytes(values.Slice(start, Math.Min(step, values.Length - start))), root);
        }
    }

    /// <summary>Puts the values of all processes one behind the other, in the order of ranks.</summary>
    /// <param name="own">The values of this process, as many as every other one has.</param>
    /// <param name="all">What they are written to, N times as long.</param>
    /// <typeparam name="TValue">Any type without references, laid out alike on all processes.</typeparam>
    /// <exception cref="ArgumentException"><paramref name="all"/> has another length.</exception>
    /// <exception cref="ProcessGroupException">Another process has ended.</exception>
    public void AllGather<TValue>(ReadOnlySpan<TValue> own, Span<TValue> all)
        where TValue : unmanaged
    {
        if (all.Length != (long)own.Length * Size)
        {
            throw new ArgumentException($"all: expected {(long)own.Length * Size} values, {own.Length} for each of {Size} processes, but got {all.Length}.", nameof(all));
        }

        if (Size == 1)
        {
            own.CopyTo(all);
            return;
        }

        using var time = new Timing(this);
        var step = Math.Max(1, MaxBytes / Size / Unsafe.SizeOf<TValue>());
        if (own.Length <= step)
        {
            AllGatherBytes(MemoryMarshal.AsBytes(own), MemoryMarshal.AsBytes(all));
            return;
        }

        var piece = new TValue[step * Size];
        for (var start = 0; start < own.Length; start += step)
        {
            var count = Math.Min(step, own.Length - start);
            var received = piece.AsSpan(0, count * Size);
            AllGatherBytes(MemoryMarshal.AsBytes(own.Slice(start, count)), MemoryMarshal.AsBytes(received));
            for (var rank = 0; rank < Size; rank++)
            {
                received.Slice(rank * count, count).CopyTo(all[((rank * own.Length) + start)..]);
            }
        }
    }

    /// <summary>
    /// Adds up the values of all processes, element by element and in the order of ranks: ((v₀ + v₁) + v₂) + … The result has the same bits on all processes and at every run.
    /// </summary>
    /// <remarks>Each process adds up one slice of the elements and gives it to the others, so that it sends and receives 2 (N − 1)/N times the values, however many processes there are.</remarks>
    /// <param name="values">The values of this process; afterwards the sums.</param>
    /// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
    /// <exception cref="ProcessGroupException">Another process has ended.</exception>
    public void AllSum<T>(Span<T> values)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // Pieces whose slices stay in a cache while they are added up.
        var (line, size) = (CacheLine<T>.Length, Size);
        var step = Math.Clamp((1 << 20) / Unsafe.SizeOf<T>(), line, int.MaxValue) * size;
        if (size == 1 || values.IsEmpty)
        {
            return;
        }

        using var time = new Timing(this);
        var slice = SliceOf(Math.Min(step, values.Length), size, line);
        var sums = Buffer<T>(ref _sent, slice * size);
        var received = Buffer<T>(ref _received, slice * size);
        for (var start = 0; start < values.Length; start += step)
        {
            var piece = values.Slice(start, Math.Min(step, values.Length - start));
            slice = SliceOf(piece.Length, size, line);

            // All slices have one size; what is missing at the end of the last ones is sent as it stands in the buffer and not looked at.
            var sent = sums[..(slice * size)];
            piece.CopyTo(sent);
            var parts = received[..(slice * size)];
            AllToAllBytes(MemoryMarshal.AsBytes((ReadOnlySpan<T>)sent), MemoryMarshal.AsBytes(parts));
            var sum = parts[..slice];
            for (var rank = 1; rank < size; rank++)
            {
                SpanKernels<T>.Add(parts.Slice(rank * slice, slice), sum);
            }

            AllGatherBytes(MemoryMarshal.AsBytes((ReadOnlySpan<T>)sum), MemoryMarshal.AsBytes(sent));
            sent[..piece.Length].CopyTo(piece);
        }
    }

    /// <summary>Sends a block to each process and receives one from each, of the same size.</summary>
    internal void AllToAll<TValue>(ReadOnlySpan<TValue> sent, Span<TValue> received)
        where TValue : unmanaged
    {
        using var time = new Timing(this);
        AllToAllBytes(MemoryMarshal.AsBytes(sent), MemoryMarshal.AsBytes(received));
    }

    /// <summary>
    /// Ends all processes, where one of them can go on no longer and the others wait for it. Called where a process fails between two operations that belong together; does nothing unless overridden.
    /// </summary>
    /// <param name="message">Why.</param>
    public virtual void Abort(string message)
    {
    }

    /// <summary>Gives the bytes of one process to all.</summary>
    /// <param name="bytes">On the root what is sent, on the others what is written to.</param>
    /// <param name="root">The rank that sends.</param>
    protected abstract void BroadcastBytes(Span<byte> bytes, int root);

    /// <summary>Puts the bytes of all processes one behind the other.</summary>
    /// <param name="own">The bytes of this process.</param>
    /// <param name="all">N times as many.</param>
    protected abstract void AllGatherBytes(ReadOnlySpan<byte> own, Span<byte> all);

    /// <summary>Sends a block to each process and receives one from each.</summary>
    /// <param name="sent">N blocks of one size; block r is for rank r, the own one too.</param>
    /// <param name="received">As many bytes; block r is what rank r has sent here.</param>
    protected abstract void AllToAllBytes(ReadOnlySpan<byte> sent, Span<byte> received);

    private static Span<T> Buffer<T>(ref byte[] buffer, int length)
        where T : unmanaged
    {
        var bytes = length * Unsafe.SizeOf<T>();
        if (buffer.Length < bytes)
        {
            buffer = GC.AllocateUninitializedArray<byte>(bytes, pinned: true);
        }

        return MemoryMarshal.Cast<byte, T>(buffer.AsSpan(0, bytes));
    }

    private static int SliceOf(int length, int size, int line) => (((length + size - 1) / size) + line - 1) / line * line;

    private readonly struct Timing(ProcessGroup group) : IDisposable
    {
        private readonly long _start = Stopwatch.GetTimestamp();

        public void Dispose() => group.CommunicationTime += Stopwatch.GetElapsedTime(_start);
    }
}
