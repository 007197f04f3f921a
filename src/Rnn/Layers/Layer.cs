using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>A module that turns one tensor into one tensor, so that it can stand in a <c>Sequential</c>.</summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public abstract class Layer<T> : Module<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Computes the output; recorded for the backward pass where gradients are wanted.</summary>
    /// <param name="input">The input; each layer states its shape.</param>
    public abstract Tensor<T> Forward(Tensor<T> input);

    /// <summary>
    /// One step of N rows for a stepper: in evaluation and without a graph. Unless overridden it is a forward pass of [N, 1, size], which allocates.
    /// </summary>
    /// <param name="rows">The number of rows N.</param>
    /// <param name="input">The step's input [N, size], row-major.</param>
    /// <param name="output">Receives the step's output [N, size], row-major.</param>
    protected internal virtual void StepRows(int rows, ReadOnlySpan<T> input, Span<T> output)
    {
        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        Forward(Tensor<T>.From(input, rows, 1, input.Length / rows)).AsReadOnlySpan().CopyTo(output);
    }
}
