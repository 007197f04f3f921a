using System.Numerics;
using Rnn.Autograd;

namespace Rnn.Tensors;

/// <summary>The backward pass: gradients of a result with respect to everything it was computed from.</summary>
public static class BackwardExtensions
{
    /// <summary>
    /// Adds the gradient of this number to <see cref="Tensor{T}.Gradient"/> of every leaf that requires one, then frees the graph.
    /// </summary>
    /// <param name="loss">A tensor with one element, computed from leaves that require a gradient.</param>
    /// <param name="keepGraph">Whether to keep the graph for another backward pass, which gives the same gradients.</param>
    /// <exception cref="InvalidOperationException">
    /// The tensor has more than one element, has no history, or its graph was freed by an earlier call, also one that failed; or a value
    /// that the gradients need was written to since the forward pass. Then no gradient has changed.
    /// </exception>
    public static void Backward<T>(this Tensor<T> loss, bool keepGraph = false)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(loss);
        if (loss.Length != 1)
        {
            throw new InvalidOperationException(
                $"Backward: expected a tensor with one element but this one is {loss.Shape}; sum or average it, or give the gradient of the output: Backward(gradient).");
        }

        BackwardPass<T>.Run(loss, [T.One], keepGraph);
    }

    /// <summary>
    /// Adds the gradient of the sum of this tensor weighted by <paramref name="gradient"/> to <see cref="Tensor{T}.Gradient"/> of every
    /// leaf that requires one, then frees the graph.
    /// </summary>
    /// <param name="output">A tensor computed from leaves that require a gradient.</param>
    /// <param name="gradient">The gradient of the output, in its shape.</param>
    /// <param name="keepGraph">Whether to keep the graph for another backward pass, which gives the same gradients.</param>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    /// <exception cref="InvalidOperationException">
    /// The tensor has no history, or its graph was freed by an earlier call, also one that failed; or a value that the gradients need was
    /// written to since the forward pass. Then no gradient has changed.
    /// </exception>
    public static void Backward<T>(this Tensor<T> output, Tensor<T> gradient, bool keepGraph = false)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(gradient);
        if (gradient.Shape != output.Shape)
        {
            throw new ArgumentException($"gradient: expected the shape of the output, {output.Shape}, but got {gradient.Shape}.", nameof(gradient));
        }

        BackwardPass<T>.Run(output, gradient.AsReadOnlySpan(), keepGraph, gradient.PinnedArray());
    }
}
