using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;
using Rnn.Layers.Engine;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>x Wᵀ + b as one recorded operation. Packed weights are kept and made anew only when the weights change.</summary>
internal sealed unsafe class LinearProduct<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // The row of a shared table that stays zero, or −1.
    private readonly int _paddingRow;
    private readonly PackedWeights<T> _forward = new();
    private readonly PackedWeights<T> _backward = new();

    internal LinearProduct(int? paddingRow) => _paddingRow = paddingRow ?? -1;

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
        var (outputs, inputs) = (weight.Shape[0], weight.Shape[1]);
        var rows = input.Length / inputs;
        var output = Tensor<T>.Uninitialized([.. input.Shape.Dimensions[..^1], outputs]);
        var packed = PackForward(weight);
        fixed (T* x = input.AsReadOnlySpan())
        fixed (T* y = output.AsSpan())
        fixed (T* b = bias is null ? default : bias.AsReadOnlySpan())
        {
            MatrixProduct<T>.MultiplyPacked(x, rows, packed, inputs, outputs, y, accumulate: false, b);
        }

        return Graph.Records<T>(input, weight, bias) ? new Node(this, input, weight, bias).Attach(output) : output;
    }

    /// <summary>The weights packed for x Wᵀ; valid until they change.</summary>
    internal T* PackForward(Tensor<T> weight)
    {
        Update(_forward, weight, transposed: false);
        return _forward.Pointer;
    }

    /// <summary>The weights packed for dy W; valid until they change.</summary>
    internal T* PackBackward(Tensor<T> weight)
    {
        Update(_backward, weight, transposed: true);
        return _backward.Pointer;
    }

    // Several threads may use one layer; packing happens once, and what is packed changes only with the weights.
    private static void Update(PackedWeights<T> packed, Tensor<T> weight, bool transposed)
    {
        lock (packed)
        {
            packed.Update(MatrixKernels<T>.Current, weight, 0, weight.Shape[0], weight.Shape[1], transposed);
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
                    var packed = owner.PackBackward(weight);
                    fixed (T* dx = InputGradient(0, out var fresh))
                    {
                        MatrixProduct<T>.MultiplyPacked(dy, rows, packed, outputs, inputs, dx, !fresh, null);
                    }
                }
            }
        }
    }
}
