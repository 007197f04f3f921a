using Rnn.Cells;

namespace Rnn.Layers.Engine;

/// <summary>
/// Where the layer normalisations of a cell with sizes keep their things: columns of the products before normalisation, moments (μ and
/// 1/σ) of a row, and gains among the slots.
/// </summary>
internal sealed class NormalizationPlan
{
    private NormalizationPlan(CellShape shape)
    {
        var layout = shape.Layout;
        var hidden = shape.HiddenSize;
        NormalizesProducts = layout.NormalizesProducts;
        Groups = NormalizesProducts ? [.. layout.InputGroups] : [];
        var products = NormalizesProducts ? layout.Products.Count : 0;
        GroupOfProduct = new int[products];
        ProductOfGroup = new int[Groups.Length];
        ProductColumns = new int[products];
        ProductSlots = new int[products];
        ProductGains = new int[products];
        InputSlot = NormalizesProducts ? shape.SlotOf(WeightKind.Gain, "norm_ih") : -1;
        Array.Fill(GroupOfProduct, -1);
        Array.Fill(ProductOfGroup, -1);
        var rows = new Dictionary<string, int>();
        for (var i = 0; i < products; i++)
        {
            var product = layout.Products[i];
            ProductColumns[i] = RecurrentColumns;
            RecurrentColumns += product.GateCount * hidden;
            ProductSlots[i] = shape.SlotOf(WeightKind.Gain, CellShape.GainName(product.Weight));
            ProductGains[i] = rows.GetValueOrDefault(product.Weight) * hidden;
            rows[product.Weight] = rows.GetValueOrDefault(product.Weight) + product.GateCount;

            // A product that feeds just one group, before anything else does, is normalised in one pass with it.
            var group = Array.IndexOf(Groups, new(product.FirstGate, product.GateCount));
            if (product.Phase == 0 && group >= 0 && ProductOfGroup[group] < 0)
            {
                (GroupOfProduct[i], ProductOfGroup[group]) = (group, i);
            }
        }

        StateSlots = [.. layout.Normalizations.Select(normalization => shape.SlotOf(WeightKind.GainAndBias, normalization.Name))];
        InputColumns = NormalizesProducts ? shape.InputColumns : 0;
        Moments = 2 * (Groups.Length + products + StateSlots.Length);
        Sums = InputColumns + RecurrentColumns + (StateSlots.Length * 2 * hidden);
    }

    /// <summary>Whether gate products are normalised.</summary>
    internal bool NormalizesProducts { get; }

    /// <summary>The groups of gates whose input products are normalised together.</summary>
    internal GateGroup[] Groups { get; }

    /// <summary>For each product the group that it is normalised with in one pass, or −1.</summary>
    internal int[] GroupOfProduct { get; }

    /// <summary>For each group the product that it is normalised with in one pass, or −1.</summary>
    internal int[] ProductOfGroup { get; }

    /// <summary>For each product its first column among the recurrent products.</summary>
    internal int[] ProductColumns { get; }

    /// <summary>For each product the slot of its gains.</summary>
    internal int[] ProductSlots { get; }

    /// <summary>For each product its first gain in that slot.</summary>
    internal int[] ProductGains { get; }

    /// <summary>The slot of the input products' gains, or −1.</summary>
    internal int InputSlot { get; }

    /// <summary>For each normalised state the slot of its gain and bias.</summary>
    internal int[] StateSlots { get; }

    /// <summary>The columns of normalised input products.</summary>
    internal int InputColumns { get; }

    /// <summary>The columns of all recurrent products beside each other.</summary>
    internal int RecurrentColumns { get; }

    /// <summary>The moments of one row: two for each group, product and state.</summary>
    internal int Moments { get; }

    /// <summary>A row's parts of the gradients of all gains: input, products, then gain and bias of each state.</summary>
    internal int Sums { get; }

    /// <summary>The plan of a cell, null where nothing is normalised.</summary>
    internal static NormalizationPlan? Of(CellShape shape) =>
        shape.Layout.NormalizesProducts || shape.Layout.Normalizations.Count > 0 ? new(shape) : null;

    /// <summary>The moments of a group.</summary>
    internal static int GroupMoments(int group) => 2 * group;

    /// <summary>The moments of a product.</summary>
    internal int ProductMoments(int product) => 2 * (Groups.Length + product);

    /// <summary>The moments of a normalised state.</summary>
    internal int StateMoments(int index) => 2 * (Groups.Length + ProductColumns.Length + index);
}
