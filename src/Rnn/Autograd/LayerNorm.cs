using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>
    /// Brings every row along the last dimension to mean 0 and variance 1, then scales and shifts it (Ba, Kiros and Hinton, "Layer
    /// normalization", 2016).
    /// </summary>
    /// <param name="input">[…, H].</param>
    /// <param name="weight">The scale [H], or null for 1.</param>
    /// <param name="bias">The shift [H], or null for 0.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <exception cref="ArgumentException">The input is a scalar, or weight or bias do not fit it.</exception>
    public static unsafe Tensor<T> LayerNorm<T>(this Tensor<T> input, Tensor<T>? weight = null, Tensor<T>? bias = null, double epsilon = 1e-5)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.Rank == 0)
        {
            throw new ArgumentException("input: expected one dimension or more but got a scalar.", nameof(input));
        }

        var size = input.Shape[-1];
        CheckRow(weight, size, nameof(weight));
        CheckRow(bias, size, nameof(bias));
        var rows = size == 0 ? 0 : input.Length / size;
        var output = Tensor<T>.Uninitialized(input.Shape);

        // The rows' inverse deviations, then their means.
        var statistics = Tensor<T>.Uninitialized([2, rows]);
        fixed (T* x = input.AsReadOnlySpan(), y = output.AsSpan(), w = SpanOf(weight), b = SpanOf(bias), kept = statistics.AsSpan())
        {
            RowKernels<T>.Current.LayerNorm(
                new(x, size), new(y, size), rows, size, w, b, T.CreateTruncating(epsilon), new(kept, kept + rows, default));
        }

        return Graph.Records<T>(input, weight, bias) ? new LayerNormNode<T>(input, weight, bias, statistics).Attach(output) : output;

        static void CheckRow(Tensor<T>? tensor, int size, string name)
        {
            if (tensor is not null && (tensor.Rank != 1 || tensor.Length != size))
            {
                throw new ArgumentException($"{name}: expected [{size}], the last dimension of the input, but got {tensor.Shape}.", name);
            }
        }
    }

    private static ReadOnlySpan<T> SpanOf<T>(Tensor<T>? tensor)
        where T : unmanaged, IFloatingPointIeee754<T> => tensor is null ? default : tensor.AsReadOnlySpan();

    private sealed unsafe class LayerNormNode<T>(Tensor<T> input, Tensor<T>? weight, Tensor<T>? bias, Tensor<T> statistics) : GraphNode<T>([input, weight, bias])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        internal override void Backward()
        {
            var (input, weight) = (Inputs[0]!, Inputs[1]);
            var size = input.Shape[-1];
            var rows = size == 0 ? 0 : input.Length / size;
            var kernels = RowKernels<T>.Current;
            fixed (T* x = input.AsReadOnlySpan(), dy = OutputGradient(), w = SpanOf(weight), r = statistics.AsReadOnlySpan())
            {
                var kept = new NormKept<T>(r, r + rows, default);
                if (Needs(0))
                {
                    fixed (T* dx = InputGradient(0, out var overwrite))
                    {
                        kernels.LayerNormBackward(new(x, size), kept, new(dy, size), new(dx, size), rows, size, w, !overwrite);
                    }
                }

                if (Needs(1))
                {
                    fixed (T* dw = InputGradient(1), db = Needs(2) ? InputGradient(2) : default)
                    {
                        kernels.LayerNormParameters(new(x, size), kept, new(dy, size), rows, dw, db, 0, size);
                    }
                }
                else if (Needs(2))
                {
                    Reduction.AddSums(OutputGradient(), InputGradient(2), [rows, size], [1, size]);
                }
            }
        }
    }
}
