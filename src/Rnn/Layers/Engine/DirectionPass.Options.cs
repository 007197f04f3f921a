using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.Layers.Engine;

/// <content>
/// What steps with layer normalisation, zoneout or dropout of the recurrent state need besides: memory, and where each row's part of it lies.
/// Cells know nothing of them.
/// </content>
internal sealed unsafe partial class DirectionPass<T>
{
    private readonly GateNormalization<T>? _normalization;
    private readonly StepOptions _stepOptions;
    private readonly int _direction;

    private StepNoise _noise;
    private bool _hasOptions;
    private Workspace<T> _optionSpace;
    private Workspace<T> _optionBackspace;
    private T* _inputBias;
    private T* _noBias;

    // The rows that the input product writes: the gate columns, or before normalisation a place of their own. On the way back they hold its gradients.
    private T* _fed;
    private T* _recurrent;
    private T* _moments;
    private T* _gainSums;
    private nint _recurrentStride;

    // A few neighbouring rows, never of two parts, add up their gradients of gains in one place, which so stays in the first-level cache.
    private int _sumShift;

    private bool NormalizesProducts => _normalization is { Plan.NormalizesProducts: true };

    private int SumRows => (_plan.Rows + (1 << _sumShift) - 1) >> _sumShift;

    /// <summary>Says where the gains of a slot lie.</summary>
    internal void BindGains(int slot, T* gains) => _normalization!.Bind(slot, gains);

    private void PrepareOptions(in StepNoise noise)
    {
        _noise = noise;
        _fed = _columns;
        FindMasks();
        _hasOptions = _normalization is not null || _zoned || _masked;
        if (!_hasOptions)
        {
            return;
        }

        _optionSpace = default;
        LayOptions(reserve: true);
        _optionSpace.Rent();
        LayOptions(reserve: false);
        new Span<T>(_noBias, _shape.Columns).Clear();
        FillDropoutMask();
    }

    private void LayOptions(bool reserve)
    {
        var rows = _keep ? (nint)_plan.Total : _plan.Rows;
        if (_normalization is { } normalization)
        {
            _recurrentStride = ColumnStride(normalization.Plan.RecurrentColumns);
            if (NormalizesProducts)
            {
                var fed = Piece(_keep ? rows * _columnStride : 0);
                _fed = _keep ? fed : _columns;
                _recurrent = Piece(rows * _recurrentStride);
            }

            _moments = Piece(rows * normalization.Plan.Moments);
        }

        _noBias = Piece(_shape.Columns);
        for (var state = 0; state < Layout.States.Count; state++)
        {
            _fresh[state] = Piece(Zones(state) ? rows * _shape.StateSize(state) : 0);
        }

        _zoneMask = Piece(_zoned ? _parts * (nint)Math.Max(Hidden, _shape.OutputSize) : 0);
        _dropoutMask = Piece(_masked ? (nint)_plan.Rows * DropoutWidth : 0);
        for (var i = 0; i < _maskedSources.Length; i++)
        {
            _maskedSources[i] = Piece(_masked && _maskFirst[i] ? rows * _shape.SourceSize(Layout.Products[i].Source) : 0);
        }

        T* Piece(nint length)
        {
            if (reserve)
            {
                _optionSpace.Reserve(length);
                return null;
            }

            return _optionSpace.Take(length);
        }
    }

    private void PrepareOptionsBackward()
    {
        _sumShift = _normalization is null ? 0 : _plan.Rows >= 16 ? 2 : _plan.Rows >= 8 ? 1 : 0;
        if (!_hasOptions)
        {
            return;
        }

        _optionBackspace = default;
        LayOptionsBackward(reserve: true);
        _optionBackspace.Rent();
        LayOptionsBackward(reserve: false);
        if (_normalization is { } normalization)
        {
            new Span<T>(_gainSums, checked(SumRows * normalization.Plan.Sums)).Clear();
        }
    }

    private void LayOptionsBackward(bool reserve)
    {
        var rows = (nint)_plan.Rows;
        _gainSums = Piece(_normalization is { } normalization ? SumRows * (nint)normalization.Plan.Sums : 0);
        for (var state = 0; state < Layout.States.Count; state++)
        {
            _carried[state] = Piece(Zones(state) ? rows * _shape.StateSize(state) : 0);
        }

        _zoneMask = Piece(_zoned ? _parts * (nint)Math.Max(Hidden, _shape.OutputSize) : 0);
        _unmasked = Piece(_masked ? rows * Math.Max(Hidden, _shape.OutputSize) : 0);

        T* Piece(nint length)
        {
            if (reserve)
            {
                _optionBackspace.Reserve(length);
                return null;
            }

            return _optionBackspace.Take(length);
        }
    }

    private NormalizedRows<T> Normalized(int step, int firstRow, int rows, in CellBlock<T> block)
    {
        if (_normalization is not { } normalization)
        {
            return default;
        }

        var row = (_keep ? (nint)_plan.Offset(step) : 0) + firstRow;
        return new()
        {
            Count = rows,
            Fed = _keep ? new(_fed + (row * _columnStride), _columnStride) : block.Columns,
            Recurrent = new(_recurrent + (row * _recurrentStride), _recurrentStride),
            Moments = _moments + (row * normalization.Plan.Moments),
            Sums = _gainSums == null ? default : new(_gainSums + ((nint)(firstRow >> _sumShift) * normalization.Plan.Sums), normalization.Plan.Sums),
            SumShift = _sumShift,
        };
    }

    private static void ClearRows(Rows<T> rows, int count, int width)
    {
        for (var row = 0; row < count; row++)
        {
            new Span<T>(rows[row], width).Clear();
        }
    }

    // The gradients of all gains: the sums over the rows of what each row has added up.
    private void GainGradients(T** gradients, int part, int parts)
    {
        var normalization = _normalization!;
        var plan = normalization.Plan;
        var sums = new Rows<T>(_gainSums, plan.Sums);
        Add(plan.InputSlot, 0, 0, plan.InputColumns);
        for (var i = 0; i < plan.ProductSlots.Length; i++)
        {
            Add(plan.ProductSlots[i], plan.ProductGains[i], plan.InputColumns + plan.ProductColumns[i], Layout.Products[i].GateCount * Hidden);
        }

        for (var k = 0; k < plan.StateSlots.Length; k++)
        {
            Add(plan.StateSlots[k], 0, normalization.StateSums(k), 2 * Hidden);
        }

        void Add(int slot, int offset, int column, int count)
        {
            if (slot >= 0 && gradients[slot] != null)
            {
                var (first, end) = Share(count, part, parts);
                _kernels.ColumnSums(sums.SkipColumns(column), SumRows, gradients[slot] + offset, first, end);
            }
        }
    }
}
