using System.Globalization;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>Options of an <see cref="AdaptiveSoftmax{T}"/>.</summary>
public sealed record AdaptiveSoftmaxOptions
{
    /// <summary>
    /// Where the clusters begin, ascending, above 0 and below V: the classes before the first cutoff are scored by the head, those from one cutoff to the next are a cluster. Null for V/15 and
    /// V/5; empty for no clusters, which is a full softmax.
    /// </summary>
    public IReadOnlyList<int>? Cutoffs { get; init; }

    /// <summary>What the size of the projections is divided by from cluster to cluster: cluster k (from 1) reads I / divisorᵏ features, at least 1. 4 by default, as in the paper.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1 or not finite.</exception>
    public double ProjectionDivisor
    {
        get;
        init => field = value >= 1 && double.IsFinite(value) ? value : throw new ArgumentOutOfRangeException(
            nameof(ProjectionDivisor), value, string.Create(CultureInfo.InvariantCulture, $"ProjectionDivisor: expected a finite number of 1 or more but got {value}."));
    } = 4;

    /// <summary>Whether the head has a bias; the clusters have none.</summary>
    public bool HeadBias { get; init; } = true;

    /// <summary>The seed of the initialisation; null for the next one of the process (see <see cref="RandomSource.SetSeed"/>), so that two layers differ.</summary>
    public ulong? Seed { get; init; }

    /// <summary>A source that gives the seed, by one number, in place of <see cref="Seed"/>; null for none.</summary>
    public RandomSource? Random { get; init; }
}
