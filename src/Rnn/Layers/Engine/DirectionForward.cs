using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.Layers.Engine;

/// <content>The way forward.</content>
internal sealed unsafe partial class DirectionPass<T>
{
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
            // A = X Wᵀ + b for the steps of a chunk, then its steps.
            var end = Math.Min(step + _chunkSteps, steps);
            var chunk = Chunk(step);
            var fed = _keep ? new(_fed, _columnStride, _plan) : chunk;
            StepsProduct(
                new(CleanInput(step, end, firstRow, endRow)), fed, step, end, firstRow, endRow, _forwardWeights.Input, _shape.InputSize, _shape.InputColumns, accumulate: false,
                _inputBias, scratch);
            for (; step < end; step++)
            {
                ForwardStep(step, firstRow, ActiveRows(step, firstRow, endRow), part, chunk.At(step, firstRow), scratch);
            }
        }
    }

    // Inputs too small to matter are read as zeros, from a copy of the whole input that is made where any are found.
    private SequenceView<T> CleanInput(int step, int end, int firstRow, int endRow)
    {
        for (var row = firstRow; row < endRow && _looksForTiny; row++)
        {
            var last = Math.Min(end, _plan.Length(row)) - 1;
            if (last < step)
            {
                break;
            }

            // A row's steps lie behind each other, backward where the direction runs back in time.
            if (Tiny<T>.IsAny(_input.At(_reverse ? last : step, row), (nint)(last + 1 - step) * _shape.InputSize))
            {
                return CleanedInput();
            }
        }

        return _input;
    }

    private SequenceView<T> CleanedInput()
    {
        lock (_cleaning)
        {
            if (_cleanInput == null)
            {
                var length = (nint)_plan.Rows * _plan.Steps * _shape.InputSize;
                _cleanSpace = default;
                _cleanSpace.Reserve(length);
                _cleanSpace.Rent();
                var copy = _cleanSpace.Take(length);
                Tiny<T>.CopyFlushed(_inputStart, copy, length);
                _cleanInput = copy;
            }

            return _input.MovedBy((nint)(_cleanInput - _inputStart));
        }
    }

    private nint ForwardScratch() =>
        _kernels.MultiplyScratch(_plan.Rows * _chunkSteps, Math.Max(_shape.InputSize, Math.Max(_shape.OutputSize, Hidden)));

    // Gate columns: all of them with a way back to come, else those of the chunk that begins at a step.
    private StepRows<T> Chunk(int firstStep)
    {
        if (_keep)
        {
            return new(_columns, _columnStride, _plan);
        }

        var delta = _plan.Rows * _columnStride;
        return new(new SequenceView<T>(_columns - (firstStep * delta), _columnStride, null, delta));
    }

    private T* ColumnsAt(int step, int row) => _columns + (((nint)_plan.Offset(step) + row) * _columnStride);

    // A product of a step: shared by panels where its rows are too few to be shared themselves.
    private void Product(Rows<T> a, int rows, T* packed, int inner, int outputs, Rows<T> c, bool accumulate, T* bias, T* scratch)
    {
        if (_alone && PanelTeam<T>.IsWorthwhile((long)inner * outputs))
        {
            _team.Multiply(a, rows, packed, inner, outputs, c, accumulate, bias);
        }
        else
        {
            _kernels.Multiply(a, rows, packed, inner, outputs, c, accumulate, bias, 0, _kernels.PanelCount(outputs), scratch);
        }
    }

    private void ForwardStep(int step, int firstRow, int rows, int part, T* columns, T* scratch)
    {
        var block = Block(step, firstRow, rows, columns);
        NormalizedRows<T> normalized = default;
        if (_hasOptions)
        {
            UseFresh(ref block, step, firstRow);
            normalized = Normalized(step, firstRow, rows, block);
        }

        var bias = _bias == null ? _noBias : _bias;
        if (NormalizesProducts)
        {
            _normalization!.Input(normalized, block, bias);
        }

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
                var source = IsMasked(i) ? MaskedSource(i, step, firstRow, rows, block) : SourceRows(product.Source, block);
                if (NormalizesProducts)
                {
                    Product(
                        source, rows, _forwardWeights.Product(i), Summed(product.Source, step), outputs,
                        normalized.Recurrent.SkipColumns(_normalization!.Plan.ProductColumns[i]), accumulate: false, null, scratch);
                    _normalization.Product(i, normalized, block, accumulate, bias);
                    continue;
                }

                var first = product.FirstGate * Hidden;
                Product(
                    source, rows, _forwardWeights.Product(i), Summed(product.Source, step), outputs, block.Columns.SkipColumns(first), accumulate,
                    accumulate || _bias == null ? null : _bias + first, scratch);
            }

            _cell.Forward(phase, block, _keep);
            _normalization?.States(phase, normalized, block);
        }

        if (_shape.ProjectionSize > 0)
        {
            _kernels.Multiply(
                block.Next[0], rows, _forwardWeights.Projection, Hidden, _shape.ProjectionSize,
                Zones(0) ? FreshRows(0, step, firstRow) : _output.Step(step, firstRow), accumulate: false, null, 0,
                _kernels.PanelCount(_shape.ProjectionSize), scratch);
            FlushRows(Zones(0) ? FreshRows(0, step, firstRow) : _output.Step(step, firstRow), rows, _shape.ProjectionSize);
        }

        if (_zoned)
        {
            Zone(step, firstRow, rows, part, block);
        }
    }

    // What a cell sets is flushed as it is stored; what the engine makes of it as well.
    private static void FlushRows(Rows<T> rows, int count, int width)
    {
        for (var row = 0; row < count; row++)
        {
            Tiny<T>.CopyFlushed(rows[row], rows[row], width);
        }
    }

    // How much of a source a product sums over: nothing of a state that starts as zeros.
    private int Summed(Operand source, int step) =>
        step == 0 && source.Kind == OperandKind.Previous && _startsFromZeros[source.Index] ? 0 : _shape.SourceSize(source);

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
