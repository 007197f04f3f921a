using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Rnn.Kernels;

/// <summary>
/// <see cref="MatrixKernels{T}"/> over one vector type. B is packed in panels of two vectors, split along k in blocks so that one
/// panel of one block stays in the first-level cache: [block][panel][k in block][two vectors], padded with zeros.
/// </summary>
internal sealed unsafe partial class PanelKernels<TSimd, TVector, T> : MatrixKernels<T>
    where TSimd : struct, IRegisters<TVector, T>
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
        _zeros = (T*)NativeMemory.AlignedAlloc((nuint)(Width * sizeof(T)), Alignment);
        NativeMemory.Clear(_zeros, (nuint)(Width * sizeof(T)));
        _noStride = (nint*)NativeMemory.AllocZeroed((nuint)MostRows, (nuint)sizeof(nint));
    }

    /// <inheritdoc/>
    public override int PanelWidth => Width;

    private static int Width => 2 * TSimd.Count;

    /// <summary>Rows of the largest tile: its accumulators, one panel step and one broadcast fill the registers.</summary>
    private static int MostRows => Simd.HasManyRegisters ? 12 : 6;

    /// <inheritdoc/>
    public override nint PackedLength(int inner, int outputs) => ((nint)inner * PanelCount(outputs) * Width) + (Alignment / sizeof(T));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T* Align(T* memory) => (T*)(((nuint)memory + (Alignment - 1)) & ~(nuint)(Alignment - 1));

    /// <summary>How far one block of the summed dimension reaches: equal blocks, none above <see cref="LargestBlock"/>.</summary>
    private static int BlockLength(int inner)
    {
        var blocks = (inner + LargestBlock - 1) / LargestBlock;
        return blocks <= 1 ? inner : (inner + blocks - 1) / blocks;
    }
}
