using System.Numerics;
using Rnn.Cells;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers.Engine;

/// <summary>
/// The packed weights that one run of one direction reads, forward or backward: each a snapshot that nothing changes until it is given back.
/// A run renews them at its start; where all are still of the present weights, as in a stream, that takes no lock.
/// </summary>
/// <param name="shape">The cell and its sizes.</param>
/// <param name="packed">The packed forms that all runs share, as <see cref="Pack"/> lists them.</param>
internal sealed unsafe class WeightLeases<T>(CellShape shape, PackedWeights<T>[] packed)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly PackedMatrix<T>?[] _leases = new PackedMatrix<T>?[packed.Length];
    private readonly int[] _leaseOfSlot = [.. Enumerable.Range(0, shape.Slots.Count).Select(slot => Array.FindIndex(packed, form => form.Slot == slot))];

    /// <summary>A number that changes when any lease does: addresses of weights that were looked up before are not those of now.</summary>
    internal int Version { get; private set; }

    /// <summary>The input weights.</summary>
    internal PackedPanels<T> Input => Panels(0);

    /// <summary>The projection.</summary>
    internal PackedPanels<T> Projection => shape.ProjectionSlot >= 0 && _leaseOfSlot[shape.ProjectionSlot] is >= 0 and var index ? Panels(index) : default;

    /// <summary>The biases, null where there are none.</summary>
    internal T* Bias => OfSlot(shape.BiasSlot);

    /// <summary>The per-unit weights, null where there are none.</summary>
    internal T* UnitWeights => OfSlot(shape.UnitWeightsSlot);

    /// <summary>
    /// The packed forms of one direction's weights for forward passes or for backward passes: of the input weights, of each block of a product,
    /// then of all else. A gate guards them together.
    /// </summary>
    internal static PackedWeights<T>[] Pack(CellShape shape, bool backward)
    {
        var gate = new Lock();
        var packed = new List<PackedWeights<T>> { new(gate, backward) };
        foreach (var block in shape.Blocks)
        {
            var product = shape.Layout.Products[block.Product];
            packed.Add(new(gate, backward)
            {
                Slot = block.Slot,
                FirstRow = block.FirstRow,
                Rows = block.Rows,
                NeedsState = backward ? product.EndsStepBack : product.Source.Kind == OperandKind.Previous,
            });
        }

        for (var slot = 0; slot < shape.Slots.Count; slot++)
        {
            // No backward pass reads biases.
            var kind = shape.Slots[slot].Kind;
            if (kind is not (WeightKind.Input or WeightKind.Recurrent) && !(backward && kind == WeightKind.Bias))
            {
                packed.Add(new(gate, backward) { Slot = slot, IsVector = kind != WeightKind.Projection });
            }
        }

        return [.. packed];
    }

    /// <summary>The gains of a slot, with biases behind them where the slot has such.</summary>
    internal T* Gains(int slot) => OfSlot(slot);

    /// <summary>The weights of a block of a product, without memory where they are not leased: what they would multiply is zero.</summary>
    internal PackedPanels<T> Block(int index) => Panels(1 + index);

    /// <summary>Leases what a run reads.</summary>
    /// <param name="values">The weights in the order of the shape's slots.</param>
    /// <param name="input">Whether the input weights are read: in the backward pass where the gradient of the input is wanted.</param>
    /// <param name="readsStates">
    /// Whether any step has an earlier state to read, or whose gradient is wanted: there are several steps, or an initial state. Else
    /// recurrent weights that multiply only such states are not leased.
    /// </param>
    internal void Renew(ReadOnlySpan<Tensor<T>> values, bool input = true, bool readsStates = true)
    {
        for (var i = input ? 0 : 1; i < packed.Length; i++)
        {
            if ((readsStates || !packed[i].NeedsState) && _leases[i]?.IsOf(values[packed[i].Slot]) != true)
            {
                Renew(i, values, readsStates);
                return;
            }
        }
    }

    /// <summary>Gives all leases back.</summary>
    internal void Release()
    {
        Version++;
        lock (packed[0].Gate)
        {
            for (var i = 0; i < _leases.Length; i++)
            {
                _leases[i]?.Release();
                _leases[i] = null;
            }
        }
    }

    private PackedPanels<T> Panels(int index) => _leases[index] is { } lease ? lease.Panels : default;

    private T* Pointer(int index) => _leases[index] is { } lease ? lease.Pointer : null;

    private T* OfSlot(int slot) => slot >= 0 && _leaseOfSlot[slot] is >= 0 and var index ? Pointer(index) : null;

    // One lock for all that have changed.
    private void Renew(int first, ReadOnlySpan<Tensor<T>> values, bool readsStates)
    {
        Version++;
        lock (packed[0].Gate)
        {
            for (var i = first; i < packed.Length; i++)
            {
                var weights = values[packed[i].Slot];
                if ((readsStates || !packed[i].NeedsState) && _leases[i]?.IsOf(weights) != true)
                {
                    _leases[i]?.Release();
                    _leases[i] = null;
                    _leases[i] = packed[i].Lease(weights);
                }
            }
        }
    }
}
