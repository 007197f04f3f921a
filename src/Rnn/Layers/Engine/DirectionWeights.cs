using System.Numerics;
using Rnn.Cells;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers.Engine;

/// <summary>The weights of one direction of one layer, and their packed forms for each product and way.</summary>
internal sealed class DirectionWeights<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly CellShape _shape;
    private readonly int[] _productSlots;
    private readonly int[] _productRows;
    private readonly int _projectionSlot;

    internal DirectionWeights(CellShape shape)
    {
        _shape = shape;
        var products = shape.Layout.Products;
        _productSlots = new int[products.Count];
        _productRows = new int[products.Count];
        var rows = new Dictionary<string, int>();
        ProductForward = new PackedWeights<T>[products.Count];
        ProductBackward = new PackedWeights<T>[products.Count];
        for (var i = 0; i < products.Count; i++)
        {
            _productSlots[i] = shape.SlotOf(WeightKind.Recurrent, products[i].Weight);
            _productRows[i] = rows.GetValueOrDefault(products[i].Weight);
            rows[products[i].Weight] = _productRows[i] + products[i].GateCount;
            ProductForward[i] = new();
            ProductBackward[i] = new();
        }

        BiasSlot = shape.SlotOf(WeightKind.Bias);
        VectorsSlot = shape.SlotOf(WeightKind.Vectors);
        _projectionSlot = shape.SlotOf(WeightKind.Projection);
    }

    internal PackedWeights<T> InputForward { get; } = new();

    internal PackedWeights<T> InputBackward { get; } = new();

    internal PackedWeights<T>[] ProductForward { get; }

    internal PackedWeights<T>[] ProductBackward { get; }

    internal PackedWeights<T> ProjectionForward { get; } = new();

    internal PackedWeights<T> ProjectionBackward { get; } = new();

    /// <summary>The place of the bias among the slots, or −1.</summary>
    internal int BiasSlot { get; }

    /// <summary>The place of the per-unit vectors among the slots, or −1.</summary>
    internal int VectorsSlot { get; }

    /// <summary>The place of the projection among the slots, or −1.</summary>
    internal int ProjectionSlot => _projectionSlot;

    /// <summary>The slot whose matrix a product uses.</summary>
    internal int ProductSlot(int product) => _productSlots[product];

    /// <summary>The first gate row of a product within its matrix.</summary>
    internal int ProductRow(int product) => _productRows[product];

    /// <summary>
    /// Packs what the way forward reads, as far as the weights have changed. Where no state is <paramref name="carried"/>, since there is one step
    /// and none was given, weights of earlier states are not read.
    /// </summary>
    internal void PackForward(MatrixKernels<T> kernels, ReadOnlySpan<Tensor<T>> values, bool carried = true)
    {
        InputForward.Update(kernels, values[0], 0, _shape.InputColumns, _shape.InputSize, transposed: false);
        for (var i = 0; i < ProductForward.Length; i++)
        {
            if (carried || _shape.Layout.Products[i].Source.Kind != OperandKind.Previous)
            {
                PackProduct(kernels, values, i, ProductForward[i], transposed: false);
            }
        }

        if (_projectionSlot >= 0)
        {
            ProjectionForward.Update(kernels, values[_projectionSlot], 0, _shape.ProjectionSize, _shape.HiddenSize, transposed: false);
        }
    }

    /// <summary>Packs what the way back reads; <paramref name="carried"/> says whether anything asks for a gradient of an earlier state.</summary>
    internal void PackBackward(MatrixKernels<T> kernels, ReadOnlySpan<Tensor<T>> values, bool input, bool carried)
    {
        if (input)
        {
            InputBackward.Update(kernels, values[0], 0, _shape.InputColumns, _shape.InputSize, transposed: true);
        }

        for (var i = 0; i < ProductBackward.Length; i++)
        {
            if (carried || !_shape.Layout.Products[i].EndsStepBack)
            {
                PackProduct(kernels, values, i, ProductBackward[i], transposed: true);
            }
        }

        if (_projectionSlot >= 0)
        {
            ProjectionBackward.Update(kernels, values[_projectionSlot], 0, _shape.ProjectionSize, _shape.HiddenSize, transposed: true);
        }
    }

    private void PackProduct(MatrixKernels<T> kernels, ReadOnlySpan<Tensor<T>> values, int index, PackedWeights<T> packed, bool transposed)
    {
        var product = _shape.Layout.Products[index];
        packed.Update(
            kernels, values[_productSlots[index]], _productRows[index] * _shape.HiddenSize, product.GateCount * _shape.HiddenSize,
            _shape.SourceSize(product.Source), transposed);
    }
}
