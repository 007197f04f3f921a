using System.Numerics;

namespace Rnn.Layers.Engine;

/// <summary>The weights of one direction of one layer: where each product's matrix lies among the slots, and the packed forms that all runs share.</summary>
internal sealed class DirectionWeights<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly int[] _productSlots;
    private readonly int[] _productRows;

    internal DirectionWeights(CellShape shape)
    {
        Shape = shape;
        var products = shape.Layout.Products;
        _productSlots = new int[products.Count];
        _productRows = new int[products.Count];
        var rows = new Dictionary<string, int>();
        for (var i = 0; i < products.Count; i++)
        {
            _productSlots[i] = shape.SlotOf(WeightKind.Recurrent, products[i].Weight);
            _productRows[i] = rows.GetValueOrDefault(products[i].Weight);
            rows[products[i].Weight] = _productRows[i] + products[i].GateCount;
        }

        BiasSlot = shape.SlotOf(WeightKind.Bias);
        UnitWeightsSlot = shape.SlotOf(WeightKind.UnitWeights);
        ProjectionSlot = shape.SlotOf(WeightKind.Projection);
        Forward = new(shape);
        Backward = new(shape);
    }

    /// <summary>The cell and its sizes.</summary>
    internal CellShape Shape { get; }

    /// <summary>The packed forms that the forward pass reads: W of x Wᵀ.</summary>
    internal PackedDirection<T> Forward { get; }

    /// <summary>The packed forms that the backward pass reads: W of dA W.</summary>
    internal PackedDirection<T> Backward { get; }

    /// <summary>The place of the bias among the slots, or −1.</summary>
    internal int BiasSlot { get; }

    /// <summary>The place of the per-unit weights among the slots, or −1.</summary>
    internal int UnitWeightsSlot { get; }

    /// <summary>The place of the projection among the slots, or −1.</summary>
    internal int ProjectionSlot { get; }

    /// <summary>The slot whose matrix a product uses.</summary>
    internal int ProductSlot(int product) => _productSlots[product];

    /// <summary>The first gate row of a product within its matrix.</summary>
    internal int ProductRow(int product) => _productRows[product];
}

/// <summary>The packed forms of one direction's matrices, for one pass.</summary>
internal sealed class PackedDirection<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal PackedDirection(CellShape shape)
    {
        Gains = [.. shape.Slots.Select(slot => slot.IsGain ? new PackedWeights<T>(Gate) : null)];
        Input = new(Gate);
        Projection = new(Gate);
        Bias = new(Gate);
        UnitWeights = new(Gate);
        Products = new PackedWeights<T>[shape.Layout.Products.Count];
        for (var i = 0; i < Products.Length; i++)
        {
            Products[i] = new(Gate);
        }
    }

    /// <summary>Guards all of them: a run leases what it reads under it, and gives it back.</summary>
    internal Lock Gate { get; } = new();

    internal PackedWeights<T> Input { get; }

    internal PackedWeights<T>[] Products { get; }

    internal PackedWeights<T> Projection { get; }

    internal PackedWeights<T> Bias { get; }

    internal PackedWeights<T> UnitWeights { get; }

    /// <summary>The gains of normalisations by slot, null for slots of other kinds.</summary>
    internal PackedWeights<T>?[] Gains { get; }
}
