using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Rnn.Kernels;

namespace Rnn.Layers.Engine;

/// <summary>
/// One direction of one layer over one batch: its memory, where its rows lie in the user's batch-first tensors, and what runs on them:
/// <see cref="Forward"/>, then <see cref="Backward"/> and <see cref="WeightGradients"/>. Used again for the next batch.
/// </summary>
/// <remarks>The engine runs rows and steps in an order of its own (<see cref="BatchPlan"/>). Pointers hold while the tensors are pinned.</remarks>
internal sealed unsafe class DirectionRun<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Steps of fewer rows than a tile has are gathered, so that the tiles are full.
    private const int DirectRows = 12;

    // The least number of multiplications for which threads share one product.
    private const long SharedProduct = 200_000;

    private readonly MatrixKernels<T> _kernels = MatrixKernels<T>.Current;
    private readonly SharedGemm<T> _team = new();
    private nint[] _inputOffsets = [];
    private nint[] _outputOffsets = [];
    private nint[] _stateOffsets = [];

    internal DirectionRun(LayerEngine<T> engine, BatchPlan plan, int direction)
    {
        var program = engine.Program;
        Plan = plan;
        Shape = program.Shape;
        IsReverse = program.Options.Reverse || direction == 1;
        Memory = new(program);
        Masks = new(program.Options, plan, direction);
        Forward = new(this, engine.Cell, engine.Weights(direction, backward: false));
        Backward = new(this, engine.Cell, engine.Weights(direction, backward: true));
        WeightGradients = new(this);
    }

    /// <summary>The cell and its sizes.</summary>
    internal CellShape Shape { get; }

    /// <summary>The batch's rows and lengths.</summary>
    internal BatchPlan Plan { get; }

    /// <summary>Whether the direction runs back in time.</summary>
    internal bool IsReverse { get; }

    /// <summary>The buffers that the forward pass fills and, where one follows, the backward pass reads.</summary>
    internal StepMemory<T> Memory { get; }

    /// <summary>The masks of zoneout and dropout.</summary>
    internal StepMasks<T> Masks { get; }

    /// <summary>The forward pass.</summary>
    internal ForwardRun<T> Forward { get; }

    /// <summary>The backward pass through time.</summary>
    internal BackwardRun<T> Backward { get; }

    /// <summary>The gradients of the weights, after the backward pass.</summary>
    internal WeightGradients<T> WeightGradients { get; }

    /// <summary>How many parts the rows are cut into, each for one thread.</summary>
    internal int Parts { get; set; }

    /// <summary>Whether threads share single products, since there is one part only.</summary>
    internal bool SharesProducts { get; set; }

    /// <summary>The input [N, T, I].</summary>
    internal StepMap<T> Input { get; private set; }

    /// <summary>The output of this direction, columns of [N, T, D·size].</summary>
    internal StepMap<T> Output { get; private set; }

    /// <summary>The initial hidden state [N, size], or rows of zeros.</summary>
    internal Rows<T> InitialHidden { get; private set; }

    /// <summary>Whether the initial hidden state is zero.</summary>
    internal bool StartsFromZeros { get; private set; }

    /// <summary>The bytes that are rented for a backward pass to come.</summary>
    internal long SavedBytes => Memory.Bytes + Masks.Bytes;

    /// <summary>The length of all tables of offsets, which grow with the batch and stay.</summary>
    internal long TableLength => _inputOffsets.Length + _outputOffsets.Length + _stateOffsets.Length + Backward.TableLength + WeightGradients.TableLength;

    /// <summary>Says where input, output and initial hidden state lie.</summary>
    /// <param name="input">The input [N, T, I].</param>
    /// <param name="output">The first column of this direction in the output [N, T, outputWidth].</param>
    /// <param name="outputWidth">The width of a row of the output, all directions together.</param>
    /// <param name="initialHidden">The initial hidden state [N, output size], or null for zeros.</param>
    internal void Bind(T* input, T* output, int outputWidth, T* initialHidden)
    {
        Input = View(input, Shape.InputSize, ref _inputOffsets);
        Output = View(output, outputWidth, ref _outputOffsets);
        StartsFromZeros = initialHidden == null;
        InitialHidden = initialHidden == null ? new(Memory.Zeros, 0) : StateRows(initialHidden, Shape.OutputSize);
    }

    /// <summary>The rows of a part that run at a step.</summary>
    internal int ActiveRows(int step, int firstRow, int endRow) => Math.Min(Plan.Active(step), endRow) - firstRow;

    /// <summary>The first row of the states after a step, or before it, in their buffers.</summary>
    internal nint StateRow(int step, bool after)
    {
        if (!Memory.HoldsAllSteps)
        {
            return ((step + (after ? 1 : 0)) & 1) * (nint)Plan.Rows;
        }

        return after ? (nint)Plan.Rows + Plan.Offset(step) : step == 0 ? 0 : (nint)Plan.Rows + Plan.Offset(step - 1);
    }

    /// <summary>Sets a frame to a step of some rows.</summary>
    internal void SetFrame(ref StepFrame<T> frame, int step, int firstRow, int rows, nint gateRow)
    {
        frame.Step = step;
        frame.FirstRow = firstRow;
        frame.Row = (Memory.HoldsAllSteps ? Plan.Offset(step) : 0) + (nint)firstRow;
        frame.StateRow = StateRow(step, after: false) + firstRow;
        frame.NextStateRow = StateRow(step, after: true) + firstRow;
        frame.Output = Output.Step(step, firstRow);
        frame.Cell.Rows = rows;
        frame.Cell.Gates = Memory.Gates(gateRow);
        frame.Cell.Previous[0] = step == 0 ? InitialHidden.Skip(firstRow) : Output.Step(step - 1, firstRow);
        Memory.SetBuffers(ref frame);
    }

    /// <summary>Gives the memory back.</summary>
    internal void Release()
    {
        Memory.Release();
        Masks.Release();
        Forward.Release();
    }

    /// <summary>The rows of a batch-first tensor [N, T, width] from <paramref name="start"/> on.</summary>
    internal StepMap<T> View(T* start, int width, ref nint[] offsets)
    {
        var row = (nint)Plan.Steps * width;
        var delta = IsReverse ? -(nint)width : width;
        if (Plan.IsFull)
        {
            return new(start + (IsReverse ? row - width : 0), row, null, delta);
        }

        if (Plan.InOrder && !IsReverse)
        {
            return new(start, row, null, delta);
        }

        var table = Table(ref offsets, Plan.Rows);
        for (var r = 0; r < Plan.Rows; r++)
        {
            table[r] = (Plan.Order(r) * row) + (IsReverse ? (nint)(Plan.Length(r) - 1) * width : 0);
        }

        return new(start, 0, table, delta);
    }

    /// <summary>A pinned table of at least so many offsets, which stays for the next batch.</summary>
    internal static nint* Table(ref nint[] array, int length)
    {
        if (array.Length < length)
        {
            array = GC.AllocateUninitializedArray<nint>(Math.Max(length, 2 * array.Length), pinned: true);
        }

        return (nint*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(array));
    }

    /// <summary>
    /// C = A B, or C += A B, or C = A B + bias for the rows <paramref name="firstRow"/> … <paramref name="endRow"/> of the steps
    /// <paramref name="step"/> … <paramref name="end"/>. Weights are read once for as many rows as scratch memory holds.
    /// </summary>
    internal void MultiplySteps(
        in StepMap<T> a, in StepMap<T> c, int step, int end, int firstRow, int endRow, PackedPanels<T> packed, int inner, int outputs, bool accumulate, T* bias, T* scratch)
    {
        // The number of running rows falls from step to step: first the steps of many rows, then the others. Threads that share products share few, large ones.
        var many = step;
        while (!SharesProducts && many < end && ActiveRows(many, firstRow, endRow) >= DirectRows)
        {
            many++;
        }

        var panels = _kernels.PanelCount(outputs);
        var group = many - step > 1 ? Math.Max(1, CacheSizes.Second / 2 / (_kernels.PanelWidth * sizeof(T) * Math.Max(1, inner))) : panels;
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

        var whole = firstRow == 0 && endRow == Plan.Rows;
        var count = 0;
        for (var s = many; s < end; s++)
        {
            count += ActiveRows(s, firstRow, endRow);
        }

        var offsets = Scratch<T>.GetOffsets(2 * count);
        var from = whole && a.IsEven(Plan, out var stride) ? new(a.At(many, 0), stride) : Listed(a, many, end, firstRow, endRow, offsets);
        var to = whole && c.IsEven(Plan, out stride) ? new(c.At(many, 0), stride) : Listed(c, many, end, firstRow, endRow, offsets + count);
        if (SharesProducts && (long)inner * outputs * count > SharedProduct)
        {
            _team.Multiply(from, count, packed, inner, outputs, to, accumulate, bias);
        }
        else
        {
            _kernels.Multiply(from, count, packed, inner, outputs, to, accumulate, bias, 0, panels, scratch);
        }
    }

    // The rows of a state [N, size] in the engine's order.
    private Rows<T> StateRows(T* start, int size)
    {
        if (Plan.InOrder)
        {
            return new(start, size);
        }

        var table = Table(ref _stateOffsets, Plan.Rows);
        for (var r = 0; r < Plan.Rows; r++)
        {
            table[r] = (nint)Plan.Order(r) * size;
        }

        return new(start, 0, table);
    }

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
