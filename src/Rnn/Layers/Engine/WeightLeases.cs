using System.Numerics;
using Rnn.Cells;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers.Engine;

/// <summary>
/// The packed weights that one run of one direction reads, forward or backward: each a snapshot that nothing changes until it is given back.
/// A run renews them at its start; where all are still of the present weights, as in a stream, that takes no lock.
/// </summary>
internal sealed unsafe class WeightLeases<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Lock _gate;
    private readonly Place[] _places;
    private readonly PackedMatrix<T>?[] _leases;
    private readonly bool _backward;
    private readonly int _projection;
    private readonly int _bias;
    private readonly int _unitWeights;
    private readonly int[] _gains;

    internal WeightLeases(DirectionWeights<T> weights, bool backward)
    {
        var shape = weights.Shape;
        var packed = backward ? weights.Backward : weights.Forward;
        var places = new List<Place> { new(packed.Input, 0, 0, shape.InputColumns, shape.InputSize) };
        var products = shape.Layout.Products;
        for (var i = 0; i < products.Count; i++)
        {
            var needsState = backward ? products[i].EndsStepBack : products[i].Source.Kind == OperandKind.Previous;
            places.Add(new(
                packed.Products[i], weights.ProductSlot(i), weights.ProductRow(i) * shape.HiddenSize, products[i].GateCount * shape.HiddenSize,
                shape.SourceSize(products[i].Source), NeedsState: needsState));
        }

        _gate = packed.Gate;
        _backward = backward;
        _projection = Add(new(packed.Projection, weights.ProjectionSlot, 0, shape.ProjectionSize, shape.HiddenSize));

        // No backward pass reads biases.
        _bias = backward ? -1 : Add(new(packed.Bias, weights.BiasSlot));
        _unitWeights = Add(new(packed.UnitWeights, weights.UnitWeightsSlot));
        _gains = new int[shape.Slots.Count];
        for (var slot = 0; slot < _gains.Length; slot++)
        {
            _gains[slot] = packed.Gains[slot] is { } gains ? Add(new(gains, slot)) : -1;
        }

        _places = [.. places];
        _leases = new PackedMatrix<T>?[places.Count];

        int Add(Place place)
        {
            if (place.Slot < 0)
            {
                return -1;
            }

            places.Add(place);
            return places.Count - 1;
        }
    }

    /// <summary>The input weights.</summary>
    internal T* Input => Pointer(0);

    /// <summary>The projection.</summary>
    internal T* Projection => Pointer(_projection);

    /// <summary>The biases, null where there are none.</summary>
    internal T* Bias => Pointer(_bias);

    /// <summary>The per-unit weights, null where there are none.</summary>
    internal T* UnitWeights => Pointer(_unitWeights);

    /// <summary>The gains of a slot, with biases behind them where the slot has such.</summary>
    internal T* Gains(int slot) => Pointer(_gains[slot]);

    /// <summary>The weights of a product, null where they are not leased: what they would multiply is zero.</summary>
    internal T* Product(int index) => Pointer(1 + index);

    /// <summary>Leases what a run reads.</summary>
    /// <param name="kernels">The kernels that will read it.</param>
    /// <param name="values">The weights in the order of the shape's slots.</param>
    /// <param name="input">Whether the input weights are read: in the backward pass where the gradient of the input is wanted.</param>
    /// <param name="readsStates">
    /// Whether any step has an earlier state to read, or whose gradient is wanted: there are several steps, or an initial state. Else
    /// recurrent weights that multiply only such states are not leased.
    /// </param>
    internal void Renew(MatrixKernels<T> kernels, ReadOnlySpan<Tensor<T>> values, bool input = true, bool readsStates = true)
    {
        for (var i = input ? 0 : 1; i < _places.Length; i++)
        {
            if ((readsStates || !_places[i].NeedsState) && _leases[i]?.IsOf(values[_places[i].Slot]) != true)
            {
                Renew(i, kernels, values, readsStates);
                return;
            }
        }
    }

    /// <summary>Gives all leases back.</summary>
    internal void Release()
    {
        lock (_gate)
        {
            for (var i = 0; i < _leases.Length; i++)
            {
                _leases[i]?.Release();
                _leases[i] = null;
            }
        }
    }

    private T* Pointer(int place) => place >= 0 && _leases[place] is { } lease ? lease.Pointer : null;

    // One lock for all that have changed.
    private void Renew(int first, MatrixKernels<T> kernels, ReadOnlySpan<Tensor<T>> values, bool readsStates)
    {
        lock (_gate)
        {
            for (var i = first; i < _places.Length; i++)
            {
                ref readonly var place = ref _places[i];
                var weights = values[place.Slot];
                if ((readsStates || !place.NeedsState) && _leases[i]?.IsOf(weights) != true)
                {
                    _leases[i]?.Release();
                    _leases[i] = null;
                    _leases[i] = place.Columns == 0
                        ? place.Packed.LeaseCopy(weights)
                        : place.Packed.Lease(kernels, weights, place.FirstRow, place.Rows, place.Columns, _backward);
                }
            }
        }
    }

    /// <summary>Where the weights of one lease come from.</summary>
    /// <param name="Packed">Their packed forms.</param>
    /// <param name="Slot">Their place among the slots.</param>
    /// <param name="FirstRow">The first row.</param>
    /// <param name="Rows">The number of rows.</param>
    /// <param name="Columns">The number of columns; 0 for vectors, which are read as they lie.</param>
    /// <param name="NeedsState">Whether they multiply only states of earlier steps, or lead only to their gradients.</param>
    private readonly record struct Place(PackedWeights<T> Packed, int Slot, int FirstRow = 0, int Rows = 0, int Columns = 0, bool NeedsState = false);
}
