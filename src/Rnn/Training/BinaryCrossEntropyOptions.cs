namespace Rnn.Training;

/// <summary>Options of <see cref="Loss.BinaryCrossEntropy"/>.</summary>
public sealed record BinaryCrossEntropyOptions
{
    /// <summary>How elements become one number; <see cref="LossReduction.Mean"/> by default.</summary>
    public LossReduction Reduction
    {
        get;
        init => field = LossOptions.Reduction(value, nameof(Reduction));
    }

    /// <summary>
    /// What a missed positive costs against a false one: a single number for all features, or one a feature of the last dimension, zero or
    /// more; null for 1. Above 1 it favours recall.
    /// </summary>
    public IReadOnlyList<double>? PositiveWeights
    {
        get;
        init => field = LossOptions.Weights(value, nameof(PositiveWeights), "feature");
    }
}
