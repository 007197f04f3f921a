using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.Layers.Engine;

/// <content>The way forward.</content>
internal sealed unsafe partial class DirectionPass<T>
{
    // Multiplications from which on threads share an input product.
    private const long SharedProduct = 200_000;

    // Packed weights that one pass over the steps of a chunk reads.
    private const int GroupBytes = 1 << 18;

    /// <summary>Runs all steps of one part of the rows.</summary>
    internal void ForwardPart(int part)
    {
        var firstRow = _plan.PartStart(part, _parts);
        var endRow = _plan.PartStart(part + 1, _parts);
        if (firstRow >= endRow)
        {
            return;
        }

        var scratch = Scratch<T>.Get(ForwardScratch());
        var steps = _plan.Length(firstRow);
        for (var step = 0; step < steps;)
        {
            var end = Math.Min(step + _chunkSteps, steps);
            var columns = _keep ? null : _columns + (firstRow * (nint)_chunkSteps * _columnStride);
            InputProduct(step, end, firstRow, endRow, columns, scratch);
            for (; step < end; step++)
            {
                var rows = Math.Min(_plan.Active(step), endRow) - firstRow;
                var at = _keep ? ColumnsAt(step, firstRow) : columns;
                if (_hasOptions)
                {
                    ForwardOptionStep(step, firstRow, rows, part, at, scratch);
                }
                else
                {
                    ForwardStep(step, firstRow, rows, at, scratch);
                }

                columns += rows * _columnStride;
            }
        }
    }

    private nint ForwardScratch()
    {
        var rows = _plan.Rows * _chunkSteps;
        var most = _kernels.MultiplyScratch(rows, Math.Max(_shape.InputSize, Math.Max(_shape.OutputSize, Hidden)));
        return most;
    }

    private T* ColumnsAt(int step, int row) => _columns + (((nint)_plan.Offset(step) + row) * _columnStride);

    // A = X Wᵀ + b for the steps of a chunk.
    private void InputProduct(int step, int end, int firstRow, int endRow, T* chunk, T* scratch)
    {
        var outputs = _shape.InputColumns;
        var panels = _kernels.PanelCount(outputs);
        var packed = _weights.InputForward.Pointer;
        var whole = firstRow == 0 && endRow == _plan.Rows && _plan.IsFull;
        if (whole && _input.IsEven(_plan.Rows, out var stride))
        {
            var rows = new Rows<T>(_input.At(step, 0), stride);
            var target = new Rows<T>(chunk == null ? FedAt(step, 0) : chunk, _columnStride);
            if (_alone && (long)_shape.InputSize * outputs * (end - step) * _plan.Rows > SharedProduct)
            {
                _team.Multiply(rows, (end - step) * _plan.Rows, packed, _shape.InputSize, outputs, target, accumulate: false, _inputBias);
            }
            else
            {
                _kernels.Multiply(
                    rows, (end - step) * _plan.Rows, packed, _shape.InputSize, outputs, target, accumulate: false, _inputBias, 0, panels, scratch);
            }

            return;
        }

        if (endRow - firstRow >= DirectRows && _plan.IsFull)
        {
            // A group of panels stays in the second-level cache while all steps of the chunk read it.
            var group = Math.Max(1, GroupBytes / (_kernels.PanelWidth * sizeof(T) * _shape.InputSize));
            for (var panel = 0; panel < panels; panel += group)
            {
                for (var s = step; s < end; s++)
                {
                    var at = chunk == null ? FedAt(s, firstRow) : chunk + ((nint)(s - step) * (endRow - firstRow) * _columnStride);
                    _kernels.Multiply(
                        _input.Step(s, firstRow), endRow - firstRow, packed, _shape.InputSize, outputs, new(at, _columnStride),
                        accumulate: false, _inputBias, panel, Math.Min(panel + group, panels), scratch);
                }
            }

            return;
        }

        var most = (end - step) * (endRow - firstRow);
        var from = Scratch<T>.GetOffsets(2 * most);
        var to = from + most;
        var origin = _input.At(step, firstRow);
        var start = chunk == null ? FedAt(step, firstRow) : chunk;
        var count = 0;
        for (; step < end; step++)
        {
            var rows = Math.Min(_plan.Active(step), endRow) - firstRow;
            for (var row = 0; row < rows; row++)
            {
                from[count] = (nint)(_input.At(step, firstRow + row) - origin);
                to[count] = chunk == null ? (nint)(FedAt(step, firstRow + row) - start) : count * _columnStride;
                count++;
            }
        }

        var destination = chunk == null ? new Rows<T>(start, 0, to) : new(start, _columnStride);
        _kernels.Multiply(
            new(origin, 0, from), count, packed, _shape.InputSize, outputs, destination, accumulate: false, _inputBias, 0, panels, scratch);
    }

