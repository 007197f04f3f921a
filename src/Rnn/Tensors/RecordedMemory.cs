using System.Diagnostics;

namespace Rnn.Tensors;

/// <summary>Pooled memory that a recorded operation has saved for its backward pass.</summary>
internal interface IRecordedMemory
{
    /// <summary>Returns the memory to its pool.</summary>
    void GiveBack();
}

/// <summary>
/// The list of memory that recorded operations have saved for a backward pass. The backward pass releases it. Where none ever runs (inference in training
/// mode, a loss that throws, a graph that is dropped), it is released once the garbage collector has found the operation unreachable.
/// </summary>
/// <remarks>
/// Operations have no finalizers: those would keep an operation and all it refers to alive for another collection, and run on a thread of their own. The
/// list refers to operations weakly and to their memory strongly; whoever removes an entry, under the lock, releases its memory. Renting pooled memory
/// causes no garbage collections, so the list causes one itself once much memory waits.
/// </remarks>
internal static class RecordedMemory
{
    // Up to so many bytes may wait before the list looks for unreachable operations.
    private const long LeastLimit = 64L << 20;

    // What an entry costs besides its arrays: the pass itself with its tables.
    private const long BytesOfEntry = 16 << 10;

    private static readonly Lock Gate = new();
    private static readonly List<Entry> Entries = [];
    private static readonly Stack<Entry> Spare = [];
    private static long _bytes;
    private static long _most;
    private static long _limit = LeastLimit;
    private static int _collections;

    /// <summary>The bytes that wait for a backward pass.</summary>
    internal static long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Adds the memory that <paramref name="operation"/> has saved; <see cref="End"/> removes it.</summary>
    internal static Entry Begin(object operation, IRecordedMemory memory, long bytes)
    {
        // Any collection since may have found operations unreachable.
        var collections = GC.CollectionCount(0);
        if (collections != Volatile.Read(ref _collections))
        {
            Volatile.Write(ref _collections, collections);
            TakeBack();
        }

        Entry? entry;
        lock (Gate)
        {
            entry = Spare.TryPop(out var spare) ? spare : new();
            entry.Operation.Target = operation;
            entry.Memory = memory;
            entry.Bytes = bytes + BytesOfEntry;
            entry.Place = Entries.Count;
            Entries.Add(entry);
            _bytes += entry.Bytes;
            _most = Math.Max(_most, _bytes);
            if (_bytes <= _limit)
            {
                return entry;
            }
        }

        Collect();
        GC.KeepAlive(operation);
        return entry;
    }

    /// <summary>Removes an entry and releases its memory. The operation must stay reachable until this has returned.</summary>
    internal static void End(Entry entry)
    {
        IRecordedMemory memory;
        lock (Gate)
        {
            memory = Remove(entry);
        }

        memory.GiveBack();
    }

    /// <summary>Releases the memory of operations that are unreachable.</summary>
    internal static void TakeBack()
    {
        lock (Gate)
        {
            for (var i = Entries.Count - 1; i >= 0; i--)
            {
                if (!Entries[i].Operation.IsAlive)
                {
                    Remove(Entries[i]).GiveBack();
                }
            }
        }
    }

    /// <summary>Lowers the limit after a full collection if much less memory was needed since the one before.</summary>
    internal static void AfterCollection()
    {
        lock (Gate)
        {
            if (_most < _limit / 4)
            {
                _limit = Math.Max(LeastLimit, _limit / 2);
            }

            _most = _bytes;
            while (Spare.Count > Math.Max(16, Entries.Count))
            {
                Spare.Pop();
            }
        }
    }

    // The youngest generation first: operations that are dropped one after the other never leave it.
    private static void Collect()
    {
        GC.Collect(0);
        TakeBack();
        if (Bytes > Volatile.Read(ref _limit) / 2)
        {
            GC.Collect();
            TakeBack();
        }

        lock (Gate)
        {
            // What is left is in use: look again when it has doubled.
            _limit = Math.Max(_limit, Math.Max(LeastLimit, 2 * _bytes));
        }
    }

    private static IRecordedMemory Remove(Entry entry)
    {
        Debug.Assert(ReferenceEquals(Entries[entry.Place], entry), "An entry ends once.");
        var last = Entries[^1];
        Entries[entry.Place] = last;
        last.Place = entry.Place;
        Entries.RemoveAt(Entries.Count - 1);
        _bytes -= entry.Bytes;
        var memory = entry.Memory!;
        entry.Memory = null;
        entry.Operation.Target = null;
        Spare.Push(entry);
        return memory;
    }

    /// <summary>One operation and the memory that it has saved. Entries are reused.</summary>
    internal sealed class Entry
    {
        // An operation that a finalizer may still resurrect counts as reachable.
        internal readonly WeakReference Operation = new(null, trackResurrection: true);
        internal IRecordedMemory? Memory;
        internal long Bytes;
        internal int Place;
    }
}
