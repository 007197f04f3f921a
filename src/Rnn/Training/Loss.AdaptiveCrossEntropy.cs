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
        AdaptiveTargets.Check(input, output, targets.Length, options);

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
}
