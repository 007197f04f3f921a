using Rnn.Cells;

namespace Rnn.Layers.Engine;

/// <summary>A cell with sizes: everything about one direction of one layer that follows from its layout.</summary>
internal sealed class CellShape
{
    private readonly WeightSlot[] _slots;
    private readonly int[] _productSlots;
    private readonly int[] _productRows;

    /// <summary>Gives a cell its sizes.</summary>
    /// <param name="layout">What a step is made of.</param>
    /// <param name="inputSize">I.</param>
    /// <param name="hiddenSize">H.</param>
    /// <param name="projectionSize">P, or 0 for no projection.</param>
    /// <param name="hasBias">Whether gates have biases.</param>
    internal CellShape(CellLayout layout, int inputSize, int hiddenSize, int projectionSize, bool hasBias)
    {
        Layout = layout;
        InputSize = inputSize;
        HiddenSize = hiddenSize;
        ProjectionSize = projectionSize;
        GateColumns = layout.Gates.Count * hiddenSize;
        InputColumns = layout.InputGates * hiddenSize;
        _slots = MakeSlots(layout, inputSize, hiddenSize, projectionSize, hasBias);
        BiasSlot = SlotOf(WeightKind.Bias);
        UnitWeightsSlot = SlotOf(WeightKind.UnitWeights);
        ProjectionSlot = SlotOf(WeightKind.Projection);
        var products = layout.Products;
        _productSlots = new int[products.Count];
        _productRows = new int[products.Count];
        for (var i = 0; i < products.Count; i++)
        {
            // Products of one name share a matrix, their rows in the order of the list.
            var weight = products[i].Weight;
            _productSlots[i] = SlotOf(WeightKind.Recurrent, weight);
            _productRows[i] = products.Take(i).Where(product => product.Weight == weight).Sum(product => product.GateCount) * hiddenSize;
        }
    }

    /// <summary>What a step is made of.</summary>
    internal CellLayout Layout { get; }

    /// <summary>The size of the input I.</summary>
    internal int InputSize { get; }

    /// <summary>The hidden size H.</summary>
    internal int HiddenSize { get; }

    /// <summary>The size of the projection P, or 0.</summary>
    internal int ProjectionSize { get; }

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
                weights += (long)product.GateCount * HiddenSize * SourceSize(product.Source);
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

    /// <summary>The place of a product's matrix among <see cref="Slots"/>.</summary>
    internal int ProductSlot(int product) => _productSlots[product];

    /// <summary>The first row of a product within its matrix.</summary>
    internal int ProductRow(int product) => _productRows[product];

    /// <summary>The width of a state: the hidden state has the output's, all others H.</summary>
    internal int StateSize(int state) => state == 0 ? OutputSize : HiddenSize;

    /// <summary>The width of what a product multiplies.</summary>
    internal int SourceSize(Operand source) => source.Kind == OperandKind.Intermediate ? HiddenSize : StateSize(source.Index);

    /// <summary>The name of the gains of a recurrent matrix's normalised products: norm_hh for weight_hh.</summary>
    internal static string GainName(string weight) =>
        $"norm{(weight.StartsWith("weight", StringComparison.Ordinal) ? weight["weight".Length..] : $"_{weight}")}";

    private static WeightSlot[] MakeSlots(CellLayout layout, int input, int hidden, int projection, bool bias)
    {
        var output = projection > 0 ? projection : hidden;
        var slots = new List<WeightSlot> { new("weight_ih", WeightKind.Input, layout.InputGates, [layout.InputGates * hidden, input]) };
        foreach (var group in layout.Products.GroupBy(product => product.Weight))
        {
            var rows = layout.GateRows(group.Key);
            var columns = group.First().Source is { Kind: not OperandKind.Intermediate, Index: 0 } ? output : hidden;
            slots.Add(new(group.Key, WeightKind.Recurrent, rows, [rows * hidden, columns]));
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

/// <summary>What a parameter of a recurrent layer is.</summary>
internal enum WeightKind
{
    /// <summary>The input weights W [input gates·H, I].</summary>
    Input,

    /// <summary>Recurrent weights U [gates·H, source].</summary>
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
/// <param name="blocks">Gate blocks (or vectors) along its first dimension.</param>
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
