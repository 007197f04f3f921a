namespace Rnn.Training;

/// <summary>
/// A learning rate over time, as a factor on the optimiser's own: <c>optimizer.LearningRateFactor = schedule.Factor(step)</c>. Groups
/// with learning rates of their own keep their ratios. A <see cref="Trainer{T}"/> asks before every step, or counts epochs or seconds where told so.
/// </summary>
public abstract record Schedule
{
    /// <summary>The factor for a step.</summary>
    /// <param name="step">The steps (or epochs, or seconds) completed so far: 0 for the first.</param>
    /// <returns>What the learning rate is multiplied by, zero or more.</returns>
    public abstract double Factor(double step);
}

/// <summary>The same learning rate always.</summary>
public sealed record ConstantSchedule : Schedule
{
    /// <inheritdoc/>
    public override double Factor(double step) => 1;
}

/// <summary>Multiplies the learning rate after every so many steps: γ^⌊step / size⌋.</summary>
/// <param name="Size">The steps between two falls, above zero.</param>
/// <param name="Gamma">γ, the factor of one fall.</param>
public sealed record StepSchedule(double Size, double Gamma = 0.1) : Schedule
{
    /// <summary>The steps before the first interval begins; for "constant for four epochs, then halved every epoch" it is 3 and the size 1.</summary>
    public double Hold { get; init; }

    /// <inheritdoc/>
    public override double Factor(double step) => Size > 0
        ? Math.Pow(Gamma, Math.Floor(Math.Max(0, step - Hold) / Size))
        : throw new InvalidOperationException($"Size: expected a number of steps above zero but got {Size}.");
}

/// <summary>Multiplies the learning rate at given steps: γ to the number of milestones reached.</summary>
/// <param name="Milestones">The steps of the falls, in any order.</param>
/// <param name="Gamma">γ, the factor of one fall.</param>
public sealed record MultiStepSchedule(IReadOnlyList<double> Milestones, double Gamma = 0.1) : Schedule
{
    /// <inheritdoc/>
    public override double Factor(double step)
    {
        var reached = 0;
        for (var i = 0; i < Milestones.Count; i++)
        {
            reached += step >= Milestones[i] ? 1 : 0;
        }

        return Math.Pow(Gamma, reached);
    }
}

/// <summary>Multiplies the learning rate at every step: γ^step.</summary>
/// <param name="Gamma">γ, the factor of one step.</param>
public sealed record ExponentialSchedule(double Gamma) : Schedule
{
    /// <summary>The steps before the fall begins; for "decay by 0.97 an epoch after ten" it is 10.</summary>
    public double Hold { get; init; }

    /// <inheritdoc/>
    public override double Factor(double step) => Math.Pow(Gamma, Math.Max(0, step - Hold));
}
