using Rnn.Sequences;

namespace Rnn.Training;

/// <summary>Options of <see cref="Loss.Ctc"/>.</summary>
public sealed record CtcOptions
{
    /// <summary>The class that stands for no label; 0 by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int Blank
    {
        get;
        init => field = OptionRange.AtLeast(0, value, nameof(Blank));
    }

    /// <summary>
    /// How rows become one number, where a step is a label of a target: <see cref="LossReduction.Mean"/>, the default, divides the sum over the rows by the number of labels of their targets, and so does
    /// <see cref="LossReduction.SumOverFeaturesMeanOverSteps"/>; <see cref="LossReduction.SumOverStepsMeanOverRows"/> divides it by the number of rows. An empty target counts as one label.
    /// </summary>
    /// <remarks>
    /// PyTorch's <c>mean</c> divides the loss of each row by the length of its own target (at least 1) and takes the mean over the rows: the same where all targets are equally long; else a label of a
    /// short target weighs more there than one of a long target.
    /// </remarks>
    public LossReduction Reduction
    {
        get;
        init => field = LossOptions.Reduction(value, nameof(Reduction));
    }

    /// <summary>What a target costs that its row cannot give.</summary>
    public InfeasibleTargets InfeasibleTargets
    {
        get;
        init => field = value is InfeasibleTargets.Infinity or InfeasibleTargets.LeftOut
            ? value
            : throw new ArgumentOutOfRangeException(nameof(InfeasibleTargets), value, $"InfeasibleTargets: expected Infinity or LeftOut but got {value}.");
    }
}

/// <summary>
/// What <see cref="Loss.Ctc"/> does with a target that its row cannot give: one that has more labels, and blanks between equal neighbours, than the row has steps, or one of whose labels has probability 0 where it is needed.
/// </summary>
public enum InfeasibleTargets
{
    /// <summary>The loss is +∞, as the probability is 0. The gradient of such a row is zero, never NaN; other rows have theirs.</summary>
    Infinity,

    /// <summary>The row does not count, neither in the sum nor in what it is divided by. (PyTorch's <c>zero_infinity</c> leaves it out of the sum alone.)</summary>
    LeftOut,
}
