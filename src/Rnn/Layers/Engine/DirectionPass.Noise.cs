using System.Numerics.Tensors;
using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.Layers.Engine;

/// <content>
/// Zoneout (Krueger et al. 2017, arXiv:1606.01305): after the cell's step, next ← m⊙previous + (1−m)⊙next with a fresh mask a step, its
/// expectation in evaluation; within the step everything reads the cell's own states. Variational dropout (Gal and Ghahramani 2016,
/// arXiv:1512.05287): products read the hidden state, and values made of it, times one mask a sequence.
/// </content>
internal sealed unsafe partial class DirectionPass<T>
{
    private readonly T*[] _fresh;
    private readonly T*[] _carried;
    private readonly T*[] _maskedSources;
    private readonly int[] _maskIndex;
    private readonly bool[] _maskFirst;
    private bool _zoned;
    private bool _masked;
    private T* _zoneMask;
    private T* _dropoutMask;
    private T* _unmasked;

    private int DropoutWidth => Math.Max(Hidden, _shape.OutputSize);

    private void FindMasks()
    {
        _zoned = Zones(0) || (Layout.States.Count > 1 && Zones(1));
        _masked = _stepOptions.RecurrentDropout > 0 && _noise.IsTraining;
    }

    // Products that read the hidden state, or a value made of it, read it masked; those of one source share its masked rows.
    private void FindMaskedProducts()
    {
        for (var i = 0; i < _maskIndex.Length; i++)
        {
            var source = Layout.Products[i].Source;
            var isMasked = source.Kind == OperandKind.Made || source == Operand.Previous(0);
            _maskIndex[i] = -1;
            for (var j = 0; j <= i && isMasked && _maskIndex[i] < 0; j++)
            {
                _maskIndex[i] = Layout.Products[j].Source == source ? j : -1;
            }

            _maskFirst[i] = _maskIndex[i] == i;
        }
    }

    // Whether a product sees its source through a dropout mask.
    private bool IsMasked(int product) => _masked && _maskIndex[product] >= 0;

    private bool Zones(int state) => _stepOptions.Zoneout(state) > 0;

    private void FillDropoutMask()
    {
        var keep = 1 - _stepOptions.RecurrentDropout;
        var key = MaskSource.Key(MaskSource.Key(_noise.Seed, _direction), 0);
        for (var row = 0; row < _plan.Rows && _masked; row++)
        {
            var mask = new Span<T>(_dropoutMask + ((nint)row * DropoutWidth), DropoutWidth);
            MaskSource.Fill(mask, MaskSource.Key(key, _plan.Order(row)), keep, T.CreateTruncating(1 / keep));
        }
    }

    private T* DropoutRow(int row) => _dropoutMask + ((nint)row * DropoutWidth);

    private Rows<T> MaskedRows(int product, int step, int firstRow) =>
        StepRows(_maskedSources[_maskIndex[product]], step, firstRow, _shape.SourceSize(Layout.Products[product].Source));

    private Rows<T> MaskedSource(int product, int step, int firstRow, int rows, in CellBlock<T> block)
    {
        var size = _shape.SourceSize(Layout.Products[product].Source);
        var to = MaskedRows(product, step, firstRow);
        var from = SourceRows(Layout.Products[product].Source, block);
        for (var row = 0; row < rows && _maskFirst[product]; row++)
        {
            TensorPrimitives.Multiply(
                new ReadOnlySpan<T>(from[row], size), new ReadOnlySpan<T>(DropoutRow(firstRow + row), size), new Span<T>(to[row], size));
        }

        return to;
    }

    private void MaskGradient(Rows<T> from, Rows<T> to, int firstRow, int rows, int size, bool accumulate)
    {
        for (var row = 0; row < rows; row++)
        {
            var gradient = new ReadOnlySpan<T>(from[row], size);
            var mask = new ReadOnlySpan<T>(DropoutRow(firstRow + row), size);
            var sum = new Span<T>(to[row], size);
            if (accumulate)
            {
                TensorPrimitives.MultiplyAdd(gradient, mask, sum, sum);
            }
            else
            {
                TensorPrimitives.Multiply(gradient, mask, sum);
            }
        }
    }

