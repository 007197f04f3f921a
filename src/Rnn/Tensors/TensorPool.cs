using System.Numerics;

namespace Rnn.Tensors;

/// <summary>
/// Pinned arrays that are lent and taken back: workspaces of the sequence engine, gradients of intermediate values, tensors of a
/// <see cref="TensorScope"/>. There are four sizes for each power of two, so at most a fifth of an array is unused. Safe for several threads.
/// </summary>
/// <remarks>
/// After a full garbage collection the pool drops arrays that have lain idle for longer than any was before it was used again. Age is counted
/// in arrays lent, not in collections or seconds: a training step in steady state finds everything it used in the step before, however often
/// the program around it causes a collection, and what a single large batch needed goes after a few small ones.
/// </remarks>
internal static class TensorPool<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int SmallestLog2 = 6;

    // No array is dropped that was used within so many of the last loans.
    private const long LeastAge = 8;

    // A pool that nobody asked for anything for so long drops all it has.
    private const long QuietMilliseconds = 2_000;

    private static readonly Shelf[] Shelves = MakeShelves();
    private static long _loans;
    private static long _returns;
    private static long _idleBytes;

    // The longest that an array lay idle before it was used again, in this window of loans and in the one before: what was usual once fades.
    private static long _longestRest;
    private static long _longestRestBefore;
    private static long _windowStart;
    private static long _quietLoans = -1;
    private static long _quietSince;

    static TensorPool() => TensorMemory.Register(new Trimmer());

    /// <summary>How many arrays are out; a test asserts that none leaks.</summary>
    internal static int Lent => (int)(Volatile.Read(ref _loans) - Volatile.Read(ref _returns));

    /// <summary>The bytes of the arrays that wait to be used again.</summary>
    internal static long IdleBytes => Volatile.Read(ref _idleBytes);

    /// <summary>Lends an array of at least <paramref name="length"/> elements with unknown content.</summary>
    internal static T[] Rent(int length)
    {
        var (sizeClass, size) = SizeOf(length);
        var now = Interlocked.Increment(ref _loans);
        var shelf = Shelves[sizeClass];
        Idle idle;
        lock (shelf)
        {
            if (!shelf.TryPop(out idle))
            {
                idle = default;
            }
        }

        if (idle.Array is not { } array)
        {
            return GC.AllocateUninitializedArray<T>(size, pinned: true);
        }

        Interlocked.Add(ref _idleBytes, -BytesOf(array));
        var rest = now - idle.Since;
        if (rest > Volatile.Read(ref _longestRest))
        {
            Volatile.Write(ref _longestRest, rest);
        }

        return array;
    }

    /// <summary>Takes back an array that <see cref="Rent"/> lent.</summary>
    internal static void Return(T[] array)
    {
        Interlocked.Increment(ref _returns);
        Interlocked.Add(ref _idleBytes, BytesOf(array));
        var shelf = Shelves[SizeOf(array.Length).SizeClass];
        lock (shelf)
        {
            shelf.Push(new(array, Volatile.Read(ref _loans)));
        }
    }

    /// <summary>Drops the arrays that nobody seems to need any more, or all that are not lent.</summary>
    internal static void Trim(bool all)
    {
        var now = Volatile.Read(ref _loans);
        all |= IsQuiet(now);
        if (all)
        {
            (_longestRestBefore, _windowStart) = (0, now);
            Volatile.Write(ref _longestRest, 0);
        }

        var rest = Math.Max(Math.Max(Volatile.Read(ref _longestRest), _longestRestBefore), LeastAge / 2);
        if (now - _windowStart > 4 * rest)
        {
            (_longestRestBefore, _windowStart) = (Volatile.Read(ref _longestRest), now);
            Volatile.Write(ref _longestRest, 0);
        }

        var oldest = all ? long.MaxValue : now - (2 * rest);
        foreach (var shelf in Shelves)
        {
            lock (shelf)
            {
                Interlocked.Add(ref _idleBytes, -shelf.DropUntil(oldest));
            }
        }
    }

    private static long BytesOf(T[] array) => (long)array.Length * System.Runtime.CompilerServices.Unsafe.SizeOf<T>();

    private static bool IsQuiet(long loans)
    {
        if (loans != _quietLoans)
        {
            (_quietLoans, _quietSince) = (loans, Environment.TickCount64);
            return false;
        }

        return Environment.TickCount64 - _quietSince >= QuietMilliseconds;
    }

    private static (int SizeClass, int Size) SizeOf(int length)
    {
        var needed = Math.Max(length, 1 << SmallestLog2);
        var octave = System.Numerics.BitOperations.Log2((uint)(needed - 1));
        var floor = 1L << octave;
        var quarter = Math.Max(1, floor >> 2);
        var step = (int)((needed - floor + quarter - 1) / quarter);
        var size = floor + (step * quarter);
        return (((octave - SmallestLog2 + 1) * 4) + step, (int)Math.Min(size, Array.MaxLength));
    }

    private static Shelf[] MakeShelves()
    {
        var shelves = new Shelf[((31 - SmallestLog2 + 2) * 4) + 5];
        for (var i = 0; i < shelves.Length; i++)
        {
            shelves[i] = new Shelf();
        }

        return shelves;
    }

    /// <summary>An array that waits, and the number of loans when it began to.</summary>
    private readonly struct Idle(T[] array, long since)
    {
        internal readonly T[]? Array = array;
        internal readonly long Since = since;
    }

    /// <summary>The idle arrays of one size: the last to come is the first to go, so the longest idle ones stand in front.</summary>
    private sealed class Shelf
    {
        private Idle[] _items = [];
        private int _count;

        internal void Push(Idle idle)
        {
            if (_count == _items.Length)
            {
                System.Array.Resize(ref _items, Math.Max(4, 2 * _count));
            }

            _items[_count++] = idle;
        }

        internal bool TryPop(out Idle idle)
        {
            if (_count == 0)
            {
                idle = default;
                return false;
            }

            idle = _items[--_count];
            _items[_count] = default;
            return true;
        }

        /// <summary>Drops what has been idle since <paramref name="oldest"/> or longer; gives the bytes.</summary>
        internal long DropUntil(long oldest)
        {
            var dropped = 0;
            var bytes = 0L;
            while (dropped < _count && _items[dropped].Since <= oldest)
            {
                bytes += BytesOf(_items[dropped++].Array!);
            }

            if (dropped > 0)
            {
                _count -= dropped;
                System.Array.Copy(_items, dropped, _items, 0, _count);
                System.Array.Clear(_items, _count, dropped);
            }

            return bytes;
        }
    }

    private sealed class Trimmer : TensorMemory.ITrimmable
    {
        public void Trim(bool all) => TensorPool<T>.Trim(all);

        public long IdleBytes => TensorPool<T>.IdleBytes;
    }
}
