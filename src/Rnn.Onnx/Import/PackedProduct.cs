using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Layers.Engine;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>x W with weights [K, N], or x Wᵀ with weights [N, K], packed once and again where they have changed. Any number of threads may multiply.</summary>
/// <param name="transposed">Whether the weights are [K, N].</param>
internal sealed unsafe class PackedProduct<T>(bool transposed)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Lock _gate = new();
    private PackedWeights<T>? _weights;

    /// <summary>y = x W + b, which nothing records.</summary>
    /// <param name="x">[rows, K].</param>
    /// <param name="weight">The weights, always the same tensor.</param>
    /// <param name="bias">[N], or null.</param>
    /// <param name="y">Receives [rows, N].</param>
    internal void Multiply(ReadOnlySpan<T> x, Tensor<T> weight, Tensor<T>? bias, Span<T> y)
    {
        var (inner, outputs) = transposed ? (weight.Shape[0], weight.Shape[1]) : (weight.Shape[1], weight.Shape[0]);
        PackedMatrix<T> lease;
        lock (_gate)
        {
            lease = (_weights ??= new(_gate, transposed)).Lease(weight);
        }

        try
        {
            fixed (T* from = x)
            fixed (T* to = y)
            fixed (T* b = bias is null ? default : bias.AsReadOnlySpan())
            {
                MatrixProduct<T>.MultiplyPacked(new Rows<T>(from, inner), x.Length / inner, lease.Panels, inner, outputs, new(to, outputs), accumulate: false, b);
            }
        }
        finally
        {
            lock (_gate)
            {
                lease.Release();
            }
        }
    }
}

/// <summary>The weights of a convolution as a matrix [M, C·window] that shares their memory, and the place of its packed form.</summary>
internal sealed record ConvolutionWeights<T>(LinearProduct<T> Product, Tensor<T> Matrix)
    where T : unmanaged, IFloatingPointIeee754<T>;

/// <summary>The weights of a transposed convolution as a matrix [C, M·window] that shares their memory, and the place of its packed form.</summary>
internal sealed record TransposedWeights<T>(PackedProduct<T> Product, Tensor<T> Matrix)
    where T : unmanaged, IFloatingPointIeee754<T>;
