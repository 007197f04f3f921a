using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>The same elements, and the same memory, in another shape: <c>x.Reshape(32, -1)</c>.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="dimensions">The new dimensions; one of them may be −1 and follows from the others.</param>
    /// <exception cref="ArgumentException">The number of elements differs, or more than one dimension is −1.</exception>
    [OverloadResolutionPriority(1)]
    public static Tensor<T> Reshape<T>(this Tensor<T> input, params ReadOnlySpan<int> dimensions)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        var unknown = dimensions.IndexOf(-1);
        if (unknown < 0)
        {
            return input.Reshape(new Shape(dimensions));
        }

        Span<int> sizes = stackalloc int[dimensions.Length];
        dimensions.CopyTo(sizes);
        sizes[unknown] = 1;
        var others = sizes.Contains(-1) ? 0 : new Shape(sizes).ElementCount;
        if (others == 0 || input.Length % others != 0)
        {
            throw new ArgumentException(
                $"dimensions: the {input.Length} elements of the shape {input.Shape} do not fill [{string.Join(", ", dimensions.ToArray())}]; at most one dimension may be -1.",
                nameof(dimensions));
        }

        sizes[unknown] = input.Length / others;
        return input.Reshape(new Shape(sizes));
    }

    /// <summary>The same elements, and the same memory, in another shape.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="shape">The new shape.</param>
    /// <exception cref="ArgumentException">The number of elements differs.</exception>
    public static Tensor<T> Reshape<T>(this Tensor<T> input, Shape shape)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        if (shape.ElementCount != input.Length)
        {
            throw new ArgumentException(
                $"shape: expected a shape of {input.Length} elements, as in {input.Shape}, but got {shape} with {shape.ElementCount}.", nameof(shape));
        }

        var output = input.View(shape);
        return Graph.Records(input) ? new ReshapeNode<T>(input).Attach(output) : output;
    }

    private sealed class ReshapeNode<T>(Tensor<T> input) : GraphNode<T>([input])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private protected override bool ReadsInputs => false;

        private protected override bool SharesMemory => true;

        internal override void Backward()
        {
            var gradient = InputGradient(0, out var overwrite);
            SpanKernels<T>.AddOrCopy(OutputGradient(), gradient, overwrite);
        }
    }
}
