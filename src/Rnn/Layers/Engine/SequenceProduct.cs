using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Layers.Engine;

/// <summary>Products over the rows of several steps: of the input in the forward pass, for the gradient of the input in the backward pass.</summary>
internal sealed unsafe class SequenceProduct<T>(BatchPlan plan)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Steps of fewer rows than a tile has are gathered, so that the tiles are full.
    private const int DirectRows = 12;

    // Multiplications from which on threads share one product.
    private const long SharedProduct = 200_000;

    // Packed weights that one pass over several steps reads: part of the second-level cache.
    private const int GroupBytes = 1 << 18;

    private readonly MatrixKernels<T> _kernels = MatrixKernels<T>.Current;
    private readonly SharedGemm<T> _team = new();

    /// <summary>Whether threads share products: only one of them may compute any meanwhile.</summary>
    internal bool IsShared { get; set; }

    /// <summary>
    /// C = A B, or C += A B, or C = A B + bias for the rows <paramref name="firstRow"/> … <paramref name="endRow"/> of the steps
    /// <paramref name="step"/> … <paramref name="end"/>. The weights are read as seldom as memory for the rows allows.
    /// </summary>
    internal void Multiply(
        in StepMap<T> a, in StepMap<T> c, int step, int end, int firstRow, int endRow, T* packed, int inner, int outputs, bool accumulate, T* bias, T* scratch)
    {
        // Rows that run get fewer from step to step: first the steps of many rows, then the others. Threads that share products share few, large ones.
        var many = step;
        while (!IsShared && many < end && ActiveRows(many, firstRow, endRow) >= DirectRows)
        {
            many++;
        }

        var panels = _kernels.PanelCount(outputs);
        var group = many - step > 1 ? Math.Max(1, GroupBytes / (_kernels.PanelWidth * sizeof(T) * Math.Max(1, inner))) : panels;
        for (var panel = 0; panel < panels && step < many; panel += group)
        {
            // A group of panels stays in the second-level cache while all steps read it.
            for (var s = step; s < many; s++)
            {
                _kernels.Multiply(
                    a.Step(s, firstRow), ActiveRows(s, firstRow, endRow), packed, inner, outputs, c.Step(s, firstRow), accumulate, bias, panel,
                    Math.Min(panel + group, panels), scratch);
            }
        }

        if (many == end)
        {
            return;
        }

        var whole = firstRow == 0 && endRow == plan.Rows;
        var count = 0;
        for (var s = many; s < end; s++)
        {
            count += ActiveRows(s, firstRow, endRow);
        }

        var offsets = Scratch<T>.GetOffsets(2 * count);
        var from = whole && a.IsEven(plan, out var stride) ? new(a.At(many, 0), stride) : Listed(a, many, end, firstRow, endRow, offsets);
        var to = whole && c.IsEven(plan, out stride) ? new(c.At(many, 0), stride) : Listed(c, many, end, firstRow, endRow, offsets + count);
        if (IsShared && (long)inner * outputs * count > SharedProduct)
        {
            _team.Multiply(from, count, packed, inner, outputs, to, accumulate, bias);
        }
        else
        {
            _kernels.Multiply(from, count, packed, inner, outputs, to, accumulate, bias, 0, panels, scratch);
        }
    }

    private int ActiveRows(int step, int firstRow, int endRow) => Math.Min(plan.Active(step), endRow) - firstRow;

    private Rows<T> Listed(in StepMap<T> rows, int step, int end, int firstRow, int endRow, nint* offsets)
    {
        var origin = rows.At(step, firstRow);
        var count = 0;
        for (; step < end; step++)
        {
            var active = ActiveRows(step, firstRow, endRow);
            for (var row = 0; row < active; row++)
            {
                offsets[count++] = (nint)(rows.At(step, firstRow + row) - origin);
            }
        }

        return new(origin, 0, offsets);
    }
}
