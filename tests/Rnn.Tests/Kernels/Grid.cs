using System.Numerics;
using System.Runtime.InteropServices;
using Rnn.Kernels;

namespace Rnn.Tests.Kernels;

/// <summary>Rows of random numbers in native memory with guard words before, between and behind them, and no alignment.</summary>
internal sealed unsafe class Grid<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int Gap = 3;

    // Kernels get pointers, which keep nothing alive: a grid that its test does not look at again could be collected while a kernel still writes to it. So each thread holds on to the last of them.
    private const int Held = 256;

    [ThreadStatic]
    private static Queue<T[]>? s_held;

    private readonly T[] _memory;
    private readonly int _rows;
    private readonly int _columns;
    private readonly T _guard = T.CreateTruncating(-12345.75);

    internal Grid(int rows, int columns, int seed, bool positive = false)
    {
        (_rows, _columns) = (rows, columns);
        _memory = GC.AllocateArray<T>(Gap + (Math.Max(rows, 1) * (columns + Gap)), pinned: true);
        var held = s_held ??= new();
        held.Enqueue(_memory);
        if (held.Count > Held)
        {
            held.Dequeue();
        }

        Array.Fill(_memory, _guard);
        var random = new Random(seed);
        for (var r = 0; r < rows; r++)
        {
            foreach (ref var value in Row(r))
            {
                value = T.CreateTruncating((random.NextDouble() * 6) - (positive ? 0 : 2.5));
            }
        }
    }

    internal Rows<T> Rows => new((T*)Marshal.UnsafeAddrOfPinnedArrayElement(_memory, Gap), _columns + Gap);

    internal T this[int row, int column] => Row(row)[column];

    internal Span<T> Row(int row) => _memory.AsSpan(Gap + (row * (_columns + Gap)), _columns);

    internal double[][] ToDouble() => [.. Enumerable.Range(0, _rows).Select(r => Row(r).ToArray().Select(double.CreateTruncating).ToArray())];

    internal static void AssertGuards(params Grid<T>[] grids)
    {
        foreach (var grid in grids)
        {
            for (var i = 0; i < grid._memory.Length; i++)
            {
                var inRow = i >= Gap && (i - Gap) % (grid._columns + Gap) < grid._columns && (i - Gap) / (grid._columns + Gap) < grid._rows;
                Assert.True(inRow || grid._memory[i] == grid._guard, $"guard word {i} overwritten");
            }
        }
    }
}
