using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Layers.Engine;

/// <summary>
/// Where the rows of each step of a batch-first tensor [N, T, width] lie for one direction: row r of step s begins at
/// start + offset(r) + s · delta, with a negative delta where a direction runs back in time.
/// </summary>
internal readonly unsafe struct SequenceView<T>(T* start, nint rowStride, nint* rowOffsets, nint stepDelta)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The rows of one step, from row <paramref name="firstRow"/>.</summary>
    internal Rows<T> Step(int step, int firstRow = 0) => new Rows<T>(start + (step * stepDelta), rowStride, rowOffsets).Skip(firstRow);

    /// <summary>The address of one row of one step.</summary>
    internal T* At(int step, int row) => start + (step * stepDelta) + (rowOffsets == null ? row * rowStride : rowOffsets[row]);

    /// <summary>The same rows of a copy that lies <paramref name="distance"/> elements further on.</summary>
    internal SequenceView<T> MovedBy(nint distance) => new(start + distance, rowStride, rowOffsets, stepDelta);

    /// <summary>Whether all rows of all steps lie at one equal distance in the order of packed rows (one batch row, forward).</summary>
    internal bool IsEven(int rows, out nint stride)
    {
        stride = rows == 1 ? stepDelta : rowStride;
        return rowOffsets == null && (rows == 1 || rows * rowStride == stepDelta);
    }
}
