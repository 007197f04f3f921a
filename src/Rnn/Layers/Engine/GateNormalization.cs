using System.Numerics;
using System.Numerics.Tensors;
using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.Layers.Engine;

/// <summary>The rows of one step that layer normalisation reads and writes.</summary>
internal unsafe struct NormalizedRows<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The number of rows.</summary>
    internal int Count;

    /// <summary>The input products W x before normalisation; on the way back their gradients. May be the columns without a way back.</summary>
    internal Rows<T> Fed;

    /// <summary>The recurrent products before normalisation, beside each other; on the way back their gradients.</summary>
    internal Rows<T> Recurrent;

    /// <summary>The moments of each row.</summary>
    internal T* Moments;

    /// <summary>Where the rows add their parts of the gains' gradients, 2^<see cref="SumShift"/> rows to one.</summary>
    internal Rows<T> Sums;

    /// <summary>How many rows share one row of sums, as a power of two.</summary>
    internal int SumShift;
}

/// <summary>
/// The layer normalisations of one cell (Ba, Kiros and Hinton 2016, arXiv:1607.06450, supplement): each gate's pre-activation is
/// LN(W x; γ₁) + LN(U h; γ₂) + b, with one normalisation over all gates that a product feeds, and states between phases become γ⊙x̂ + β.
/// </summary>
internal sealed unsafe class GateNormalization<T>(CellShape shape, NormalizationPlan plan)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly NormalizationKernels<T> _kernels = NormalizationKernels<T>.Current;
    private readonly T*[] _gains = new T*[shape.Slots.Count];

    internal NormalizationPlan Plan => plan;

    private int Hidden => shape.HiddenSize;

    /// <summary>Says where the gains of a slot lie.</summary>
    internal void Bind(int slot, T* gains) => _gains[slot] = gains;

    /// <summary>Turns the input products of the groups that stand alone into gate columns.</summary>
    internal void Input(in NormalizedRows<T> rows, in CellBlock<T> block, T* bias)
    {
        for (var g = 0; g < plan.Groups.Length; g++)
        {
            if (plan.ProductOfGroup[g] < 0)
            {
                var first = plan.Groups[g].FirstGate * Hidden;
                _kernels.Forward(
                    Group(rows, g), rows.Count, plan.Groups[g].GateCount * Hidden, bias + first, block.Columns.SkipColumns(first), accumulate: false);
            }
        }
    }

    /// <summary>Adds a recurrent product to its gates' columns, or makes them of it and the input product.</summary>
    internal void Product(int product, in NormalizedRows<T> rows, in CellBlock<T> block, bool accumulate, T* bias)
    {
        var first = shape.Layout.Products[product].FirstGate * Hidden;
        var count = shape.Layout.Products[product].GateCount * Hidden;
        var columns = block.Columns.SkipColumns(first);
        if (plan.GroupOfProduct[product] is >= 0 and var group)
        {
            _kernels.ForwardSum(Group(rows, group), Recurrent(rows, product), rows.Count, count, bias + first, columns);
        }
        else
        {
            _kernels.Forward(Recurrent(rows, product), rows.Count, count, bias + first, columns, accumulate);
        }
    }

    /// <summary>Normalises the states that are set after a phase.</summary>
    internal void States(int phase, in NormalizedRows<T> rows, in CellBlock<T> block)
    {
        for (var k = 0; k < plan.StateSlots.Length; k++)
        {
            var normalization = shape.Layout.Normalizations[k];
            if (normalization.AfterPhase == phase)
            {
                _kernels.Forward(
                    State(rows, k, block), rows.Count, Hidden, _gains[plan.StateSlots[k]] + Hidden,
                    block.Made.SkipColumns((nint)normalization.Made * Hidden), accumulate: false);
            }
        }
    }

    /// <summary>The way back of <see cref="Input"/>: the gradients of the input products replace them.</summary>
    internal void InputBack(in NormalizedRows<T> rows, in CellBlock<T> block)
    {
        for (var g = 0; g < plan.Groups.Length; g++)
        {
            if (plan.ProductOfGroup[g] < 0)
            {
                var first = plan.Groups[g].FirstGate * Hidden;
                var x = Group(rows, g);
                _kernels.Backward(
                    x, rows.Count, plan.Groups[g].GateCount * Hidden, block.Columns.SkipColumns(first), x.Values, accumulate: false,
                    rows.Sums.SkipColumns(first), rows.SumShift);
            }
        }
    }

    /// <summary>The way back of <see cref="Product"/>: the gradients of the product, and of the input product with it, replace them.</summary>
    internal void ProductBack(int product, in NormalizedRows<T> rows, in CellBlock<T> block)
    {
        var first = shape.Layout.Products[product].FirstGate * Hidden;
        var count = shape.Layout.Products[product].GateCount * Hidden;
        var columns = block.Columns.SkipColumns(first);
        var x = Recurrent(rows, product);
        var sums = rows.Sums.SkipColumns(plan.InputColumns + plan.ProductColumns[product]);
        if (plan.GroupOfProduct[product] is >= 0 and var group)
        {
            _kernels.BackwardSum(Group(rows, group), x, rows.Count, count, columns, rows.Sums.SkipColumns(first), sums, rows.SumShift);
        }
        else
        {
            _kernels.Backward(x, rows.Count, count, columns, x.Values, accumulate: false, sums, rows.SumShift);
        }
    }

    /// <summary>The way back of <see cref="States"/>: adds to the gradients of the states.</summary>
    internal void StatesBack(int phase, in NormalizedRows<T> rows, in CellBlock<T> block)
    {
        for (var k = 0; k < plan.StateSlots.Length; k++)
        {
            var normalization = shape.Layout.Normalizations[k];
            if (normalization.AfterPhase != phase)
            {
                continue;
            }

            var dy = block.MadeGradient.SkipColumns((nint)normalization.Made * Hidden);
            var sums = rows.Sums.SkipColumns(StateSums(k));
            _kernels.Backward(State(rows, k, block), rows.Count, Hidden, dy, block.Gradient[normalization.State], accumulate: true, sums, rows.SumShift);
            for (var row = 0; row < rows.Count; row++)
            {
                var sum = new Span<T>(sums[row >> rows.SumShift] + Hidden, Hidden);
                TensorPrimitives.Add(sum, new ReadOnlySpan<T>(dy[row], Hidden), sum);
            }
        }
    }

    /// <summary>Where the sums of a normalised state begin.</summary>
    internal int StateSums(int index) => plan.InputColumns + plan.RecurrentColumns + (index * 2 * Hidden);

    private Normalized<T> Group(in NormalizedRows<T> rows, int group)
    {
        var first = plan.Groups[group].FirstGate * Hidden;
        return new(rows.Fed.SkipColumns(first), rows.Moments + NormalizationPlan.GroupMoments(group), plan.Moments, _gains[plan.InputSlot] + first);
    }

    private Normalized<T> Recurrent(in NormalizedRows<T> rows, int product) => new(
        rows.Recurrent.SkipColumns(plan.ProductColumns[product]), rows.Moments + plan.ProductMoments(product), plan.Moments,
        _gains[plan.ProductSlots[product]] + plan.ProductGains[product]);

    private Normalized<T> State(in NormalizedRows<T> rows, int index, in CellBlock<T> block) => new(
        block.Next[shape.Layout.Normalizations[index].State], rows.Moments + plan.StateMoments(index), plan.Moments, _gains[plan.StateSlots[index]]);
}
