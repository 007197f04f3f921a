using Rnn.Cells;

namespace Rnn.Layers.Engine;

/// <summary>A cell with sizes: everything about one direction of one layer that follows from its layout.</summary>
internal sealed class CellShape
{
    private readonly WeightSlot[] _slots;
    private readonly ProductBlock[] _blocks;

    /// <summary>Gives a cell its sizes.</summary>
    /// <param name="layout">What a step is made of.</param>
    /// <param name="inputSize">I.</param>
    /// <param name="hiddenSize">H.</param>
    /// <param name="projectionSize">P, or 0 for no projection.</param>
    /// <param name="hasBias">Whether gates have biases.</param>
    /// <param name="heads">The number of groups of units that recurrent products connect; it divides H and P.</param>
    internal CellShape(CellLayout layout, int inputSize, int hiddenSize, int projectionSize, bool hasBias, int heads = 1)
    {
        Layout = layout;
        InputSize = inputSize;
        HiddenSize = hiddenSize;
        ProjectionSize = projectionSize;
        Heads = heads;
        GateColumns = layout.Gates.Count * hiddenSize;
        InputColumns = layout.InputGates * hiddenSize;
        _slots = MakeSlots(hasBias);
        BiasSlot = SlotOf(WeightKind.Bias);
        UnitWeightsSlot = SlotOf(WeightKind.UnitWeights);
        ProjectionSlot = SlotOf(WeightKind.Projection);
        _blocks = [.. Enumerable.Range(0, layout.Products.Count).SelectMany(MakeBlocks)];
    }

    /// <summary>What a step is made of.</summary>
    internal CellLayout Layout { get; }

    /// <summary>The size of the input I.</summary>
    internal int InputSize { get; }

    /// <summary>The hidden size H.</summary>
    internal int HiddenSize { get; }

    /// <summary>The size of the projection P, or 0.</summary>
    internal int ProjectionSize { get; }

    /// <summary>The number of heads K: recurrent products connect units of one head only.</summary>
    internal int Heads { get; }

    /// <summary>The place of the bias among <see cref="Slots"/>, or −1.</summary>
    internal int BiasSlot { get; }

    /// <summary>The place of the per-unit weights among <see cref="Slots"/>, or −1.</summary>
    internal int UnitWeightsSlot { get; }

    /// <summary>The place of the projection among <see cref="Slots"/>, or −1.</summary>
    internal int ProjectionSlot { get; }

    /// <summary>The width of the output and of the hidden state: P, or H without projection.</summary>
    internal int OutputSize => ProjectionSize > 0 ? ProjectionSize : HiddenSize;

    /// <summary>All gate columns: gates · H.</summary>
    internal int GateColumns { get; }

    /// <summary>The gate columns that the input product feeds.</summary>
    internal int InputColumns { get; }

    /// <summary>The recurrent weights, which every step multiplies.</summary>
    internal long RecurrentWeights
    {
        get
        {
            var weights = 0L;
            foreach (var product in Layout.Products)
            {
                weights += (long)product.GateCount * HiddenSize * (SourceSize(product.Source) / Heads);
            }

            return weights;
        }
    }

    /// <summary>Floating-point operations of one step of one row, for choosing the number of threads.</summary>
    internal double FlopPerStep => 2 * (((double)InputColumns * InputSize) + RecurrentWeights + GateColumns);

    /// <summary>The parameters of one direction, in a fixed order; the first is always <c>weight_ih</c>.</summary>
    internal IReadOnlyList<WeightSlot> Slots => _slots;

    /// <summary>The place of a parameter among <see cref="Slots"/>, or −1.</summary>
    internal int SlotOf(WeightKind kind, string? name = null) =>
        Array.FindIndex(_slots, slot => slot.Kind == kind && (name is null || slot.Name == name));

    /// <summary>The dense blocks of all recurrent products, product by product: each product as a whole, with several heads a block for each gate and head.</summary>
    internal ReadOnlySpan<ProductBlock> Blocks => _blocks;

    /// <summary>The width of a state: the hidden state has the output's, all others H.</summary>
    internal int StateSize(int state) => state == 0 ? OutputSize : HiddenSize;

    /// <summary>The width of what a product multiplies.</summary>
    internal int SourceSize(Operand source) => source.Kind == OperandKind.Intermediate ? HiddenSize : StateSize(source.Index);

    /// <summary>The name of the gains of a recurrent matrix's normalised products: norm_hh for weight_hh.</summary>
    internal static string GainName(string weight) =>
        $"norm{(weight.StartsWith("weight", StringComparison.Ordinal) ? weight["weight".Length..] : $"_{weight}")}";

