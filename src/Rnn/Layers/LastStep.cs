using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// Turns a sequence [N, T, size] into its end [N, size], between a sequence layer and a classifier in a <see cref="Sequential{T}"/>: Keras' <c>return_sequences=False</c>.
/// </summary>
/// <remarks>
/// Right behind a sequence layer it gives <see cref="SequenceLayerOutput{T}.Last"/>: the end of each row by its length, and of a backward direction its output at the first step.
/// </remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class LastStep<T> : Layer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal static string Type => "last-step";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Arithmetic => "last step";

    /// <summary>The last step.</summary>
    /// <param name="input">[N, T, size] with one step or more.</param>
    /// <returns>[N, size].</returns>
    /// <exception cref="ArgumentException">The input has another rank or no steps.</exception>
    public override Tensor<T> Forward(Tensor<T> input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return input.Rank == 3 && input.Shape[1] > 0
            ? input.Select(1, input.Shape[1] - 1)
            : throw new ArgumentException($"input: expected [batch, steps, size] with one step or more but got {input.Shape}.", nameof(input));
    }
}
