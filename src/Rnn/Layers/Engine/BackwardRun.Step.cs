using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.Layers.Engine;

/// <content>Executes the backward list of a <see cref="StepProgram"/>: gradients of states after the step become those of states before it.</content>
internal sealed unsafe partial class BackwardRun<T>
{
    // Executes the list for some rows. The frame's output gradient is set; the gradients of the states lie in Memory.
    private void Step(ref StepFrame<T> frame)
    {
        frame.Cell.UnitWeights = _weights.UnitWeights;
        frame.Cell.IntermediateGradient = Memory.IntermediateGradients(frame.FirstRow);
        for (var state = 0; state < _shape.Layout.States.Count; state++)
        {
            frame.Cell.Gradient[state] = Memory.StateGradient(state).Skip(frame.FirstRow);
        }

        foreach (ref readonly var instruction in Memory.Program.Backward.AsSpan())
        {
            switch (instruction.Operation)
            {
                case StepOperation.Multiply:
                    Multiply(instruction, frame);
                    break;
                case StepOperation.Cell:
                    _cell.Backward(instruction.Index, frame.Cell);
                    break;
                case StepOperation.Project:
                    Project(ref frame);
                    break;
                case StepOperation.Zoneout:
                    SplitGradientAtZoneout(instruction.Index, ref frame);
                    break;
                case StepOperation.AddZoneoutGradient:
                    AddZoneoutGradient(instruction.Index, frame);
                    break;
                case StepOperation.ZeroGradient:
                    Clear(Memory.StateGradient(instruction.Index).Skip(frame.FirstRow), frame.Cell.Rows, _shape.StateSize(instruction.Index));
                    break;
                case StepOperation.NormalizeState:
                    NormalizeState(instruction, frame);
                    break;
                default:
                    NormalizeProduct(instruction, frame);
                    break;
            }
        }
    }

    private static void Clear(Rows<T> rows, int count, int width)
    {
        for (var row = 0; row < count; row++)
        {
            new Span<T>(rows[row], width).Clear();
        }
    }

    private void Multiply(in StepInstruction instruction, in StepFrame<T> frame)
    {
        if ((frame.IgnoredStates & instruction.EndsAtState) != 0)
        {
            return;
        }

        var from = instruction.ProductColumn >= 0
            ? Memory.RecurrentProducts(frame.Row).SkipColumns(instruction.ProductColumn)
            : frame.Cell.Gates.SkipColumns(instruction.GateColumn);
        var source = instruction.Source;
        var size = instruction.SourceSize;
        var to = (source.Kind == OperandKind.Intermediate
            ? frame.Cell.IntermediateGradient.SkipColumns((nint)source.Index * _shape.HiddenSize)
            : Memory.StateGradient(source.Index).Skip(frame.FirstRow)).SkipColumns(instruction.SourceColumn);
        if (instruction.MaskIndex >= 0)
        {
            var unmasked = Memory.UnmaskedGradients(frame.FirstRow, size);
            Multiply(from, frame, instruction, unmasked, accumulate: false);
            Unmask(unmasked, to, frame, instruction);
        }
        else
        {
            Multiply(from, frame, instruction, to, instruction.Accumulate);
        }
    }

    private void Multiply(Rows<T> from, in StepFrame<T> frame, in StepInstruction instruction, Rows<T> to, bool accumulate)
    {
        var packed = _weights.Block(instruction.Index);
        if (_run.SharesProducts && SharedGemm<T>.ShouldShare((long)instruction.Columns * instruction.SourceSize))
        {
            _team.Multiply(from, frame.Cell.Rows, packed, instruction.Columns, instruction.SourceSize, to, accumulate, null);
        }
        else
        {
            _kernels.Multiply(
                from, frame.Cell.Rows, packed, instruction.Columns, instruction.SourceSize, to, accumulate, null, 0,
                _kernels.PanelCount(instruction.SourceSize), frame.Scratch);
        }
    }

    private void Unmask(Rows<T> from, Rows<T> to, in StepFrame<T> frame, in StepInstruction instruction)
    {
        var (column, size) = (instruction.SourceColumn, instruction.SourceSize);
        for (var row = 0; row < frame.Cell.Rows; row++)
        {
            var gradient = new ReadOnlySpan<T>(from[row], size);
            var mask = Masks.Dropout(frame.FirstRow + row, column + size)[column..];
            var sum = new Span<T>(to[row], size);
            if (instruction.Accumulate)
            {
                SpanKernels<T>.AddProduct(gradient, mask, sum);
            }
            else
            {
                SpanKernels<T>.Multiply(gradient, mask, sum);
            }
        }
    }