    private Rows<T> FreshRows(int state, int step, int firstRow) => StepRows(_fresh[state], step, firstRow, _shape.StateSize(state));

    // The cell writes its own states to a place of their own, and its way back reads them there.
    private void UseFresh(ref CellBlock<T> block, int step, int firstRow)
    {
        for (var state = 0; state < Layout.States.Count && _zoned; state++)
        {
            if (Zones(state) && (state > 0 || _shape.ProjectionSize == 0))
            {
                block.Next[state] = FreshRows(state, step, firstRow);
            }
        }
    }

    private void Zone(int step, int firstRow, int rows, int part, in CellBlock<T> block)
    {
        for (var state = 0; state < Layout.States.Count; state++)
        {
            if (!Zones(state))
            {
                continue;
            }

            var size = _shape.StateSize(state);
            var fresh = FreshRows(state, step, firstRow);
            var next = state == 0 ? _output.Step(step, firstRow) : CellRows(state, step, after: true).Skip(firstRow);
            for (var row = 0; row < rows; row++)
            {
                // (1 − m)·fresh + m·previous: exact where m is 0 or 1.
                TensorPrimitives.Lerp(
                    new ReadOnlySpan<T>(fresh[row], size), new ReadOnlySpan<T>(block.Previous[state][row], size),
                    ZoneMask(state, step, firstRow + row, part), new Span<T>(next[row], size));
            }

            FlushRows(next, rows, size);
        }
    }

    // Splits the gradients of the states: what goes past the cell waits until its way back is done.
    private void ZoneBack(int step, int firstRow, int rows, int part, ref CellBlock<T> block)
    {
        for (var state = 0; state < Layout.States.Count; state++)
        {
            if (!Zones(state))
            {
                continue;
            }

            var size = _shape.StateSize(state);
            for (var row = 0; row < rows; row++)
            {
                var gradient = new Span<T>(block.Gradient[state][row], size);
                var carried = new Span<T>(_carried[state] + ((nint)(firstRow + row) * size), size);
                if (state == 0)
                {
                    TensorPrimitives.Add(gradient, new ReadOnlySpan<T>(block.OutputGradient[row], size), gradient);
                }

                TensorPrimitives.Multiply(gradient, ZoneMask(state, step, firstRow + row, part), carried);
                TensorPrimitives.Subtract(gradient, carried, gradient);
            }
        }

        if (Zones(0))
        {
            block.OutputGradient = new(_zeros, 0);
        }
    }

    private void AddCarried(int firstRow, int rows)
    {
        for (var state = 0; state < Layout.States.Count; state++)
        {
            var size = _shape.StateSize(state);
            for (var row = firstRow; row < firstRow + rows && Zones(state); row++)
            {
                var gradient = new Span<T>(StateGradient(state)[row], size);
                TensorPrimitives.Add(gradient, new ReadOnlySpan<T>(_carried[state] + ((nint)row * size), size), gradient);
            }

            FlushRows(StateGradient(state).Skip(firstRow), Zones(state) ? rows : 0, size);
        }
    }

    // The mask of one row at one step, in the part's own room.
    private ReadOnlySpan<T> ZoneMask(int state, int step, int row, int part)
    {
        var width = Math.Max(Hidden, _shape.OutputSize);
        var mask = new Span<T>(_zoneMask + ((nint)part * width), _shape.StateSize(state));
        var probability = _stepOptions.Zoneout(state);
        if (_noise.IsTraining)
        {
            var key = MaskSource.Key(MaskSource.Key(_noise.Seed, _direction), 1 + state);
            MaskSource.Fill(mask, MaskSource.Key(MaskSource.Key(key, _plan.Order(row)), step), probability, T.One);
        }
        else
        {
            mask.Fill(T.CreateTruncating(probability));
        }

        return mask;
    }
}
