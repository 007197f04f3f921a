using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Rnn.Kernels;

/// <summary>What the sums of a product start from where C itself is not it: zeros or a bias, the same for every row.</summary>
internal readonly unsafe struct SumStart<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Zeros, as many as the columns of the widest micro-kernel.</summary>
    public readonly T* Zeros;

    /// <summary>Row distances of zero, as many as the rows of the highest micro-kernel.</summary>
    public readonly nint* SameRow;

    /// <summary>A few bytes for the life of the process.</summary>
    /// <param name="columns">Columns of the widest micro-kernel.</param>
    /// <param name="rows">Rows of the highest micro-kernel.</param>
    public SumStart(int columns, int rows)
    {
        var length = (nuint)(columns * sizeof(T));
        Zeros = (T*)NativeMemory.AlignedAlloc(length, CacheLine<T>.Bytes);
        NativeMemory.Clear(Zeros, length);
        SameRow = (nint*)NativeMemory.AllocZeroed((nuint)rows, (nuint)sizeof(nint));
    }

    /// <summary>The starting values alone, where nothing is summed: the bias or zeros into some columns of C.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Write(int rows, Rows<T> c, bool accumulate, T* bias, int firstColumn, int endColumn)
    {
        if (accumulate)
        {
            return;
        }

        var columns = endColumn - firstColumn;
        if (bias == null && c.Offsets == null && c.Stride == columns)
        {
            new Span<T>(c.Start + firstColumn, checked(rows * columns)).Clear();
            return;
        }

        for (var r = 0; r < rows; r++)
        {
            var row = new Span<T>(c[r] + firstColumn, columns);
            if (bias == null)
            {
                row.Clear();
            }
            else
            {
                new ReadOnlySpan<T>(bias + firstColumn, columns).CopyTo(row);
            }
        }
    }
}
