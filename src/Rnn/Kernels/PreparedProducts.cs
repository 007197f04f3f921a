using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Rnn.Kernels;

/// <summary>
/// Products of few rows whose operands stay where they are from step to step, such as those of a stream: what <see cref="MatrixKernels{T}.Multiply"/> works out at each call is worked out once.
/// The bits are the same. Made by <see cref="MatrixKernels{T}.Prepare"/>.
/// </summary>
internal sealed unsafe class PreparedProducts<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly MatrixKernels<T> _kernels;
    private readonly FewRowsCall<T>[] _calls;
    private readonly nint[] _strides;
    private readonly T[][] _memory;

    /// <summary>Copies calls into memory that does not move.</summary>
    /// <param name="kernels">The kernels that run them.</param>
    /// <param name="calls">The calls; the distances of the rows of C and, where sums start from C, of what they start from are set here.</param>
    /// <param name="strides">Of each call the elements from one row of C to the next.</param>
    /// <param name="memory">Pinned memory that the calls point into.</param>
    internal PreparedProducts(MatrixKernels<T> kernels, ReadOnlySpan<FewRowsCall<T>> calls, ReadOnlySpan<nint> strides, T[][] memory)
    {
        _kernels = kernels;
        _memory = memory;
        _calls = GC.AllocateArray<FewRowsCall<T>>(calls.Length, pinned: true);
        _strides = GC.AllocateArray<nint>(calls.Length * TileShape.MostRows, pinned: true);
        for (var i = 0; i < calls.Length; i++)
        {
            var table = (nint*)Unsafe.AsPointer(ref _strides[i * TileShape.MostRows]);
            TileShape.FillStrides(table, TileShape.MostRows, strides[i]);
            ref var call = ref _calls[i];
            call = calls[i];
            call.CRows = table;
            call.StartRows = call.Start == call.C ? table : call.StartRows;
        }
    }

    /// <summary>Computes all products.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Run()
    {
        _kernels.Run((FewRowsCall<T>*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_calls)), _calls.Length);

        // Pinned memory does not move, but pointers alone do not keep it.
        GC.KeepAlive(_calls);
        GC.KeepAlive(_strides);
        GC.KeepAlive(_memory);
    }
}
