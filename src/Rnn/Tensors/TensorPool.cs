using System.Numerics;

namespace Rnn.Tensors;

/// <summary>
/// Pinned arrays that are lent and taken back: workspaces of the sequence engine, gradients of intermediate values, tensors of a
/// <see cref="TensorScope"/>. Arrays come in sizes of four steps an octave, so at most a fifth is idle. Safe for several threads.
/// </summary>
internal static class TensorPool<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int SmallestLog2 = 6;

    private static readonly Stack<T[]>[] Free = MakeStacks();
    private static int _lent;

    /// <summary>How many arrays are out; a test asserts that none leaks.</summary>
    internal static int Lent => Volatile.Read(ref _lent);

    /// <summary>Lends an array of at least <paramref name="length"/> elements with unknown content.</summary>
    internal static T[] Rent(int length)
    {
        var (sizeClass, size) = SizeOf(length);
        Interlocked.Increment(ref _lent);
        var stack = Free[sizeClass];
        lock (stack)
        {
            if (stack.TryPop(out var array))
            {
                return array;
            }
        }

        return GC.AllocateUninitializedArray<T>(size, pinned: true);
    }

    /// <summary>Takes back an array that <see cref="Rent"/> lent.</summary>
    internal static void Return(T[] array)
    {
        Interlocked.Decrement(ref _lent);
        var stack = Free[SizeOf(array.Length).SizeClass];
        lock (stack)
        {
            stack.Push(array);
        }
    }

    /// <summary>Frees all arrays that are not lent.</summary>
    internal static void Trim()
    {
        foreach (var stack in Free)
        {
            lock (stack)
            {
                stack.Clear();
            }
        }
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

    private static Stack<T[]>[] MakeStacks()
    {
        var stacks = new Stack<T[]>[((31 - SmallestLog2 + 2) * 4) + 5];
        for (var i = 0; i < stacks.Length; i++)
        {
            stacks[i] = new Stack<T[]>();
        }

        return stacks;
    }
}
