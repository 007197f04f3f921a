using Rnn.Sequences;

namespace Rnn.Training;

/// <summary>How <see cref="GradientCheck"/> measures.</summary>
public sealed record GradientCheckOptions
{
    /// <summary>The largest error that passes, relative to the largest entry of the same tensor's gradient.</summary>
    public double Tolerance
    {
        get;
        init => field = OptionRange.AboveZero(value, nameof(Tolerance));
    } = 1e-7;

    /// <summary>The step of the differences, relative to entries larger than 1.</summary>
    public double Step
    {
        get;
        init => field = OptionRange.AboveZero(value, nameof(Step));
    } = 1e-3;

    /// <summary>How many entries of each tensor are tried; larger tensors are sampled.</summary>
    public int MaximumEntries
    {
        get;
        init => field = OptionRange.AtLeast(1, value, nameof(MaximumEntries));
    } = int.MaxValue;

    /// <summary>The seed of the sampling and of the weights of outputs; 0 by default, so that a proof tries the same entries wherever it stands in a program.</summary>
    public ulong Seed { get; init; }
}
