using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Layers.Engine;

/// <summary>
/// Where the rows of each step lie. In a batch-first tensor [N, T, width] row r of step s begins at start + offset(r) + s · delta, with a
/// negative delta where a direction runs back in time; in a packed buffer at start + (Offset(s) + r) · stride of the batch's plan.
/// </summary>
internal readonly unsafe struct StepMap<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly T* _start;
    private readonly nint _rowStride;
    private readonly nint* _rowOffsets;
    private readonly nint _stepDelta;
    private readonly BatchPlan? _packing;

    /// <summary>The rows of a batch-first tensor, at equal distances or at offsets.</summary>
    internal StepMap(T* start, nint rowStride, nint* rowOffsets, nint stepDelta)
    {
        _start = start;
        _rowStride = rowStride;
        _rowOffsets = rowOffsets;
        _stepDelta = stepDelta;
    }

    /// <summary>Packed rows that begin at <paramref name="start"/>.</summary>
    internal StepMap(T* start, nint rowStride, BatchPlan packing)
    {
        _start = start;
        _rowStride = rowStride;
        _packing = packing;
    }

    /// <summary>The rows of one step, from row <paramref name="firstRow"/>.</summary>
    internal Rows<T> Step(int step, int firstRow) => _packing is null
        ? new Rows<T>(_start + (step * _stepDelta), _rowStride, _rowOffsets).Skip(firstRow)
        : new(At(step, firstRow), _rowStride);

    /// <summary>The address of one row of one step.</summary>
    internal T* At(int step, int row) => _packing is null
        ? _start + (step * _stepDelta) + (_rowOffsets == null ? row * _rowStride : _rowOffsets[row])
        : _start + (((nint)_packing.Offset(step) + row) * _rowStride);

    /// <summary>The same rows of a copy that lies <paramref name="distance"/> elements further on.</summary>
    internal StepMap<T> MovedBy(nint distance) => new(_start + distance, _rowStride, _rowOffsets, _stepDelta);

    /// <summary>Whether all rows of all steps of <paramref name="plan"/> lie at one equal distance in the order of packed rows.</summary>
    internal bool IsEven(BatchPlan plan, out nint stride)
    {
        stride = _packing is null && plan.Rows == 1 ? _stepDelta : _rowStride;
        return _packing is not null || (plan.IsFull && _rowOffsets == null && (plan.Rows == 1 || plan.Rows * _rowStride == _stepDelta));
    }
}
