using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.Layers.Engine;

/// <content>The gradients of input and weights: long products over all packed rows, after the way back through time.</content>
internal sealed unsafe partial class DirectionPass<T>
{
    private nint[] _inputTable = [];
    private nint[] _hiddenTable = [];
    private nint[] _nextTable = [];
    private nint[] _cellTable = [];
    private Rows<T> _packedInput;
    private Rows<T> _previousHidden;
    private Rows<T> _nextHidden;

    /// <summary>Lists where the packed rows of the sources lie.</summary>
    internal void BindGradients()
    {
        if (_plan.Total == 0)
        {
            return;
        }

        _packedInput = _plan.IsFull && _input.IsEven(_plan.Rows, out var stride)
            ? new(_input.At(0, 0), stride)
            : PackedRows(_input, 0, ref _inputTable);
        _previousHidden = PackedRows(_output, 1, ref _hiddenTable);
        _nextHidden = Reads(Operand.Next(0)) ? PackedRows(_output, 0, ref _nextTable) : default;
        if (!_plan.IsFull)
        {
            FillCellTable();
        }
    }

    /// <summary>Computes a part of the gradients: the weight rows, and input rows, that fall to it. Parts touch nothing of each other.</summary>
    /// <param name="part">The part.</param>
    /// <param name="parts">The number of parts.</param>
    /// <param name="inputGradient">Whether the gradient of the input is wanted and has not been computed on the way back.</param>
    /// <param name="gradients">Where the gradient of each slot is added, null where it is not wanted.</param>
    /// <param name="overwrites">Which matrices' gradients start from nothing.</param>
    internal void GradientPart(int part, int parts, bool inputGradient, T** gradients, bool[] overwrites)
    {
        if (_plan.Total == 0)
        {
            return;
        }

        if (inputGradient)
        {
            InputGradient(_plan.PartStart(part, parts), _plan.PartStart(part + 1, parts));
        }

        var columns = new Rows<T>(_columns, _columnStride);
        if (gradients[0] != null)
        {
            AddProduct(new(_fed, _columnStride), _packedInput, _plan.Total, _shape.InputColumns, _shape.InputSize, gradients[0], part, parts, !overwrites[0]);
        }

        for (var i = 0; i < Layout.Products.Count; i++)
        {
            var gradient = gradients[_weights.ProductSlot(i)];
            if (gradient != null)
            {
                var product = Layout.Products[i];
                var from = NormalizesProducts
                    ? new Rows<T>(_recurrent + _normalization!.Plan.ProductColumns[i], _recurrentStride)
                    : columns.SkipColumns((nint)product.FirstGate * Hidden);
                RecurrentGradient(
                    i, from,
                    gradient + ((nint)_weights.ProductRow(i) * Hidden * _shape.SourceSize(product.Source)), part, parts,
                    !overwrites[_weights.ProductSlot(i)]);
            }
        }

        if (_weights.BiasSlot >= 0 && gradients[_weights.BiasSlot] != null)
        {
            var (first, end) = Share(_shape.Columns, part, parts);
            _kernels.ColumnSums(columns, _plan.Total, gradients[_weights.BiasSlot], first, end);
        }

        if (_weights.VectorsSlot >= 0 && gradients[_weights.VectorsSlot] != null)
        {
            VectorGradients(columns, gradients[_weights.VectorsSlot], part, parts);
        }

        if (_normalization is not null)
        {
            GainGradients(gradients, part, parts);
        }

        if (_weights.ProjectionSlot >= 0 && gradients[_weights.ProjectionSlot] != null)
        {
            AddProduct(
                new(_projectedGradients, _shape.ProjectionSize), new(_unprojected, Hidden), _plan.Total, _shape.ProjectionSize, Hidden,
                gradients[_weights.ProjectionSlot], part, parts, !overwrites[_weights.ProjectionSlot]);
        }
    }

    // Cuts a dimension at multiples of a cache line, so that no two threads write one line.
    private static (int First, int End) Share(int count, int part, int parts)
    {
        var line = 64 / sizeof(T);
        return (Cut(part), Cut(part + 1));

        int Cut(int at) => at >= parts ? count : (int)((long)count * at / parts / line * line);
    }

    private void AddProduct(Rows<T> a, Rows<T> b, int count, int m, int n, T* gradient, int part, int parts, bool accumulate)
    {
        var (first, end) = Share(m, part, parts);
        if (first < end)
        {
            var scratch = Scratch<T>.Get(_kernels.TransposedScratch(count, m, n));
            _kernels.MultiplyTransposedA(a, b, count, m, n, gradient, n, first, end, scratch, accumulate);
        }
    }

