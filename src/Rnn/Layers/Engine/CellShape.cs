using Rnn.Cells;

namespace Rnn.Layers.Engine;

/// <summary>A cell with sizes: everything about one direction of one layer that follows from its layout.</summary>
/// <param name="Layout">What a step is made of.</param>
/// <param name="InputSize">I.</param>
/// <param name="HiddenSize">H.</param>
/// <param name="ProjectionSize">P, or 0 for no projection.</param>
/// <param name="HasBias">Whether gates have biases.</param>
internal sealed record CellShape(CellLayout Layout, int InputSize, int HiddenSize, int ProjectionSize, bool HasBias)
{
    private readonly WeightSlot[] _slots = MakeSlots(Layout, InputSize, HiddenSize, ProjectionSize, HasBias);

    /// <summary>The width of the output and of the hidden state: P, or H without projection.</summary>
    internal int OutputSize => ProjectionSize > 0 ? ProjectionSize : HiddenSize;

    /// <summary>All gate columns: gates · H.</summary>
    internal int GateColumns { get; } = Layout.Gates.Count * HiddenSize;

    /// <summary>The gate columns that the input product feeds.</summary>
    internal int InputColumns { get; } = Layout.InputGates * HiddenSize;

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
/// <param name="Name">Its name without layer and direction.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Blocks">Gate blocks (or vectors) along its first dimension.</param>
/// <param name="Shape">Its dimensions.</param>
internal sealed record WeightSlot(string Name, WeightKind Kind, int Blocks, int[] Shape)
{
    /// <summary>Whether it multiplies whole rows, so that its gradient is a product.</summary>
    internal bool IsMatrix => Kind is WeightKind.Input or WeightKind.Recurrent or WeightKind.Projection;

    /// <summary>Whether it is the gain of a normalisation.</summary>
    internal bool IsGain => Kind is WeightKind.Gain or WeightKind.GainAndBias;
}
