using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>The targets of an adaptive softmax: what the head is to say, and the steps of each cluster.</summary>
internal sealed class AdaptiveTargets
{
    /// <summary>The ignore index of <see cref="Head"/>: no class has this number, whatever the caller's index is.</summary>
    internal const int Ignored = -1;

    /// <summary>Sorts targets into clusters.</summary>
    /// <param name="cutoffs">Where the clusters begin.</param>
    /// <param name="classes">The number of classes.</param>
    /// <param name="targets">The right class of each step.</param>
    /// <param name="ignored">The caller's ignore index.</param>
    /// <exception cref="ArgumentException">A target is no class.</exception>
    internal AdaptiveTargets(ReadOnlySpan<int> cutoffs, int classes, ReadOnlySpan<int> targets, int? ignored)
    {
        var frequent = cutoffs.IsEmpty ? classes : cutoffs[0];
        Head = new int[targets.Length];
        Clusters = new List<(int, int)>?[cutoffs.Length];
        for (var i = 0; i < targets.Length; i++)
        {
            var target = targets[i];
            if (target == ignored)
            {
                Head[i] = Ignored;
                continue;
            }

            if ((uint)target >= (uint)classes)
            {
                throw new ArgumentException($"targets: expected 0 to {classes - 1}, or {ignored} to ignore, but target {i} is {target}.", nameof(targets));
            }

            Count++;
            Head[i] = target;
            if (target >= frequent)
            {
                var cluster = cutoffs.BinarySearch(target);
                cluster = cluster < 0 ? ~cluster - 1 : cluster;
                Head[i] = frequent + cluster;
                (Clusters[cluster] ??= []).Add((i, target - cutoffs[cluster]));
            }
        }
    }

    /// <summary>What the head is to say of each step: a frequent class, a cluster behind them, or <see cref="Ignored"/>.</summary>
    internal int[] Head { get; }

    /// <summary>The steps of each cluster, with their class inside it; null where no target lies in it.</summary>
    internal List<(int Step, int Target)>?[] Clusters { get; }

    /// <summary>The steps that count.</summary>
    internal int Count { get; }

    /// <summary>Refuses what does not fit an adaptive softmax or cannot be computed with it.</summary>
    internal static void Check<T>(Tensor<T> input, AdaptiveSoftmax<T> output, int targets, CrossEntropyOptions options)
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