    private void RecurrentGradient(int index, Rows<T> columns, T* gradient, int part, int parts, bool accumulate)
    {
        var product = Layout.Products[index];
        var m = product.GateCount * Hidden;
        var n = _shape.SourceSize(product.Source);
        if (IsMasked(index))
        {
            AddProduct(columns, MaskedRows(index, 0, 0), _plan.Total, m, n, gradient, part, parts, accumulate);
        }
        else if (product.Source is { Kind: OperandKind.Previous, Index: 0 })
        {
            var first = _plan.Active(0);
            if (_initialHidden.Start != _zeros)
            {
                AddProduct(columns, _initialHidden, first, m, n, gradient, part, parts, accumulate);
                accumulate = true;
            }

            AddProduct(columns.Skip(first), _previousHidden, _plan.Total - first, m, n, gradient, part, parts, accumulate);
        }
        else
        {
            AddProduct(columns, PackedSource(product.Source), _plan.Total, m, n, gradient, part, parts, accumulate);
        }
    }

    private void VectorGradients(Rows<T> columns, T* gradient, int part, int parts)
    {
        var (first, end) = Share(Hidden, part, parts);
        for (var i = 0; i < Layout.Vectors.Count; i++)
        {
            var vector = Layout.Vectors[i];
            var a = columns.SkipColumns((nint)vector.Gate * Hidden);
            var sums = gradient + ((nint)i * Hidden);
            if (vector.Source is { Kind: OperandKind.Previous, Index: 0 })
            {
                var active = _plan.Active(0);
                _cell.SumProducts(a, _initialHidden, active, sums, first, end);
                if (_plan.Total > active)
                {
                    _cell.SumProducts(a.Skip(active), _previousHidden, _plan.Total - active, sums, first, end);
                }
            }
            else
            {
                _cell.SumProducts(a, PackedSource(vector.Source), _plan.Total, sums, first, end);
            }
        }
    }

    // A source in the order of the packed rows, other than the hidden state before the step.
    private Rows<T> PackedSource(Operand source)
    {
        if (source.Kind == OperandKind.Made)
        {
            return new(_made + ((nint)source.Index * Hidden), (nint)Layout.MadeValues * Hidden);
        }

        if (source.Kind == OperandKind.Next && Zones(source.Index))
        {
            return FreshRows(source.Index, 0, 0);
        }

        if (source.Index == 0)
        {
            return _nextHidden;
        }

        var rows = CellRows(source.Index, 0, source.Kind == OperandKind.Next);
        return source.Kind == OperandKind.Next || _plan.IsFull ? rows : new(rows.Start, 0, Table(ref _cellTable, _plan.Total));
    }

    private bool Reads(Operand source) =>
        Layout.Products.Any(product => product.Source == source) || Layout.Vectors.Any(vector => vector.Source == source);

    // Where a state other than the hidden one lies before each packed row's step.
    private void FillCellTable()
    {
        var table = Table(ref _cellTable, _plan.Total);
        for (var step = 0; step < _plan.RunSteps; step++)
        {
            var before = step == 0 ? 0 : _plan.Rows + _plan.Offset(step - 1);
            for (var row = 0; row < _plan.Active(step); row++)
            {
                table[_plan.Offset(step) + row] = (nint)(before + row) * Hidden;
            }
        }
    }

    // Offsets of the packed rows from step `lag` on, read `lag` steps earlier.
    private Rows<T> PackedRows(SequenceView<T> view, int lag, ref nint[] array)
    {
        var table = Table(ref array, Math.Max(1, _plan.Total));
        var origin = view.At(0, 0);
        var count = 0;
        for (var step = lag; step < _plan.RunSteps; step++)
        {
            var rows = _plan.Active(step);
            for (var row = 0; row < rows; row++)
            {
                table[count++] = (nint)(view.At(step - lag, row) - origin);
            }
        }

        return new(origin, 0, table);
    }

    // All steps of some rows, where two directions add to the gradient of the input one after the other.
    private void InputGradient(int firstRow, int endRow)
    {
        if (firstRow >= endRow)
        {
            return;
        }

        var scratch = Scratch<T>.Get(BackwardScratch());
        var steps = _plan.Length(firstRow);
        var rows = 0;
        for (int step = 0, first = 0; step < steps; step++)
        {
            rows += ActiveRows(step, firstRow, endRow);
            if (step == steps - 1 || rows >= GradientRows)
            {
                InputGradient(first, step + 1, firstRow, endRow, scratch);
                first = step + 1;
                rows = 0;
            }
        }
    }
}
