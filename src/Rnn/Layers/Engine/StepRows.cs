using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Layers.Engine;

/// <summary>Where the rows of each step lie: in a batch-first tensor, or packed as the plan has them, step after step.</summary>
internal readonly unsafe struct StepRows<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly SequenceView<T> _view;
    private readonly T* _packed;
    private readonly nint _stride;
    private readonly BatchPlan? _plan;

    /// <summary>The rows of a batch-first tensor.</summary>
    internal StepRows(SequenceView<T> view) => _view = view;

    /// <summary>Packed rows that begin at <paramref name="packed"/>.</summary>
    internal StepRows(T* packed, nint stride, BatchPlan plan)
    {
        _packed = packed;
        _stride = stride;
        _plan = plan;
    }

    /// <summary>The rows of one step, from row <paramref name="firstRow"/>.</summary>
    internal Rows<T> Step(int step, int firstRow) => _plan is null ? _view.Step(step, firstRow) : new(At(step, firstRow), _stride);

    /// <summary>The address of one row of one step.</summary>
    internal T* At(int step, int row) => _plan is null ? _view.At(step, row) : _packed + (((nint)_plan.Offset(step) + row) * _stride);

    /// <summary>Whether the rows of all steps of <paramref name="plan"/> lie at one equal distance, step after step.</summary>
    internal bool IsEven(BatchPlan plan, out nint stride)
    {
        stride = _stride;
        return _plan is not null || (_view.IsEven(plan.Rows, out stride) && plan.IsFull);
    }
}