    private IEnumerable<ProductBlock> MakeBlocks(int index)
    {
        // Products of one name share a matrix, their rows in the order of the list.
        var product = Layout.Products[index];
        var slot = SlotOf(WeightKind.Recurrent, product.Weight);
        var row = Layout.Products.Take(index).Where(other => other.Weight == product.Weight).Sum(other => other.GateCount) * HiddenSize;
        var (rows, columns) = (HiddenSize / Heads, SourceSize(product.Source) / Heads);
        if (Heads == 1)
        {
            yield return new(index, slot, row, product.GateCount * rows, 0, 0, columns);
            yield break;
        }

        for (var block = 0; block < product.GateCount * Heads; block++)
        {
            yield return new(index, slot, row + (block * rows), rows, block * rows, block % Heads * columns, columns);
        }
    }

    private WeightSlot[] MakeSlots(bool bias)
    {
        var (layout, input, hidden, projection) = (Layout, InputSize, HiddenSize, ProjectionSize);
        var slots = new List<WeightSlot> { new("weight_ih", WeightKind.Input, layout.InputGates, [layout.InputGates * hidden, input]) };
        foreach (var group in layout.Products.GroupBy(product => product.Weight))
        {
            var rows = layout.GateRows(group.Key);
            slots.Add(new(group.Key, WeightKind.Recurrent, rows * Heads, [rows * hidden, SourceSize(group.First().Source) / Heads]));
        }

        if (bias)
        {
            slots.Add(new("bias", WeightKind.Bias, layout.Gates.Count, [layout.Gates.Count * hidden]));
        }

        if (layout.UnitWeights.Count > 0)
        {
            slots.Add(new(layout.UnitWeightName, WeightKind.UnitWeights, layout.UnitWeights.Count, [layout.UnitWeights.Count, hidden]));
        }

        if (projection > 0)
        {
            slots.Add(new("weight_hr", WeightKind.Projection, 1, [projection, hidden]));
        }

        if (layout.NormalizesProducts)
        {
            slots.Add(new("norm_ih", WeightKind.Gain, layout.InputGates, [layout.InputGates * hidden]));
            foreach (var weight in layout.Products.Select(product => product.Weight).Distinct())
            {
                slots.Add(new(GainName(weight), WeightKind.Gain, layout.GateRows(weight), [layout.GateRows(weight) * hidden]));
            }
        }

        foreach (var normalization in layout.Normalizations)
        {
            slots.Add(new(normalization.Name, WeightKind.GainAndBias, 2, [2, hidden]));
        }

        return [.. slots];
    }
}

/// <summary>A dense block of a recurrent product: rows of its matrix, which multiply some columns of its source and feed some columns of its gates.</summary>
/// <param name="Product">The product's place in the layout.</param>
/// <param name="Slot">The place of its matrix among the slots.</param>
/// <param name="FirstRow">The first row in the matrix.</param>
/// <param name="Rows">The number of rows: of the columns that it feeds.</param>
/// <param name="Column">The first column that it feeds, counted from the product's first gate.</param>
/// <param name="SourceColumn">The first column of the source.</param>
/// <param name="SourceSize">The number of columns of the source, and of the matrix.</param>
internal readonly record struct ProductBlock(int Product, int Slot, int FirstRow, int Rows, int Column, int SourceColumn, int SourceSize);

/// <summary>What a parameter of a recurrent layer is.</summary>
internal enum WeightKind
{
    /// <summary>The input weights W [input gates·H, I].</summary>
    Input,

    /// <summary>Recurrent weights U [gates·H, source], with K heads [gates·H, source/K].</summary>
    Recurrent,

    /// <summary>The biases [gates·H].</summary>
    Bias,

    /// <summary>The per-unit weights [vectors, H].</summary>
    UnitWeights,

    /// <summary>The projection [P, H].</summary>
    Projection,

    /// <summary>The gains γ of normalised gate products [gates·H].</summary>
    Gain,

    /// <summary>The gain γ and the bias β of a normalised state [2, H].</summary>
    GainAndBias,
}

/// <summary>A parameter of one direction of a layer.</summary>
/// <param name="name">Its name without layer and direction.</param>
/// <param name="kind">What it is.</param>
/// <param name="blocks">Blocks along its first dimension that start by themselves: gates, heads of gates, or vectors.</param>
/// <param name="shape">Its dimensions.</param>
internal sealed class WeightSlot(string name, WeightKind kind, int blocks, int[] shape)
{
    internal string Name => name;

    internal WeightKind Kind => kind;

    internal int Blocks => blocks;

    internal int[] Shape => shape;

    /// <summary>Whether it multiplies whole rows, so that its gradient is a product.</summary>
    internal bool IsMatrix => kind is WeightKind.Input or WeightKind.Recurrent or WeightKind.Projection;
}
