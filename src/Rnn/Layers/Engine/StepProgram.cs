using Rnn.Cells;

namespace Rnn.Layers.Engine;

/// <summary>
/// What one step of one layer does, decided once from the cell's layout, the sizes and the options: a list of instructions for the forward
/// step and its mirror for the backward step. Runs over sequences and steppers all execute this list; there is no other way to compute a step.
/// </summary>
/// <remarks>
/// The product of the step's input comes before the list (<see cref="ForwardRun{T}"/>): a run computes it for many steps at once.
/// For an LSTM the forward list is [Multiply, Cell], the backward list [Cell, Multiply].
/// </remarks>
internal sealed class StepProgram
{
    private readonly List<StepInstruction> _forward = [];
    private readonly List<Operand> _maskedSources = [];
    private readonly bool[] _hasZoneout;

    // While it is compiled: how many gates hold a sum already, so that the next product adds to it.
    private int _startedGates;

    /// <summary>Compiles the program of a layer.</summary>
    /// <param name="shape">The cell and its sizes.</param>
    /// <param name="options">The layer's options, of which zoneout and recurrent dropout act within a step.</param>
    /// <param name="isTraining">Whether dropout masks are applied.</param>
    internal StepProgram(CellShape shape, RecurrentOptions options, bool isTraining)
    {
        Shape = shape;
        Options = options;
        var layout = shape.Layout;
        _hasZoneout = [.. Enumerable.Range(0, layout.States.Count).Select(state => options.Zoneout(state) > 0)];
        _startedGates = layout.InputGates;
        var inputs = NormalizesProducts ? NormalizeInputs() : [];
        for (var phase = 0; phase < layout.Phases; phase++)
        {
            for (var i = 0; i < layout.Products.Count; i++)
            {
                if (layout.Products[i].Phase == phase)
                {
                    AddProduct(i, isTraining && options.RecurrentDropout > 0, inputs);
                }
            }

            _forward.Add(new(StepOperation.Cell) { Index = layout.CellPhase(phase) });
            AddStateNormalizations(phase);
        }

        if (shape.ProjectionSize > 0)
        {
            _forward.Add(new(StepOperation.Project));
        }

        for (var state = 0; state < layout.States.Count; state++)
        {
            if (_hasZoneout[state])
            {
                _forward.Add(new(StepOperation.Zoneout) { Index = state });
            }
        }

        Forward = [.. _forward];
        Backward = Mirror(Forward);
        StartsWithInputProduct = Forward[0] is { Operation: StepOperation.Multiply, GateColumn: 0, ProductColumn: < 0, MaskIndex: < 0 } first
            && first.Columns == shape.InputColumns;
    }

    /// <summary>The cell and its sizes.</summary>
    internal CellShape Shape { get; }

    /// <summary>The layer's options, of which zoneout and recurrent dropout act within a step.</summary>
    internal RecurrentOptions Options { get; }

    /// <summary>The forward step, after the product of the input.</summary>
    internal StepInstruction[] Forward { get; }

    /// <summary>The backward step: the forward list in reverse order, each instruction with what its gradients overwrite or add to.</summary>
    internal StepInstruction[] Backward { get; }

    /// <summary>Whether the first instruction is a product that adds to just the gates of the input product, so that few rows may compute both in one go.</summary>
    internal bool StartsWithInputProduct { get; }

    /// <summary>Whether gate products are layer-normalised before they are added.</summary>
    internal bool NormalizesProducts => Shape.Layout.NormalizesProducts;

    /// <summary>Whether anything is normalised.</summary>
    internal bool Normalizes => MomentColumns > 0;

    /// <summary>The columns of all recurrent products beside each other, before normalisation.</summary>
    internal int ProductColumns { get; private set; }

    /// <summary>The moments of one row: μ and 1/σ of each normalised part.</summary>
    internal int MomentColumns { get; private set; }

    /// <summary>A row's parts of the gradients of all gains and biases of normalisation.</summary>
    internal int GainColumns { get; private set; }

    /// <summary>The sources that products read through a dropout mask.</summary>
    internal IReadOnlyList<Operand> MaskedSources => _maskedSources;

    /// <summary>Whether a state has zoneout.</summary>
    internal bool HasZoneout(int state) => _hasZoneout[state];

    private void AddProduct(int index, bool masks, List<NormalizedInput> inputs)
    {
        var product = Shape.Layout.Products[index];
        var hidden = Shape.HiddenSize;
        var accumulate = product.FirstGate < _startedGates;
        _startedGates = Math.Max(_startedGates, product.FirstGate + product.GateCount);
        var mask = masks ? MaskOf(product.Source) : -1;
        for (var i = 0; i < Shape.Blocks.Length; i++)
        {
            var block = Shape.Blocks[i];
            if (block.Product == index)
            {
                _forward.Add(new(StepOperation.Multiply)
                {
                    Index = i,
                    Source = product.Source,
                    MaskIndex = mask,
                    SourceColumn = block.SourceColumn,
                    SourceSize = block.SourceSize,
                    Columns = block.Rows,
                    GateColumn = (product.FirstGate * hidden) + block.Column,
                    ProductColumn = NormalizesProducts ? ProductColumns + block.Column : -1,
                    Accumulate = accumulate && !NormalizesProducts,
                    PreviousState = product.Source.Kind == OperandKind.Previous ? 1UL << product.Source.Index : 0,
                    EndsAtState = product.EndsStepBack ? 1UL << product.Source.Index : 0,
                });
            }
        }

        if (!NormalizesProducts)
        {
            return;
        }

        var slot = Shape.SlotOf(WeightKind.Gain, CellShape.GainName(product.Weight));
        var gain = Shape.Layout.Products.Take(index).Where(earlier => earlier.Weight == product.Weight).Sum(earlier => earlier.GateCount) * hidden;
        var columns = product.GateCount * hidden;
        _forward.Add(new(StepOperation.NormalizeProduct)
        {
            Columns = columns,
            GateColumn = product.FirstGate * hidden,
            Accumulate = accumulate,
            Normalized = Normalized(ProductColumns, slot, gain, columns),
            WithInput = inputs.Find(input => input.Product == index)?.Columns,
        });
        ProductColumns += columns;
    }

