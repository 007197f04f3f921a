using System.Numerics;
using Rnn.Autograd;
using Rnn.Layers.Engine;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>x Wᵀ + b as one recorded operation. Packed weights are kept and packed again only when the weights change.</summary>
internal sealed unsafe class LinearProduct<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // The row of a shared table that stays zero, or −1.
    private readonly int _paddingRow;
    private readonly Lock _gate = new();
    private readonly PackedWeights<T> _forward;
    private readonly PackedWeights<T> _backward;

    internal LinearProduct(int? paddingRow)
    {
        _paddingRow = paddingRow ?? -1;
        _forward = new(_gate);
        _backward = new(_gate, transposed: true);
    }

    /// <summary>Takes back what the weights' gradient has got for a row that stays zero; nothing else gives it any.</summary>
    internal void ClearPadding(Span<T> gradient, int inputs)
    {
        if (_paddingRow >= 0)
        {
            gradient.Slice(_paddingRow * inputs, inputs).Clear();
        }
    }

    internal Tensor<T> Apply(Tensor<T> input, Tensor<T> weight, Tensor<T>? bias)
    {
        var output = Tensor<T>.Uninitialized([.. input.Shape.Dimensions[..^1], weight.Shape[0]]);
        Apply(input.AsReadOnlySpan(), weight, bias, output.AsSpan());
        return Graph.Records<T>(input, weight, bias) ? new Node(this, input, weight, bias).Attach(output) : output;
    }

    /// <summary>The same of rows in spans, which nothing records.</summary>
    internal void Apply(ReadOnlySpan<T> input, Tensor<T> weight, Tensor<T>? bias, Span<T> output)
    {
        var (outputs, inputs) = (weight.Shape[0], weight.Shape[1]);
        var packed = LeaseForward(weight);
        try
        {
            fixed (T* x = input)
            fixed (T* y = output)
            fixed (T* b = bias is null ? default : bias.AsReadOnlySpan())
            {
                MatrixProduct<T>.MultiplyPacked(x, input.Length / inputs, packed.Pointer, inputs, outputs, y, accumulate: false, b);
            }
        }
        finally
        {
            Release(packed);
        }
    }

    /// <summary>The weights packed for x Wᵀ; <see cref="Release"/> the lease after use.</summary>
    internal PackedMatrix<T> LeaseForward(Tensor<T> weight)
    {
        lock (_gate)
        {
            return _forward.Lease(weight);
        }
    }

    /// <summary>The weights packed for dy W; <see cref="Release"/> the lease after use.</summary>
    internal PackedMatrix<T> LeaseBackward(Tensor<T> weight)
    {
        lock (_gate)
        {
            return _backward.Lease(weight);
        }
    }

    /// <summary>Gives a lease back.</summary>
    internal void Release(PackedMatrix<T> lease)
    {
        lock (_gate)
        {
            lease.Release();
        }
    }

    private sealed class Node(LinearProduct<T> owner, Tensor<T> input, Tensor<T> weight, Tensor<T>? bias) : GraphNode<T>([input, weight, bias])
    {
        internal override void Backward()
        {
            var (input, weight) = (Inputs[0]!, Inputs[1]!);
            var (outputs, inputs) = (weight.Shape[0], weight.Shape[1]);
            var rows = input.Length / inputs;
            fixed (T* x = input.AsReadOnlySpan())
            fixed (T* dy = OutputGradient())
            {
                if (Needs(1))
                {
                    var weights = InputGradient(1);
                    fixed (T* dw = weights)
                    {
                        MatrixProduct<T>.AddTransposed(dy, x, dw, rows, outputs, inputs);
                    }

                    owner.ClearPadding(weights, inputs);
                }

                if (Needs(2))
                {
                    fixed (T* db = InputGradient(2))
                    {
                        MatrixProduct<T>.AddColumnSums(dy, rows, outputs, db);
                    }
                }

                if (Needs(0))
                {
                    var packed = owner.LeaseBackward(weight);
                    try
                    {
                        fixed (T* dx = InputGradient(0, out var overwrite))
                        {
                            MatrixProduct<T>.MultiplyPacked(dy, rows, packed.Pointer, outputs, inputs, dx, !overwrite, null);
                        }
                    }
                    finally
                    {
                        owner.Release(packed);
                    }
                }
            }
        }
    }
}
