using System.Numerics;
using System.Numerics.Tensors;
using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.Layers.Engine;

/// <summary>Executes the backward list of a <see cref="StepProgram"/>: gradients of states after the step become those of states before it.</summary>
internal sealed unsafe class StepBackward<T>(
    CellKernels<T> cell, WeightLeases<T> weights, StepMemory<T> memory, GradientMemory<T> gradients, StepMasks<T> masks)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly MatrixKernels<T> _kernels = MatrixKernels<T>.Current;
    private readonly NormalizationKernels<T> _normalization = NormalizationKernels<T>.Current;
    private readonly SharedGemm<T> _team = new();
    private readonly CellShape _shape = memory.Program.Shape;

    /// <summary>Whether threads share single products: only one of them may run steps meanwhile.</summary>
    internal bool SharesProducts { get; set; }

    /// <summary>Executes the list for some rows. The frame's output gradient is set; the gradients of the states lie in the gradient memory.</summary>
    internal void Run(ref StepFrame<T> frame)
    {
        frame.Cell.UnitWeights = weights.UnitWeights;
        frame.Cell.IntermediateGradient = gradients.Intermediates(frame.FirstRow);
        for (var state = 0; state < _shape.Layout.States.Count; state++)
        {
            frame.Cell.Gradient[state] = gradients.State(state).Skip(frame.FirstRow);
        }

        foreach (ref readonly var instruction in memory.Program.Backward.AsSpan())
        {
            switch (instruction.Operation)
            {
                case StepOperation.Multiply:
                    Multiply(instruction, frame);
                    break;
                case StepOperation.Cell:
                    cell.Backward(instruction.Index, frame.Cell);
                    break;
                case StepOperation.Project:
                    Project(ref frame);
                    break;
                case StepOperation.Zoneout:
                    SplitAtZoneout(instruction.Index, ref frame);
                    break;
                case StepOperation.AddZoneoutGradient:
                    AddZoneoutGradient(instruction.Index, frame);
                    break;
                case StepOperation.ZeroGradient:
                    Clear(gradients.State(instruction.Index).Skip(frame.FirstRow), frame.Cell.Rows, _shape.StateSize(instruction.Index));
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
            ? memory.RecurrentProducts(frame.Row).SkipColumns(instruction.ProductColumn)
            : frame.Cell.Gates.SkipColumns(instruction.GateColumn);
        var source = instruction.Source;
        var size = instruction.SourceSize;
        var to = source.Kind == OperandKind.Intermediate
            ? frame.Cell.IntermediateGradient.SkipColumns((nint)source.Index * _shape.HiddenSize)
            : gradients.State(source.Index).Skip(frame.FirstRow);
        if (instruction.MaskIndex >= 0)
        {
            var unmasked = gradients.Unmasked(frame.FirstRow, size);
            Multiply(from, frame, instruction, unmasked, accumulate: false);
            Unmask(unmasked, to, frame, size, instruction.Accumulate);
        }
        else
        {
            Multiply(from, frame, instruction, to, instruction.Accumulate);
        }
    }

    private void Multiply(Rows<T> from, in StepFrame<T> frame, in StepInstruction instruction, Rows<T> to, bool accumulate)
    {
        var packed = weights.Product(instruction.Index);
        if (SharesProducts && SharedGemm<T>.ShouldShare((long)instruction.Columns * instruction.SourceSize))
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

    private void Unmask(Rows<T> from, Rows<T> to, in StepFrame<T> frame, int size, bool accumulate)
    {
        for (var row = 0; row < frame.Cell.Rows; row++)
        {
            var gradient = new ReadOnlySpan<T>(from[row], size);
            var mask = masks.Dropout(frame.FirstRow + row, size);
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

    // The cell's output is the row before the projection: its gradient is dh W_hr, with dh of the output and of the next step together.
    private void Project(ref StepFrame<T> frame)
    {
        var size = _shape.ProjectionSize;
        var projected = gradients.Projected(frame.Row);
        for (var row = 0; row < frame.Cell.Rows; row++)
        {
            var ofOutput = new ReadOnlySpan<T>(frame.Cell.OutputGradient[row], size);
            var ofState = new ReadOnlySpan<T>(frame.Cell.Gradient[0][row], size);
            TensorPrimitives.Add(ofOutput, ofState, new Span<T>(projected[row], size));
        }

        var unprojected = gradients.Unprojected(frame.FirstRow);
        _kernels.Multiply(
            projected, frame.Cell.Rows, weights.Projection, size, _shape.HiddenSize, unprojected, accumulate: false, null, 0,
            _kernels.PanelCount(_shape.HiddenSize), frame.Scratch);
        frame.Cell.OutputGradient = unprojected;
        frame.Cell.Gradient[0] = new(memory.Zeros, 0);
    }

    // Splits the gradient of a state: the part of the units that kept their state goes past the cell.
    private void SplitAtZoneout(int state, ref StepFrame<T> frame)
    {
        var size = _shape.StateSize(state);
        var mask = new Span<T>(frame.Scratch, size);
        var passed = gradients.PassedBy(state, frame.FirstRow);
        for (var row = 0; row < frame.Cell.Rows; row++)
        {
            var gradient = new Span<T>(frame.Cell.Gradient[state][row], size);
            var passedBy = new Span<T>(passed[row], size);
            if (state == 0)
            {
                TensorPrimitives.Add(gradient, new ReadOnlySpan<T>(frame.Cell.OutputGradient[row], size), gradient);
            }

            masks.FillZoneout(state, frame.Step, frame.FirstRow + row, mask);
            TensorPrimitives.Multiply(gradient, mask, passedBy);
            TensorPrimitives.Subtract(gradient, passedBy, gradient);
        }

        if (state == 0)
        {
            frame.Cell.OutputGradient = new(memory.Zeros, 0);
        }
    }

    private void AddZoneoutGradient(int state, in StepFrame<T> frame)
    {
        var size = _shape.StateSize(state);
        var to = gradients.State(state).Skip(frame.FirstRow);
        var passed = gradients.PassedBy(state, frame.FirstRow);
        for (var row = 0; row < frame.Cell.Rows; row++)
        {
            var gradient = new Span<T>(to[row], size);
            TensorPrimitives.Add(gradient, new ReadOnlySpan<T>(passed[row], size), gradient);
        }

        StepForward<T>.Flush(to, frame.Cell.Rows, size);
    }

    // Gradients of products, and of the input product, replace them; parts of the gains' gradients are added up.
    private void NormalizeProduct(in StepInstruction instruction, in StepFrame<T> frame)
    {
        var rows = frame.Cell.Rows;
        var sums = gradients.GainSums(frame.FirstRow);
        var gates = frame.Cell.Gates.SkipColumns(instruction.GateColumn);
        var isInput = instruction.Operation == StepOperation.NormalizeInput;
        var x = memory.Normalized(
            instruction.Normalized, isInput ? memory.InputProducts(frame) : memory.RecurrentProducts(frame.Row), frame.Row, weights);
        if (instruction.WithInput is { } input)
        {
            _normalization.BackwardSum(
                memory.Normalized(input, memory.InputProducts(frame), frame.Row, weights), x, rows, instruction.Columns, gates,
                sums.SkipColumns(input.Sums), sums.SkipColumns(instruction.Normalized.Sums), gradients.SumShift);
        }
        else
        {
            _normalization.Backward(
                x, rows, instruction.Columns, gates, x.Values, accumulate: false, sums.SkipColumns(instruction.Normalized.Sums), gradients.SumShift);
        }
    }

    private void NormalizeState(in StepInstruction instruction, in StepFrame<T> frame)
    {
        var size = instruction.Columns;
        var dy = frame.Cell.IntermediateGradient.SkipColumns((nint)instruction.Source.Index * size);
        var sums = gradients.GainSums(frame.FirstRow).SkipColumns(instruction.Normalized.Sums);
        var x = memory.Normalized(instruction.Normalized, frame.Cell.Next[instruction.Index], frame.Row, weights);
        _normalization.Backward(x, frame.Cell.Rows, size, dy, frame.Cell.Gradient[instruction.Index], accumulate: true, sums, gradients.SumShift);
        for (var row = 0; row < frame.Cell.Rows; row++)
        {
            var sum = new Span<T>(sums[row >> gradients.SumShift] + size, size);
            TensorPrimitives.Add(sum, new ReadOnlySpan<T>(dy[row], size), sum);
        }
    }
}