    // A product of a step: shared by panels where its rows are too few to be shared themselves.
    private void Product(Rows<T> a, int rows, T* packed, int inner, int outputs, Rows<T> c, bool accumulate, T* bias, T* scratch)
    {
        if (_alone && PanelTeam<T>.IsWorthwhile(rows, (long)inner * outputs))
        {
            _team.Multiply(a, rows, packed, inner, outputs, c, accumulate, bias);
        }
        else
        {
            _kernels.Multiply(a, rows, packed, inner, outputs, c, accumulate, bias, 0, _kernels.PanelCount(outputs), scratch);
        }
    }

    private void ForwardStep(int step, int firstRow, int rows, T* columns, T* scratch)
    {
        var block = Block(step, firstRow, rows, columns);
        var fed = Layout.InputGates;
        for (var phase = 0; phase < Layout.Phases; phase++)
        {
            for (var i = 0; i < Layout.Products.Count; i++)
            {
                var product = Layout.Products[i];
                if (product.Phase != phase)
                {
                    continue;
                }

                // The first product of a gate without input starts from its bias.
                var accumulate = product.FirstGate < fed;
                fed = Math.Max(fed, product.FirstGate + product.GateCount);
                var outputs = product.GateCount * Hidden;
                var first = product.FirstGate * Hidden;
                Product(
                    SourceRows(product.Source, block), rows, _weights.ProductForward[i].Pointer, _shape.SourceSize(product.Source), outputs,
                    block.Columns.SkipColumns(first), accumulate, accumulate || _bias == null ? null : _bias + first, scratch);
            }

            _cell.Forward(phase, block, _keep);
        }

        if (_shape.ProjectionSize > 0)
        {
            _kernels.Multiply(
                block.Next[0], rows, _weights.ProjectionForward.Pointer, Hidden, _shape.ProjectionSize, _output.Step(step, firstRow),
                accumulate: false, null, 0, _kernels.PanelCount(_shape.ProjectionSize), scratch);
        }
    }

    private CellBlock<T> Block(int step, int firstRow, int rows, T* columns)
    {
        var block = new CellBlock<T>
        {
            Rows = rows,
            Units = Hidden,
            Columns = new(columns, _columnStride),
            Kept = StepRows(_kept, step, firstRow, Layout.KeptValues * Hidden),
            Made = StepRows(_made, step, firstRow, Layout.MadeValues * Hidden),
            Vectors = _vectors,
        };
        block.Previous[0] = step == 0 ? _initialHidden.Skip(firstRow) : _output.Step(step - 1, firstRow);
        block.Next[0] = _shape.ProjectionSize > 0 ? StepRows(_unprojected, step, firstRow, Hidden) : _output.Step(step, firstRow);
        for (var state = 1; state < Layout.States.Count; state++)
        {
            block.Previous[state] = CellRows(state, step, after: false).Skip(firstRow);
            block.Next[state] = CellRows(state, step, after: true).Skip(firstRow);
        }

        return block;
    }

    internal static Rows<T> SourceRows(Operand source, in CellBlock<T> block) => source.Kind switch
    {
        OperandKind.Previous => block.Previous[source.Index],
        OperandKind.Next => block.Next[source.Index],
        _ => block.Made.SkipColumns((nint)source.Index * block.Units),
    };
}
