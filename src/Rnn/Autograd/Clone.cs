using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>A copy with memory of its own; gradients flow through it. <c>x.Detach().Clone()</c> has no history and may be written to.</summary>
    /// <param name="input">The tensor.</param>
    public static Tensor<T> Clone<T>(this Tensor<T> input)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        var output = input.Copy();
        return Graph.Records(input) ? new CloneNode<T>(input).Attach(output) : output;
    }

    private sealed class CloneNode<T>(Tensor<T> input) : GraphNode<T>([input])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private protected override bool ReadsInputs => false;

        internal override void Backward()
        {
            var gradient = InputGradient(0, out var overwrite);
            SpanKernels<T>.AddOrCopy(OutputGradient(), gradient, overwrite);
        }
    }
}