    // A masked source of its own for the hidden state and each intermediate value; products of one source share it. Other states are not dropped.
    private int MaskOf(Operand source)
    {
        if (source.Kind != OperandKind.Intermediate && source != Operand.Previous(0))
        {
            return -1;
        }

        var index = _maskedSources.IndexOf(source);
        if (index < 0)
        {
            index = _maskedSources.Count;
            _maskedSources.Add(source);
            _forward.Add(new(StepOperation.Mask) { Index = index, Source = source, SourceSize = Shape.SourceSize(source) });
        }

        return index;
    }

    // The input products of each group of gates, those first that are normalised alone. The others wait for the first product of phase 0 that
    // feeds just their gates, and are normalised in one pass with it.
    private List<NormalizedInput> NormalizeInputs()
    {
        var slot = Shape.SlotOf(WeightKind.Gain, "norm_ih");
        var inputs = new List<NormalizedInput>();
        foreach (var group in Shape.Layout.InputGroups)
        {
            var first = group.FirstGate * Shape.HiddenSize;
            var count = group.GateCount * Shape.HiddenSize;
            var columns = Normalized(first, slot, first, count);
            var product = ProductOf(group);
            if (product >= 0)
            {
                inputs.Add(new(columns, product));
            }
            else
            {
                _forward.Add(new(StepOperation.NormalizeInput) { GateColumn = first, Columns = count, Normalized = columns });
            }
        }

        return inputs;
    }

    private int ProductOf(GateGroup group)
    {
        var products = Shape.Layout.Products;
        for (var i = 0; i < products.Count; i++)
        {
            if (products[i].Phase == 0 && products[i].FirstGate == group.FirstGate && products[i].GateCount == group.GateCount)
            {
                return i;
            }
        }

        return -1;
    }

    private void AddStateNormalizations(int phase)
    {
        foreach (var normalization in Shape.Layout.Normalizations)
        {
            if (normalization.AfterPhase == phase)
            {
                var hidden = Shape.HiddenSize;
                _forward.Add(new(StepOperation.NormalizeState)
                {
                    Index = normalization.State,
                    Source = Operand.Intermediate(normalization.Intermediate),
                    Columns = hidden,
                    Normalized = Normalized(0, Shape.SlotOf(WeightKind.GainAndBias, normalization.Name), 0, 2 * hidden),
                });
            }
        }
    }

    private NormalizedColumns Normalized(int column, int slot, int gain, int sums)
    {
        var columns = new NormalizedColumns(column, MomentColumns, slot, gain, GainColumns);
        MomentColumns += 2;
        GainColumns += sums;
        return columns;
    }

    // The first product that leads to a gradient, or to a head's columns of it, overwrites what is there, the others add. A state with a direct path has its gradient
    // written by the cell already, and so has every state after the step but the hidden one.
    private StepInstruction[] Mirror(StepInstruction[] forward)
    {
        var states = Shape.Layout.States;
        var unwritten = 0UL;
        for (var state = 0; state < states.Count; state++)
        {
            unwritten |= states[state].CarriesGradient ? 0 : 1UL << state;
        }

        var written = new HashSet<(Operand Source, int Column)>();
        var backward = new List<StepInstruction>();
        for (var i = forward.Length - 1; i >= 0; i--)
        {
            var instruction = forward[i];
            if (instruction.Operation == StepOperation.Mask)
            {
                continue;
            }

            if (instruction.Operation != StepOperation.Multiply)
            {
                backward.Add(instruction);
                continue;
            }

            var source = instruction.Source;
            var bit = 1UL << source.Index;
            var accumulate = true;
            if (source.Kind == OperandKind.Intermediate)
            {
                accumulate = !written.Add((source, instruction.SourceColumn));
            }
            else if (source.Kind == OperandKind.Previous || source.Index == 0)
            {
                accumulate = states[source.Index].CarriesGradient || !written.Add((Operand.Previous(source.Index), instruction.SourceColumn));
                unwritten &= ~bit;
            }

            backward.Add(instruction with { Accumulate = accumulate });
        }

        for (var state = 0; state < states.Count; state++)
        {
            if ((unwritten & (1UL << state)) != 0)
            {
                backward.Add(new(StepOperation.ZeroGradient) { Index = state });
            }
        }

        backward.AddRange(forward.Where(each => each.Operation == StepOperation.Zoneout).Select(each => each with { Operation = StepOperation.AddZoneoutGradient }));
        return [.. backward];
    }

    // The input product of neighbouring gates, and the recurrent product that it is normalised with.
    private sealed class NormalizedInput(NormalizedColumns columns, int product)
    {
        internal NormalizedColumns Columns => columns;

        internal int Product => product;
    }
}