    // The cell's output is the row before the projection: its gradient is dh W_hr, with dh of the output and of the next step together.
    private void Project(ref StepFrame<T> frame)
    {
        var size = _shape.ProjectionSize;
        var projected = Memory.ProjectedGradients(frame.Row);
        for (var row = 0; row < frame.Cell.Rows; row++)
        {
            var ofOutput = new ReadOnlySpan<T>(frame.Cell.OutputGradient[row], size);
            var ofState = new ReadOnlySpan<T>(frame.Cell.Gradient[0][row], size);
            var sum = new Span<T>(projected[row], size);
            ofOutput.CopyTo(sum);
            SpanKernels<T>.Add(ofState, sum);
        }

        var unprojected = Memory.UnprojectedGradients(frame.FirstRow);
        _kernels.Multiply(
            projected, frame.Cell.Rows, _weights.Projection, size, _shape.HiddenSize, unprojected, accumulate: false, null, 0,
            _kernels.PanelCount(_shape.HiddenSize), frame.Scratch);
        frame.Cell.OutputGradient = unprojected;
        frame.Cell.Gradient[0] = new(Memory.Zeros, 0);
    }

    // Splits the gradient of a state: the part of the units that kept their state goes past the cell.
    private void SplitGradientAtZoneout(int state, ref StepFrame<T> frame)
    {
        var size = _shape.StateSize(state);
        var mask = new Span<T>(frame.Scratch, size);
        var passed = Memory.PassedBy(state, frame.FirstRow);
        for (var row = 0; row < frame.Cell.Rows; row++)
        {
            var gradient = new Span<T>(frame.Cell.Gradient[state][row], size);
            var passedBy = new Span<T>(passed[row], size);
            if (state == 0)
            {
                SpanKernels<T>.Add(new ReadOnlySpan<T>(frame.Cell.OutputGradient[row], size), gradient);
            }

            Masks.FillZoneout(state, frame.Step, frame.FirstRow + row, mask);
            SpanKernels<T>.Multiply(gradient, mask, passedBy);
            SpanKernels<T>.AddScaled(passedBy, -T.One, gradient);
        }

        if (state == 0)
        {
            frame.Cell.OutputGradient = new(Memory.Zeros, 0);
        }
    }

    private void AddZoneoutGradient(int state, in StepFrame<T> frame)
    {
        var size = _shape.StateSize(state);
        var to = Memory.StateGradient(state).Skip(frame.FirstRow);
        var passed = Memory.PassedBy(state, frame.FirstRow);
        for (var row = 0; row < frame.Cell.Rows; row++)
        {
            SpanKernels<T>.Add(new ReadOnlySpan<T>(passed[row], size), new Span<T>(to[row], size));
        }

        StepForward<T>.Flush(to, frame.Cell.Rows, size);
    }

    // Gradients of products, and of the input product, replace them; parts of the gains' gradients are added up.
    private void NormalizeProduct(in StepInstruction instruction, in StepFrame<T> frame)
    {
        var rows = frame.Cell.Rows;
        var sums = Memory.GainSums(frame.FirstRow);
        var gates = frame.Cell.Gates.SkipColumns(instruction.GateColumn);
        var isInput = instruction.Operation == StepOperation.NormalizeInput;
        var x = Memory.Normalized(
            instruction.Normalized, isInput ? Memory.InputProducts(frame) : Memory.RecurrentProducts(frame.Row), frame.Row, _weights);
        if (instruction.WithInput is { } input)
        {
            _normalization.BackwardSum(
                Memory.Normalized(input, Memory.InputProducts(frame), frame.Row, _weights), x, rows, instruction.Columns, gates,
                sums.SkipColumns(input.Sums), sums.SkipColumns(instruction.Normalized.Sums), Memory.SumShift);
        }
        else
        {
            _normalization.Backward(
                x, rows, instruction.Columns, gates, x.Values, accumulate: false, sums.SkipColumns(instruction.Normalized.Sums), Memory.SumShift);
        }
    }

    private void NormalizeState(in StepInstruction instruction, in StepFrame<T> frame)
    {
        var size = instruction.Columns;
        var dy = frame.Cell.IntermediateGradient.SkipColumns((nint)instruction.Source.Index * size);
        var sums = Memory.GainSums(frame.FirstRow).SkipColumns(instruction.Normalized.Sums);
        var x = Memory.Normalized(instruction.Normalized, frame.Cell.Next[instruction.Index], frame.Row, _weights);
        _normalization.Backward(x, frame.Cell.Rows, size, dy, frame.Cell.Gradient[instruction.Index], accumulate: true, sums, Memory.SumShift);
        for (var row = 0; row < frame.Cell.Rows; row++)
        {
            SpanKernels<T>.Add(new ReadOnlySpan<T>(dy[row], size), new Span<T>(sums[row >> Memory.SumShift] + size, size));
        }
    }
}
