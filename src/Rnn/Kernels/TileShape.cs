using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>How products are cut into tiles of rows and blocks of the summed dimension.</summary>
internal static unsafe class TileShape
{
    /// <summary>Rows of the largest tile: its accumulators, one panel step and one broadcast fill the registers.</summary>
    internal static int MostRows => Simd.HasManyRegisters ? 12 : 6;

    /// <summary>How far one block of the summed dimension reaches: equal blocks, none above <paramref name="largest"/>.</summary>
    internal static int BlockLength(int inner, int largest)
    {
        var blocks = (inner + largest - 1) / largest;
        return blocks <= 1 ? inner : (inner + blocks - 1) / blocks;
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
