using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.Layers.Engine;

/// <summary>Executes the forward list of a <see cref="StepProgram"/>, for runs over sequences and for steppers: the one place where a step is computed.</summary>
internal sealed unsafe class StepForward<T>(CellKernels<T> cell, WeightLeases<T> weights, StepMemory<T> memory, StepMasks<T> masks)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly MatrixKernels<T> _kernels = MatrixKernels<T>.Current;
    private readonly NormalizationKernels<T> _normalization = NormalizationKernels<T>.Current;
    private readonly SharedGemm<T> _team = new();
    private readonly CellShape _shape = memory.Program.Shape;

    /// <summary>Whether threads share single products: only one of them may run steps meanwhile.</summary>
    internal bool SharesProducts { get; set; }

    /// <summary>Whether a backward pass will follow, for which the cell saves values.</summary>
    internal bool Saves { get; set; }

    /// <summary>Elements of scratch memory that steps of so many rows need, and products of as many rows of input.</summary>
    internal nint ScratchLength(int rows) => Math.Max(
        _kernels.MultiplyScratch(rows, Math.Max(_shape.InputSize, Math.Max(_shape.OutputSize, _shape.HiddenSize))),
        Math.Max(_shape.OutputSize, _shape.HiddenSize));

    /// <summary>What every row of the input product starts from: the biases, or null for zero.</summary>
    internal T* InputBias => memory.Program.NormalizesProducts ? null : weights.Bias;

    /// <summary>Executes the list for some rows whose input products are there.</summary>
    /// <param name="frame">Where the step's rows lie.</param>
    /// <param name="first">The first instruction.</param>
    internal void Run(ref StepFrame<T> frame, int first = 0)
    {
        frame.Cell.UnitWeights = weights.UnitWeights;
        var instructions = memory.Program.Forward;
        for (var i = first; i < instructions.Length; i++)
        {
            Execute(instructions[i], ref frame);
        }
    }

    /// <summary>Executes one instruction.</summary>
    internal void Execute(in StepInstruction instruction, ref StepFrame<T> frame)
    {
        switch (instruction.Operation)
        {
            case StepOperation.Multiply:
                Multiply(Product(instruction, frame), frame);
                break;
            case StepOperation.Cell:
                cell.Forward(instruction.Index, frame.Cell, Saves);
                break;
            case StepOperation.Project:
                Project(frame);
                break;
            case StepOperation.Mask:
                Mask(instruction, frame);
                break;
            case StepOperation.Zoneout:
                ApplyZoneout(instruction.Index, frame);
                break;
            default:
                Normalize(instruction, frame);
                break;
        }
    }

    /// <summary>Looks everything up that steps of a frame read, for a stepper whose rows stay where they are.</summary>
    /// <param name="input">The rows of the input.</param>
    /// <param name="frame">Where the step's rows lie.</param>
    /// <param name="descending">Whether products read their weights from the last column to the first; see <see cref="MatrixKernels{T}.Prepare"/>.</param>
    internal PreparedStep<T> Prepare(Rows<T> input, ref StepFrame<T> frame, bool descending)
    {
        frame.Cell.UnitWeights = weights.UnitWeights;
        var step = new PreparedStep<T>(this, cell, _kernels, frame.Cell.Rows, descending);
        step.Add(InputProduct(input, frame));
        foreach (ref readonly var instruction in memory.Program.Forward.AsSpan())
        {
            if (instruction.Operation == StepOperation.Multiply)
            {
                step.Add(Product(instruction, frame));
            }
            else
            {
                step.Add(instruction, frame.Cell);
            }
        }

        step.Complete();
        return step;
    }

    /// <summary>The input product of one step, with the biases where gates are not normalised.</summary>
    internal RowProduct<T> InputProduct(Rows<T> input, in StepFrame<T> frame) => new()
    {
        A = input,
        Packed = weights.Input,
        Inner = _shape.InputSize,
        Outputs = _shape.InputColumns,
        C = frame.Cell.Gates,
        Bias = InputBias,

        // Gates without an input product come last and are written later.
        Room = (int)memory.GateStride,
    };

    /// <summary>The input product and the program's first instruction in one go, each weight read once; see <see cref="StepProgram.StartsWithInputProduct"/>.</summary>
    internal void MultiplyWithInput(Rows<T> input, in StepFrame<T> frame)
    {
        ref readonly var first = ref memory.Program.Forward[0];
        _team.MultiplyTwo(
            input, weights.Input, _shape.InputSize, frame.Source(first.Source), weights.Block(first.Index), first.SourceSize, frame.Cell.Rows,
            first.Columns, frame.Cell.Gates, weights.Bias);
    }

    /// <summary>Computes a product, shared among threads by panels where that is wanted and worthwhile.</summary>
    internal void Multiply(in RowProduct<T> product, in StepFrame<T> frame)
    {
        var rows = frame.Cell.Rows;
        if (SharesProducts && SharedGemm<T>.ShouldShare((long)product.Inner * product.Outputs, product.Packed.Bits))
        {
            _team.Multiply(product.A, rows, product.Packed, product.Inner, product.Outputs, product.C, product.Accumulate, product.Bias);
        }
        else
        {
            _kernels.Multiply(
                product.A, rows, product.Packed, product.Inner, product.Outputs, product.C, product.Accumulate, product.Bias, 0,
                _kernels.PanelCount(product.Outputs), frame.Scratch);
        }
    }

    private RowProduct<T> Product(in StepInstruction instruction, in StepFrame<T> frame)
    {
        var source = instruction.MaskIndex >= 0 ? memory.Masked(instruction.MaskIndex, frame.Row) : frame.Source(instruction.Source);
        var isNormalized = instruction.ProductColumn >= 0;
        var accumulate = instruction.Accumulate && !isNormalized;
        return new()
        {
            A = source.SkipColumns(instruction.SourceColumn),
            Packed = weights.Block(instruction.Index),

            // The product of a state that is zero adds nothing, but gates without input still start from their bias.
            Inner = (frame.IgnoredStates & instruction.PreviousState) == 0 ? instruction.SourceSize : 0,
            Outputs = instruction.Columns,
            Room = !accumulate && !isNormalized && instruction.GateColumn + instruction.Columns == _shape.GateColumns ? (int)memory.GateStride - instruction.GateColumn : instruction.Columns,
            C = isNormalized ? memory.RecurrentProducts(frame.Row).SkipColumns(instruction.ProductColumn) : frame.Cell.Gates.SkipColumns(instruction.GateColumn),
            Accumulate = accumulate,
            Bias = accumulate || isNormalized || weights.Bias == null ? null : weights.Bias + instruction.GateColumn,
        };
    }

    private void Project(in StepFrame<T> frame)
    {
        var size = _shape.ProjectionSize;
        var target = memory.Program.HasZoneout(0) ? memory.BeforeZoneout(0, frame.Row) : frame.Output;
        _kernels.Multiply(
            frame.Cell.Next[0], frame.Cell.Rows, weights.Projection, _shape.HiddenSize, size, target, accumulate: false, null, 0,
            _kernels.PanelCount(size), frame.Scratch);
        Flush(target, frame.Cell.Rows, size);
    }

    private void Mask(in StepInstruction instruction, in StepFrame<T> frame)
    {
        var size = instruction.SourceSize;
        var from = frame.Source(instruction.Source);
        var to = memory.Masked(instruction.Index, frame.Row);
        for (var row = 0; row < frame.Cell.Rows; row++)
        {
            SpanKernels<T>.Multiply(new ReadOnlySpan<T>(from[row], size), masks.Dropout(frame.FirstRow + row, size), new Span<T>(to[row], size));
        }
    }

    private void ApplyZoneout(int state, in StepFrame<T> frame)
    {
        var size = _shape.StateSize(state);
        var mask = frame.Scratch;
        var own = memory.BeforeZoneout(state, frame.Row);
        var next = state == 0 ? frame.Output : memory.State(state, frame.NextStateRow);
        for (var row = 0; row < frame.Cell.Rows; row++)
        {
            masks.FillZoneout(state, frame.Step, frame.FirstRow + row, new Span<T>(mask, size));
            Elementwise<T, ZoneoutMix>.Run(new(own[row], frame.Cell.Previous[state][row], mask, next[row]), size);
        }

        Flush(next, frame.Cell.Rows, size);
    }

    private void Normalize(in StepInstruction instruction, in StepFrame<T> frame)
    {
        var rows = frame.Cell.Rows;
        var columns = instruction.Columns;
        if (instruction.Operation == StepOperation.NormalizeState)
        {
            var state = memory.Normalized(instruction.Normalized, frame.Cell.Next[instruction.Index], frame.Row, weights);
            _normalization.Forward(state, rows, columns, state.Gain + columns, frame.Source(instruction.Source), accumulate: false);
            return;
        }

        var bias = (weights.Bias == null ? memory.Zeros : weights.Bias) + instruction.GateColumn;
        var gates = frame.Cell.Gates.SkipColumns(instruction.GateColumn);
        if (instruction.Operation == StepOperation.NormalizeInput)
        {
            var alone = memory.Normalized(instruction.Normalized, memory.InputProducts(frame), frame.Row, weights);
            _normalization.Forward(alone, rows, columns, bias, gates, accumulate: false);
            return;
        }

        var product = memory.Normalized(instruction.Normalized, memory.RecurrentProducts(frame.Row), frame.Row, weights);
        if (instruction.WithInput is { } input)
        {
            _normalization.ForwardSum(memory.Normalized(input, memory.InputProducts(frame), frame.Row, weights), product, rows, columns, bias, gates);
        }
        else
        {
            _normalization.Forward(product, rows, columns, bias, gates, instruction.Accumulate);
        }
    }

    // Tiny numbers become zero where a state is stored, by the cell or by the engine.
    internal static void Flush(Rows<T> rows, int count, int width)
    {
        for (var row = 0; row < count; row++)
        {
            Tiny<T>.CopyFlushed(rows[row], rows[row], width);
        }
    }

    // (1 − m)·own + m·previous: exact where m is 0 or 1.
    private readonly struct ZoneoutMix(T* own, T* previous, T* mask, T* next) : IElementwise<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Run<V, TLanes>(TLanes lanes, nint i)
            where V : struct, IVector<V, T>
            where TLanes : struct, ILanes<V, T>
        {
            var m = lanes.Load(mask + i);
            lanes.Store(V.MultiplyAdd(m, lanes.Load(previous + i), (V.One - m) * lanes.Load(own + i)), next + i);
        }
    }
}
