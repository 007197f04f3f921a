using Rnn.Sequences;

namespace Rnn.Training;

/// <summary>Options of <see cref="Loss.CrossEntropy"/>.</summary>
public sealed record CrossEntropyOptions
{
    /// <summary>How steps and rows become one number; <see cref="LossReduction.Mean"/> by default.</summary>
    public LossReduction Reduction
    {
        get;
        init => field = LossOptions.Reduction(value, nameof(Reduction));
    }

    /// <summary>The target of steps without a loss; steps past a row's length have none either. −100 by default.</summary>
    public int IgnoreIndex { get; init; } = -100;

    /// <summary>ε, the part of the target's probability that is spread evenly over all classes: from 0 (the default) to 1.</summary>
    /// <remarks>Szegedy et al., "Rethinking the Inception Architecture for Computer Vision" (2016).</remarks>
    public double LabelSmoothing
    {
        get;
        init => field = OptionRange.Within(value, 0, 1, nameof(LabelSmoothing));
    }

    /// <summary>What a mistake on each class costs, one number a class, zero or more; null for all the same.</summary>
    public IReadOnlyList<double>? ClassWeights
    {
        get;
        init => field = LossOptions.Weights(value, nameof(ClassWeights), "class");
    }
}
