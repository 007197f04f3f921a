using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Training;

public static partial class Loss
{
    /// <summary>
    /// Cross-entropy of an adaptive softmax: −log p(target) as its <see cref="AdaptiveSoftmax{T}.Forward"/> gives it, but each cluster is scored only for the steps whose target is in it.
    /// </summary>
    /// <param name="input">What the output layer reads, […, <c>InputSize</c>].</param>
    /// <param name="output">The output layer.</param>
    /// <param name="targets">The right class, 0 to V − 1, of each step in row-major order; or the ignore index.</param>
    /// <param name="options">Reduction and ignore index; null for the defaults.</param>
    /// <returns>A scalar, in nats; 0 where no step counts.</returns>
    /// <exception cref="ArgumentException">Shapes or a target do not fit, or there are label smoothing or class weights, for which the classes of other clusters would have to be scored.</exception>
    public static Tensor<T> AdaptiveCrossEntropy<T>(Tensor<T> input, AdaptiveSoftmax<T> output, ReadOnlySpan<int> targets, CrossEntropyOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
        options ??= new();
        CheckAdaptive(input, output, targets.Length, options);

        var parts = new AdaptiveTargets(output.Cutoffs, output.OutputSize, targets, options.IgnoreIndex);
        var sums = new CrossEntropyOptions { Reduction = LossReduction.Sum, IgnoreIndex = AdaptiveTargets.Ignored };
        var loss = LinearCrossEntropy(input, output.Head, parts.Head, sums);
        var rows = input.Reshape(targets.Length, output.InputSize);
        for (var i = 0; i < parts.Clusters.Length; i++)
        {
            if (parts.Clusters[i] is { } steps)
            {
                var read = rows.IndexSelect(0, [.. steps.Select(pair => pair.Step)]);
                loss += LinearCrossEntropy(output.Projection(i).Forward(read), output.Scores(i), [.. steps.Select(pair => pair.Target)], sums);
            }
        }

        var divisor = options.Reduction switch
        {
            LossReduction.Sum => 1,
            LossReduction.SumOverStepsMeanOverRows => input.Rank > 1 ? input.Shape[0] : 1,
            _ => parts.Count,
        };
        return divisor is 0 or 1 ? loss : loss * T.CreateTruncating(1.0 / divisor);
    }

    private static void CheckAdaptive<T>(Tensor<T> input, AdaptiveSoftmax<T> output, int targets, CrossEntropyOptions options)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (input.Rank == 0 || input.Shape[^1] != output.InputSize)
        {
            throw new ArgumentException(
                $"input: expected [..., {output.InputSize}] but got {input.Shape}; the last dimension must be the output layer's InputSize ({output.InputSize}).", nameof(input));
        }

        if (targets != input.Length / output.InputSize)
        {
            throw new ArgumentException($"targets: expected {input.Length / output.InputSize} targets, one for each step of input {input.Shape}, but got {targets}.", nameof(targets));
        }

        if (options.LabelSmoothing > 0 || options.ClassWeights is not null)
        {
            throw new ArgumentException(
                $"{(options.LabelSmoothing > 0 ? nameof(options.LabelSmoothing) : nameof(options.ClassWeights))}: an adaptive softmax scores only the cluster of the right class, so this is not known; "
                + "leave it out, or take Loss.CrossEntropy of the layer's Forward, which scores all classes.",
                nameof(options));
        }
    }
}
