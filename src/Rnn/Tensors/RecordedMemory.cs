using System.Diagnostics;

namespace Rnn.Tensors;

/// <summary>Pooled memory that a recorded operation keeps for its backward pass.</summary>
internal interface IRecordedMemory
{
    /// <summary>Gives the memory back to where it came from.</summary>
    void GiveBack();
}

/// <summary>
/// Who keeps what for a backward pass. The backward pass gives it back; where none ever comes (a forward pass in training mode to infer, a
/// loss that throws, a graph that is dropped) the memory is taken back once the garbage collector has found that nobody can reach the operation.
/// </summary>
/// <remarks>
/// Operations have no finalizers: those would keep them and all they refer to alive for another collection, and run at a time of their own. The
/// list refers to operations weakly and to their memory strongly, and whoever takes an entry off it, under its lock, gives the memory back.
/// Collections are not caused by pooled memory that is only passed around, so the list asks for one itself where much was recorded and nothing came back.
/// </remarks>
internal static class RecordedMemory
{
    // What may wait for a backward pass before the list looks whether one can still come.
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

    /// <summary>Notes that <paramref name="operation"/> keeps memory, until <see cref="End"/>.</summary>
    internal static Entry Begin(object operation, IRecordedMemory memory, long bytes)
    {
        // A collection of any generation may have found operations that are gone.
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

    /// <summary>Takes an entry off the list and gives its memory back. The operation must be alive until this has returned.</summary>
    internal static void End(Entry entry)
    {
        IRecordedMemory memory;
        lock (Gate)
        {
            memory = Remove(entry);
        }

        memory.GiveBack();
    }

    /// <summary>Gives back the memory of operations that nobody can reach any more.</summary>
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

    /// <summary>Lets the limit follow the need down again.</summary>
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

    // Young operations first: passes that are forgotten one after the other never get old.
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
            // What is left is needed: look again when it has doubled.
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

    /// <summary>One operation and what it keeps; used again.</summary>
    internal sealed class Entry
    {
        // As long as a finalizer may bring the operation back to life it counts as alive.
        internal WeakReference Operation { get; } = new(null, trackResurrection: true);

        internal IRecordedMemory? Memory { get; set; }

        internal long Bytes { get; set; }

        internal int Place { get; set; }
    }
}
