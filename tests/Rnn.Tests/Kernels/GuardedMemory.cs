using System.Numerics;
using System.Runtime.InteropServices;
using Rnn.Kernels;

namespace Rnn.Tests.Kernels;

/// <summary>Native memory between guard words.</summary>
internal sealed unsafe class GuardedMemory<T> : IDisposable
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int Margin = 64;
    private static readonly T Guard = T.CreateChecked(-987654);
    private readonly nint _length;
    private readonly T* _memory;

    internal GuardedMemory(nint length)
    {
        _length = length;
        _memory = (T*)NativeMemory.Alloc((nuint)((length + (2 * Margin)) * sizeof(T)));
        for (nint i = 0; i < length + (2 * Margin); i++)
        {
            _memory[i] = Guard;
        }
    }

    // An odd beginning: nothing may depend on the alignment of what a caller gives.
    internal T* Start => _memory + Margin + 1;

    public void Dispose() => NativeMemory.Free(_memory);

    internal void Check()
    {
        for (nint i = 0; i < Margin; i++)
        {
            Assert.Equal(Guard, _memory[i]);
            Assert.Equal(Guard, i == 0 ? Guard : _memory[_length + Margin + i]);
        }
    }
}

/// <summary>A matrix of random numbers with guard words between its rows, which lie in turn or at offsets in any order.</summary>
internal sealed unsafe class GuardedMatrix<T> : IDisposable
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int Gap = 5;
    private static readonly T Guard = T.CreateChecked(123456789);
    private readonly int _rows;
    private readonly int _columns;
    private readonly int _stride;
    private readonly T* _memory;
    private readonly nint* _offsets;

    /// <summary>Fills a matrix.</summary>
    /// <param name="rows">The number of rows.</param>
    /// <param name="columns">The number of columns.</param>
    /// <param name="random">Gives the numbers, from −1 to 1, and the order of rows at offsets.</param>
    /// <param name="offsets">Whether the rows lie in any order behind a table of offsets.</param>
    /// <param name="stride">Elements from one row to the next, more than the columns; 0 for a few more.</param>
    internal GuardedMatrix(int rows, int columns, Random random, bool offsets, int stride = 0)
    {
        (_rows, _columns, _stride) = (rows, columns, stride == 0 ? columns + Gap : stride);
        _memory = (T*)NativeMemory.Alloc((nuint)(Length * sizeof(T)));
        _offsets = (nint*)NativeMemory.Alloc((nuint)((rows + 1) * sizeof(nint)));
        new Span<T>(_memory, checked((int)Length)).Fill(Guard);
        var order = Enumerable.Range(0, rows).ToArray();
        if (offsets)
        {
            random.Shuffle(order);
        }

        for (var r = 0; r < rows; r++)
        {
            _offsets[r] = (nint)order[r] * _stride;
        }

        Rows = new Rows<T>(_memory + Gap, _stride, offsets ? _offsets : null);
        for (var r = 0; r < rows; r++)
        {
            for (var j = 0; j < columns; j++)
            {
                Rows[r][j] = T.CreateChecked((random.NextDouble() * 2) - 1);
            }
        }
    }

    internal Rows<T> Rows { get; }

    internal T this[int row, int column] => Rows[row][column];

    private nint Length => Gap + ((nint)_rows * _stride);

    public void Dispose()
    {
        NativeMemory.Free(_memory);
        NativeMemory.Free(_offsets);
    }

    /// <summary>Takes the numbers of another matrix of the same size.</summary>
    internal void CopyFrom(GuardedMatrix<T> other)
    {
        for (var r = 0; r < _rows; r++)
        {
            new ReadOnlySpan<T>(other.Rows[r], _columns).CopyTo(new Span<T>(Rows[r], _columns));
        }
    }

    /// <summary>Compares with another matrix of the same size, number by number, and looks at the guard words.</summary>
    internal void CheckSame(GuardedMatrix<T> expected, string what)
    {
        for (var r = 0; r < _rows; r++)
        {
            for (var j = 0; j < _columns; j++)
            {
                Assert.True(expected[r, j].Equals(this[r, j]), $"{what}: [{r}, {j}] is {this[r, j]}, expected {expected[r, j]}");
            }
        }

        CheckGuards();
    }

    internal void CheckGuards()
    {
        for (nint i = 0; i < Gap; i++)
        {
            Assert.Equal(Guard, _memory[i]);
        }

        for (var row = 0; row < _rows; row++)
        {
            var behind = new ReadOnlySpan<T>(_memory + Gap + ((nint)row * _stride) + _columns, _stride - _columns);
            Assert.False(behind.ContainsAnyExcept(Guard), $"a guard word behind row {row} was overwritten");
        }
    }
}
