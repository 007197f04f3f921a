using Rnn.Kernels;

namespace Rnn.Tensors;

/// <summary>
/// The memory that the library holds for reuse: workspaces of recurrent layers, gradients of intermediate values, tensors of scopes. It
/// shrinks by itself: after each full garbage collection, memory that has not been used for some time is freed, and if that is most of the
/// heap, it is returned to the operating system.
/// </summary>
/// <remarks>Parameters, gradients of parameters, optimisers' states and tensors that are in use are never touched.</remarks>
public static class TensorMemory
{
    // Freed memory of at least so many bytes, and more than half of the heap, is worth a collection that returns it to the operating system.
    private const long LeastHandedBack = 64L << 20;

    private static readonly Lock Gate = new();
    private static readonly List<WeakReference<ITrimmable>> Users = [];
    private static readonly List<ITrimmable> Pools = [];

    static TensorMemory() => _ = new FullCollection();

    /// <summary>What keeps memory for reuse.</summary>
    internal interface ITrimmable
    {
        /// <summary>The bytes of memory that is not in use.</summary>
        long IdleBytes { get; }

        /// <summary>Frees memory that is not in use: <paramref name="all"/> of it, or what seems not to be needed any more.</summary>
        void Trim(bool all);
    }

    /// <summary>The bytes that are held for reuse and not in use at the moment.</summary>
    public static long IdleBytes
    {
        get
        {
            lock (Gate)
            {
                var bytes = 0L;
                foreach (var pool in Pools)
                {
                    bytes += pool.IdleBytes;
                }

                foreach (var user in Users)
                {
                    bytes += user.TryGetTarget(out var target) ? target.IdleBytes : 0;
                }

                return bytes;
            }
        }
    }

    /// <summary>
    /// Frees all memory that is held for reuse and not in use, and returns it to the operating system. Useful after an unusually large batch or at the
    /// end of training. Takes as long as a full, compacting garbage collection, and whatever runs next must allocate again. Safe at any
    /// time, from any thread.
    /// </summary>
    public static void Trim()
    {
        if (RecordedMemory.Bytes > 0)
        {
            // Finds the graphs that nobody can reach any more.
            GC.Collect();
        }

        Trim(all: true);
        HandBack();
    }

    /// <summary>Adds a pool to what is trimmed.</summary>
    internal static void Register(ITrimmable pool)
    {
        lock (Gate)
        {
            Pools.Add(pool);
        }
    }

    /// <summary>Adds an object to what is trimmed, for as long as something else refers to it.</summary>
    internal static void RegisterWeakly(ITrimmable user)
    {
        lock (Gate)
        {
            Users.Add(new(user));
        }
    }

    // The collector keeps freed pages for its own use for a long time, unless it is asked like this.
    private static void HandBack() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);

    private static void TrimAfterCollection()
    {
        var before = IdleBytes;
        Trim(all: false);
        var freed = before - IdleBytes;
        if (freed >= LeastHandedBack && freed >= GC.GetTotalMemory(forceFullCollection: false) / 2)
        {
            HandBack();
        }
    }

    private static void Trim(bool all)
    {
        RecordedMemory.TakeBack();
        TrimEpoch.Advance();
        lock (Gate)
        {
            for (var i = Users.Count - 1; i >= 0; i--)
            {
                if (Users[i].TryGetTarget(out var user))
                {
                    user.Trim(all);
                }
                else
                {
                    Users[i] = Users[^1];
                    Users.RemoveAt(Users.Count - 1);
                }
            }

            foreach (var pool in Pools)
            {
                pool.Trim(all);
            }
        }
    }

    /// <summary>Nobody refers to it, so each collection of its generation, the oldest before long, finalises it; then it waits for the next.</summary>
    private sealed class FullCollection
    {
        ~FullCollection()
        {
            if (!Environment.HasShutdownStarted)
            {
                GC.ReRegisterForFinalize(this);
                RecordedMemory.AfterCollection();
                TrimAfterCollection();
            }
        }
    }
}
