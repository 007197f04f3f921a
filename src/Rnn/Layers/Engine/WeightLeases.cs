using System.Numerics;
using Rnn.Cells;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers.Engine;

/// <summary>
/// The packed weights that one run of one direction reads, forward or backward: each a snapshot that nothing changes until it is given back.
/// A run renews them at its start; those that are still of the present weights stay, without a lock.
/// </summary>
internal sealed unsafe class WeightLeases<T>(DirectionWeights<T> weights, bool backward)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly PackedMatrix<T>?[] _products = new PackedMatrix<T>?[weights.Shape.Layout.Products.Count];
    private PackedMatrix<T>? _input;
    private PackedMatrix<T>? _projection;
    private PackedMatrix<T>? _bias;
    private PackedMatrix<T>? _vectors;

    private CellShape Shape => weights.Shape;

    private PackedDirection<T> Packed => backward ? weights.Backward : weights.Forward;

    /// <summary>The input weights.</summary>
    internal T* Input => _input!.Pointer;

    /// <summary>The projection.</summary>
    internal T* Projection => _projection!.Pointer;

    /// <summary>The biases, null where there are none.</summary>
    internal T* Bias => _bias is null ? null : _bias.Pointer;

    /// <summary>The per-unit vectors, null where there are none.</summary>
    internal T* Vectors => _vectors is null ? null : _vectors.Pointer;

    /// <summary>The weights of a product, null where they are not leased: what they would meet is zero.</summary>
    internal T* Product(int index) => _products[index] is { } lease ? lease.Pointer : null;

    /// <summary>Leases what a run reads.</summary>
    /// <param name="kernels">The kernels that will read it.</param>
    /// <param name="values">The weights in the order of the shape's slots.</param>
    /// <param name="input">Whether the input weights are read: in the backward pass where the gradient of the input is wanted.</param>
    /// <param name="carried">
    /// Whether any step has an earlier state to read, or whose gradient is wanted: there are several steps, or an initial state. Else the
    /// recurrent weights that only such states meet are not leased.
    /// </param>
    internal void Renew(MatrixKernels<T> kernels, ReadOnlySpan<Tensor<T>> values, bool input = true, bool carried = true)
    {
        if (input)
        {
            Renew(ref _input, Packed.Input, kernels, values[0], 0, Shape.InputColumns, Shape.InputSize);
        }

        var products = Shape.Layout.Products;
        for (var i = 0; i < _products.Length; i++)
        {
            var product = products[i];
            if (carried || !(backward ? product.EndsStepBack : product.Source.Kind == OperandKind.Previous))
            {
                Renew(
                    ref _products[i], Packed.Products[i], kernels, values[weights.ProductSlot(i)], weights.ProductRow(i) * Shape.HiddenSize,
                    product.GateCount * Shape.HiddenSize, Shape.SourceSize(product.Source));
            }
        }

        if (weights.ProjectionSlot >= 0)
        {
            Renew(ref _projection, Packed.Projection, kernels, values[weights.ProjectionSlot], 0, Shape.ProjectionSize, Shape.HiddenSize);
        }

        Renew(ref _bias, Packed.Bias, values, weights.BiasSlot);
        Renew(ref _vectors, Packed.Vectors, values, weights.VectorsSlot);
    }

    /// <summary>Gives all leases back.</summary>
    internal void Release()
    {
        Release(ref _input);
        Release(ref _bias);
        Release(ref _vectors);
        Release(ref _projection);
        for (var i = 0; i < _products.Length; i++)
        {
            Release(ref _products[i]);
        }
    }

    private void Renew(ref PackedMatrix<T>? lease, PackedWeights<T> packed, MatrixKernels<T> kernels, Tensor<T> values, int firstRow, int rows, int columns)
    {
        if (lease?.IsOf(values) == true)
        {
            return;
        }

        Release(ref lease);
        lease = packed.Lease(kernels, values, firstRow, rows, columns, transposed: backward);
    }

    private static void Renew(ref PackedMatrix<T>? lease, PackedWeights<T> packed, ReadOnlySpan<Tensor<T>> values, int slot)
    {
        if (slot >= 0 && lease?.IsOf(values[slot]) != true)
        {
            Release(ref lease);
            lease = packed.LeaseCopy(values[slot]);
        }
    }

    private static void Release(ref PackedMatrix<T>? lease)
    {
        lease?.Release();
        lease = null;
    }
}
