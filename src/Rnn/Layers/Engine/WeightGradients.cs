using System.Numerics;
using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.Layers.Engine;

/// <summary>The gradients of one direction's weights: long products over all packed rows, after the backward pass through time.</summary>
internal sealed unsafe class WeightGradients<T>(DirectionRun<T> run)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly MatrixKernels<T> _kernels = MatrixKernels<T>.Current;
    private readonly ColumnKernels<T> _columns = ColumnKernels<T>.Current;
    private readonly CellShape _shape = run.Shape;
    private nint[] _inputTable = [];
    private nint[] _previousTable = [];
    private nint[] _nextTable = [];
    private nint[] _stateTable = [];
    private Rows<T> _input;
    private Rows<T> _previousHidden;
    private Rows<T> _nextHidden;

    /// <summary>The length of all tables of offsets, which grow with the batch and stay.</summary>
    internal long TableLength => (long)_inputTable.Length + _previousTable.Length + _nextTable.Length + _stateTable.Length;

    private BatchPlan Plan => run.Plan;

    private StepMemory<T> Memory => run.Memory;

    private int Hidden => _shape.HiddenSize;

    /// <summary>Lists where the packed rows of the sources lie.</summary>
    internal void Prepare()
    {
        if (Plan.Total == 0)
        {
            return;
        }

        var (input, output) = (run.Input, run.Output);
        _input = Plan.IsFull && input.IsEven(Plan, out var stride) ? new(input.At(0, 0), stride) : PackedRows(input, 0, ref _inputTable);
        _previousHidden = PackedRows(output, 1, ref _previousTable);
        _nextHidden = Reads(Operand.Next(0)) ? PackedRows(output, 0, ref _nextTable) : default;
        if (!Plan.IsFull)
        {
            FillStateTable();
        }
    }

    /// <summary>Computes a part of the gradients: the weight rows, and input rows, that fall to it. Parts touch nothing of each other.</summary>
    /// <param name="part">The part.</param>
    /// <param name="parts">The number of parts.</param>
    /// <param name="inputGradient">Whether the gradient of the input is wanted and has not been computed in the backward pass.</param>
    /// <param name="gradients">Where the gradient of each slot is added, null where it is not wanted.</param>
    /// <param name="overwrites">Which matrices' gradients start from nothing.</param>
    internal void Run(int part, int parts, bool inputGradient, T** gradients, bool[] overwrites)
    {
        if (Plan.Total == 0)
        {
            return;
        }

        if (inputGradient)
        {
            run.Backward.InputGradient(Plan.PartStart(part, parts), Plan.PartStart(part + 1, parts));
        }

        if (gradients[0] != null)
        {
            AddProduct(Memory.InputProducts(0), _input, Plan.Total, _shape.InputColumns, _shape.InputSize, gradients[0], part, parts, !overwrites[0]);
        }

        foreach (ref readonly var instruction in Memory.Program.Forward.AsSpan())
        {
            if (instruction.Operation == StepOperation.Multiply)
            {
                var block = _shape.Blocks[instruction.Index];
                if (gradients[block.Slot] != null)
                {
                    var first = (nint)block.FirstRow * block.SourceSize;
                    RecurrentGradient(instruction, gradients[block.Slot] + first, part, parts, !overwrites[block.Slot]);
                }
            }
            else if (instruction.Operation is StepOperation.NormalizeInput or StepOperation.NormalizeProduct or StepOperation.NormalizeState)
            {
                GainGradients(instruction, gradients, part, parts);
            }
        }

        if (_shape.BiasSlot >= 0 && gradients[_shape.BiasSlot] != null)
        {
            var (first, end) = PartOf(_shape.GateColumns, part, parts);
            _columns.AddSums(Memory.Gates(0), Plan.Total, gradients[_shape.BiasSlot], first, end);
        }

        if (_shape.UnitWeightsSlot >= 0 && gradients[_shape.UnitWeightsSlot] != null)
        {
            UnitWeightGradients(gradients[_shape.UnitWeightsSlot], part, parts);
        }

        var projection = _shape.ProjectionSlot;
        if (projection >= 0 && gradients[projection] != null)
        {
            AddProduct(
                Memory.ProjectedGradients(0), Memory.Unprojected(0), Plan.Total, _shape.ProjectionSize, Hidden, gradients[projection], part, parts,
                !overwrites[projection]);
        }
    }

    // Cuts a dimension at multiples of a cache line, so that no two threads write one line.
    private static (int First, int End) PartOf(int count, int part, int parts)
    {
        var line = 64 / sizeof(T);
        return (Cut(part), Cut(part + 1));

        int Cut(int at) => at >= parts ? count : (int)((long)count * at / parts / line * line);
    }

    private void AddProduct(Rows<T> a, Rows<T> b, int count, int m, int n, T* gradient, int part, int parts, bool accumulate)
    {
        var (first, end) = PartOf(m, part, parts);
        if (first < end)
        {
            var scratch = Scratch<T>.Get(_kernels.TransposedScratch(count, m, n));
            _kernels.MultiplyTransposedA(a, b, count, m, n, gradient, n, first, end, scratch, accumulate);
        }
    }

    private void RecurrentGradient(in StepInstruction product, T* gradient, int part, int parts, bool accumulate)
    {
        var a = product.ProductColumn >= 0
            ? Memory.RecurrentProducts(0).SkipColumns(product.ProductColumn)
            : Memory.Gates(0).SkipColumns(product.GateColumn);
        var (m, n, column) = (product.Columns, product.SourceSize, product.SourceColumn);
        if (product.MaskIndex >= 0)
        {
            AddProduct(a, Memory.Masked(product.MaskIndex, 0).SkipColumns(column), Plan.Total, m, n, gradient, part, parts, accumulate);
        }
        else if (product.Source == Operand.Previous(0))
        {
            var first = Plan.Active(0);
            if (!run.StartsFromZeros)
            {
                AddProduct(a, run.InitialHidden.SkipColumns(column), first, m, n, gradient, part, parts, accumulate);
                accumulate = true;
            }

            AddProduct(a.Skip(first), _previousHidden.SkipColumns(column), Plan.Total - first, m, n, gradient, part, parts, accumulate);
        }
        else
        {
            AddProduct(a, PackedSource(product.Source).SkipColumns(column), Plan.Total, m, n, gradient, part, parts, accumulate);
        }
    }

    private void UnitWeightGradients(T* gradient, int part, int parts)
    {
        var (first, end) = PartOf(Hidden, part, parts);
        for (var i = 0; i < _shape.Layout.UnitWeights.Count; i++)
        {
            var vector = _shape.Layout.UnitWeights[i];
            var a = Memory.Gates(0).SkipColumns((nint)vector.Gate * Hidden);
            var sums = gradient + ((nint)i * Hidden);
            if (vector.Source == Operand.Previous(0))
            {
                var active = Plan.Active(0);
                _columns.AddProducts(a, run.InitialHidden, active, sums, first, end);
                if (Plan.Total > active)
                {
                    _columns.AddProducts(a.Skip(active), _previousHidden, Plan.Total - active, sums, first, end);
                }
            }
            else
            {
                _columns.AddProducts(a, PackedSource(vector.Source), Plan.Total, sums, first, end);
            }
        }
    }

    // The gradients of gains, of states also of biases: the sums over the rows of what each row has added up.
    private void GainGradients(in StepInstruction instruction, T** gradients, int part, int parts)
    {
        Add(instruction.Normalized, instruction.Operation == StepOperation.NormalizeState ? 2 * instruction.Columns : instruction.Columns);
        if (instruction.WithInput is { } input)
        {
            Add(input, instruction.Columns);
        }

        void Add(in NormalizedColumns columns, int count)
        {
            if (gradients[columns.GainSlot] != null)
            {
                var (first, end) = PartOf(count, part, parts);
                _columns.AddSums(Memory.GainSums(0).SkipColumns(columns.Sums), Memory.SumRows, gradients[columns.GainSlot] + columns.Gain, first, end);
            }
        }
    }

    // A source in the order of the packed rows, other than the hidden state before the step.
    private Rows<T> PackedSource(Operand source)
    {
        if (source.Kind == OperandKind.Intermediate)
        {
            return Memory.Intermediates(0).SkipColumns((nint)source.Index * Hidden);
        }

        if (source.Kind == OperandKind.Next && Memory.Program.HasZoneout(source.Index))
        {
            return Memory.BeforeZoneout(source.Index, 0);
        }

        if (source.Index == 0)
        {
            return _nextHidden;
        }

        var isNext = source.Kind == OperandKind.Next;
        var rows = Memory.State(source.Index, run.StateRow(0, after: isNext));
        return isNext || Plan.IsFull ? rows : new(rows.Start, 0, DirectionRun<T>.Table(ref _stateTable, Plan.Total));
    }

    private bool Reads(Operand source) =>
        _shape.Layout.Products.Any(product => product.Source == source) || _shape.Layout.UnitWeights.Any(vector => vector.Source == source);

    // Where a state other than the hidden one lies before each packed row's step.
    private void FillStateTable()
    {
        var table = DirectionRun<T>.Table(ref _stateTable, Plan.Total);
        for (var step = 0; step < Plan.RunSteps; step++)
        {
            var before = run.StateRow(step, after: false);
            for (var row = 0; row < Plan.Active(step); row++)
            {
                table[Plan.Offset(step) + row] = (before + row) * Hidden;
            }
        }
    }

    // Offsets of the packed rows from step `lag` on, read `lag` steps earlier.
    private Rows<T> PackedRows(in StepMap<T> map, int lag, ref nint[] array)
    {
        var table = DirectionRun<T>.Table(ref array, Math.Max(1, Plan.Total));
        var origin = map.At(0, 0);
        var count = 0;
        for (var step = lag; step < Plan.RunSteps; step++)
        {
            var rows = Plan.Active(step);
            for (var row = 0; row < rows; row++)
            {
                table[count++] = (nint)(map.At(step - lag, row) - origin);
            }
        }

        return new(origin, 0, table);
    }
}
