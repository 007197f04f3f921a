using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Rnn.Kernels;

/// <summary>
/// <see cref="MatrixKernels{T}"/> over one vector type. B is packed in panels of two vectors: [panel][k][two vectors], padded with
/// zeros. Many rows take a panel block by block along k, so that a block stays in the first-level cache while all rows pass; few
/// rows stream through several panels at once.
/// </summary>
internal sealed unsafe partial class PanelKernels<TSimd, TVector, T> : MatrixKernels<T>
    where TSimd : struct, ITileRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Bytes that packed panels and scratch are aligned to: one cache line, one widest vector.</summary>
    private const int Alignment = 64;

    /// <summary>The largest block of the summed dimension: 256 k of two 512-bit vectors are 32 KB.</summary>
    private const int LargestBlock = 256;

    private readonly nint* _noStride;
    private readonly T* _zeros;

    public PanelKernels()
    {
        // A few bytes for the life of the process: what sums start from when they start from nothing.
        var length = (nuint)(MostPanels * Width * sizeof(T));
        _zeros = (T*)NativeMemory.AlignedAlloc(length, Alignment);
        NativeMemory.Clear(_zeros, length);
        _noStride = (nint*)NativeMemory.AllocZeroed((nuint)MostRows, (nuint)sizeof(nint));
    }

    /// <inheritdoc/>
    public override int PanelWidth => Width;

    private static int Width => 2 * TSimd.Count;

    /// <summary>Elements of one cache line: the slack that alignment takes.</summary>
    private static int Line => Alignment / sizeof(T);

    /// <summary>Rows of the largest tile: its accumulators, one panel step and one broadcast fill the registers.</summary>
    private static int MostRows => Simd.HasManyRegisters ? 12 : 6;

    /// <inheritdoc/>
    public override nint PackedLength(int inner, int outputs) => ((nint)inner * PanelCount(outputs) * Width) + Line;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T* Align(T* memory) => (T*)(((nuint)memory + (Alignment - 1)) & ~(nuint)(Alignment - 1));

    /// <summary>How far one block of the summed dimension reaches: equal blocks, none above <paramref name="largest"/>.</summary>
    private static int BlockLength(int inner, int largest)
    {
        var blocks = (inner + largest - 1) / largest;
        return blocks <= 1 ? inner : (inner + blocks - 1) / blocks;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyRow(T* source, T* destination, int count) =>
        new ReadOnlySpan<T>(source, count).CopyTo(new Span<T>(destination, count));

    /// <summary>Less than two vectors, without a call: vectors that overlap, and only what is too short for one by elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyShort(T* source, T* destination, int count)
    {
        if (count >= TSimd.Count)
        {
            var last = count - TSimd.Count;
            var end = TSimd.Load(source + last);
            TSimd.Store(TSimd.Load(source), destination);
            TSimd.Store(end, destination + last);
            return;
        }

        var quad = Vector128<T>.Count;
        while (count >= quad)
        {
            Vector128.Load(source).Store(destination);
            source += quad;
            destination += quad;
            count -= quad;
        }

        while (count > 0)
        {
            *destination++ = *source++;
            count--;
        }
    }

    /// <summary>The distances of rows that lie in turn.</summary>
    private static void FillStrides(nint* strides, int rows, nint stride)
    {
        for (var r = 0; r < rows; r++)
        {
            strides[r] = r * stride;
        }
    }
}
