using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>How products are cut into tiles of rows and blocks of the summed dimension.</summary>
internal static unsafe class TileShape
{
    /// <summary>Rows of the largest tile: its accumulators, one panel step and one broadcast fill the registers.</summary>
    internal static int MostRows => Simd.HasManyRegisters ? 12 : 6;

    /// <summary>
    /// The largest block of the summed dimension: two thirds of the first-level cache hold that part of a panel while all tiles of rows pass it, a third what is read of the rows.
    /// </summary>
    /// <param name="panelStep">Bytes of a panel for each k.</param>
    internal static int LargestBlock(int panelStep) => Math.Max(64, CacheSizes.First * 2 / 3 / panelStep & -32);

    /// <summary>How far one block of the summed dimension reaches: equal blocks, none above <paramref name="largest"/>.</summary>
    internal static int BlockLength(int inner, int largest)
    {
        var blocks = (inner + largest - 1) / largest;
        return blocks <= 1 ? inner : Math.Min(largest, (((inner + blocks - 1) / blocks) + 3) & -4);
    }

    /// <summary>The distances of rows that lie in turn.</summary>
    internal static void FillStrides(nint* strides, int rows, nint stride)
    {
        for (var r = 0; r < rows; r++)
        {
            strides[r] = r * stride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void CopyRow<T>(T* source, T* destination, int count)
        where T : unmanaged => new ReadOnlySpan<T>(source, count).CopyTo(new Span<T>(destination, count));
}
