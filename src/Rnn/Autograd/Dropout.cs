using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>
    /// Sets elements to zero at random and divides the others by the chance that they stay, so that the mean is the same (Srivastava et
    /// al., "Dropout", 2014, inverted). For training; at evaluation leave it out.
    /// </summary>
    /// <param name="input">The tensor.</param>
    /// <param name="probability">How likely an element is set to zero, from 0 up to but not including 1.</param>
    /// <param name="random">The source of the numbers.</param>
    /// <exception cref="ArgumentOutOfRangeException">The probability is not from [0, 1).</exception>
    public static Tensor<T> Dropout<T>(this Tensor<T> input, double probability, RandomSource random)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(random);
        if (!(probability >= 0 && probability < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(probability), probability, "probability: expected 0 or more and less than 1.");
        }

        if (probability == 0)
        {
            return input;
        }

        var mask = Tensor<T>.Uninitialized(input.Shape);
        random.FillMask(mask.AsSpan(), 1 - probability, T.CreateTruncating(1 / (1 - probability)));
        var output = Tensor<T>.Uninitialized(input.Shape);
        SpanKernels<T>.Multiply(input.AsReadOnlySpan(), mask.AsReadOnlySpan(), output.AsSpan());
        return Graph.Records(input) ? new DropoutNode<T>(input, mask).Attach(output) : output;
    }

    private sealed class DropoutNode<T>(Tensor<T> input, Tensor<T> mask) : GraphNode<T>([input])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private protected override bool ReadsInputs => false;

        internal override void Backward()
        {
            var gradient = InputGradient(0, out var overwrite);
            if (overwrite)
            {
                SpanKernels<T>.Multiply(OutputGradient(), mask.AsReadOnlySpan(), gradient);
            }
            else
            {
                SpanKernels<T>.AddProduct(OutputGradient(), mask.AsReadOnlySpan(), gradient);
            }
        }
    }
}
