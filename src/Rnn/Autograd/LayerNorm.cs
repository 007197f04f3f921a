using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Autograd;

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
    public static Tensor<T> LayerNorm<T>(this Tensor<T> input, Tensor<T>? weight = null, Tensor<T>? bias = null, double epsilon = 1e-5)
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
        var statistics = Tensor<T>.Uninitialized([rows, 2]);
        var x = input.AsReadOnlySpan();
        var y = output.AsSpan();
        var moments = statistics.AsSpan();
        for (var i = 0; i < rows; i++)
        {
            LayerNormSweep<T>.Forward(
                x.Slice(i * size, size), weight is null ? default : weight.AsReadOnlySpan(), bias is null ? default : bias.AsReadOnlySpan(),
                y.Slice(i * size, size), moments.Slice(2 * i, 2), epsilon);
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

    private sealed class LayerNormNode<T>(Tensor<T> input, Tensor<T>? weight, Tensor<T>? bias, Tensor<T> statistics) : GraphNode<T>([input, weight, bias])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        internal override void Backward()
        {
            var (input, weight) = (Inputs[0]!, Inputs[1]);
            var x = input.AsReadOnlySpan();
            var dy = OutputGradient();
            var moments = statistics.AsReadOnlySpan();
            var size = input.Shape[-1];
            var rows = size == 0 ? 0 : input.Length / size;
            if (Needs(0))
            {
                var scale = weight is null ? default : weight.AsReadOnlySpan();
                var rented = TensorPool<T>.Rent(size);
                var dx = InputGradient(0, out var fresh);
                for (var i = 0; i < rows; i++)
                {
                    var at = i * size;
                    LayerNormSweep<T>.BackwardInput(
                        x.Slice(at, size), moments.Slice(2 * i, 2), scale, dy.Slice(at, size), dx.Slice(at, size), rented.AsSpan(0, size), fresh);
                }

                TensorPool<T>.Return(rented);
            }

            if (Needs(1))
            {
                var dw = InputGradient(1);
                for (var i = 0; i < rows; i++)
                {
                    LayerNormSweep<T>.BackwardWeight(x.Slice(i * size, size), moments.Slice(2 * i, 2), dy.Slice(i * size, size), dw);
                }
            }

            if (Needs(2))
            {
                Reduction.AddSums(dy, InputGradient(2), [rows, size], [1, size]);
            }
        }
    }
}
