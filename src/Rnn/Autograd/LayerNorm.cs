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

        // Mean and inverse deviation of every row.
        var moments = Tensor<T>.Uninitialized([rows, 2]);
        fixed (T* x = input.AsReadOnlySpan(), y = output.AsSpan(), m = moments.AsSpan(),
            w = (weight ?? Tensor<T>.Ones(size)).AsReadOnlySpan(), b = (bias ?? Tensor<T>.Zeros(size)).AsReadOnlySpan())
        {
            NormalizationKernels<T>.Current.Forward(new(new(x, size), m, 2, w, epsilon), rows, size, b, new(y, size), accumulate: false);
        }

        return Graph.Records<T>(input, weight, bias) ? new LayerNormNode<T>(input, weight, bias, moments).Attach(output) : output;

        static void CheckRow(Tensor<T>? tensor, int size, string name)
        {
            if (tensor is not null && (tensor.Rank != 1 || tensor.Length != size))
            {
                throw new ArgumentException($"{name}: expected [{size}], the last dimension of the input, but got {tensor.Shape}.", name);
            }
        }
    }

    private sealed unsafe class LayerNormNode<T>(Tensor<T> input, Tensor<T>? weight, Tensor<T>? bias, Tensor<T> moments) : GraphNode<T>([input, weight, bias])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        internal override void Backward()
        {
            var input = Inputs[0]!;
            var size = input.Shape[-1];
            var rows = size == 0 ? 0 : input.Length / size;
            if (Needs(0) || Needs(1))
            {
                // Sums beside the weight's gradient, since weight and input may be the same tensor. A gradient of the input that nobody needs goes
                // into one row, which every row of it overwrites.
                var sums = Tensor<T>.Zeros(size);
                var overwrite = true;
                fixed (T* x = input.AsReadOnlySpan(), dy = OutputGradient(), m = moments.AsReadOnlySpan(), dw = sums.AsSpan(),
                    w = (Inputs[1] ?? Tensor<T>.Ones(size)).AsReadOnlySpan(),
                    dx = Needs(0) ? InputGradient(0, out overwrite) : Tensor<T>.Uninitialized([size]).AsSpan())
                {
                    NormalizationKernels<T>.Current.Backward(
                        new(new(x, size), m, 2, w), rows, size, new(dy, size), new(dx, Needs(0) ? size : 0), !overwrite, new(dw, 0), 0);
                }

                if (Needs(1))
                {
                    var target = InputGradient(1);
                    SpanKernels<T>.Add(sums.AsReadOnlySpan(), target);
                }
            }

            if (Needs(2))
            {
                fixed (T* dy = OutputGradient(), db = InputGradient(2))
                {
                    ColumnKernels<T>.Current.AddSums(new(dy, size), rows, db, 0, size);
                }
            }
        }
    }
}
