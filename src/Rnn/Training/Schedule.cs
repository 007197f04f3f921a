using System.Globalization;
using System.Text;
using Rnn.Formats;

namespace Rnn.Training;

/// <summary>
/// A learning rate over time, as a factor on the optimiser's own: <c>optimizer.LearningRateFactor = schedule.Factor(step)</c>. Groups
/// with learning rates of their own keep their ratios. A <see cref="Trainer{T}"/> asks before every step, or counts epochs or seconds where told so.
/// </summary>
/// <remarks>Options out of range are refused when a schedule is made, with an <see cref="ArgumentOutOfRangeException"/>.</remarks>
public abstract record Schedule
{
    /// <summary>The factor for a step.</summary>
    /// <param name="step">The steps (or epochs, or seconds) completed so far: 0 for the first.</param>
    /// <returns>What the learning rate is multiplied by, zero or more.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The step is negative or not a number.</exception>
    /// <exception cref="InvalidOperationException">Options contradict each other.</exception>
    public abstract double Factor(double step);

    /// <summary>Saves what the schedule remembers between steps; most follow from the step alone and remember nothing.</summary>
    /// <param name="state">Where to.</param>
    public virtual void SaveState(StateValues state)
    {
    }

    /// <summary>Takes back what <see cref="SaveState"/> of a schedule with the same options saved.</summary>
    /// <param name="state">Where from.</param>
    /// <exception cref="InvalidDataException">The state is damaged or of something else.</exception>
    public virtual void RestoreState(StateValues state)
    {
    }

    private protected static double Step(double step) => step >= 0
        ? step
        : throw new ArgumentOutOfRangeException(nameof(step), step, $"step: expected 0 or more but got {step}.");

    private protected static double NotNegative(double value, string name) => value >= 0 && double.IsFinite(value)
        ? value
        : throw new ArgumentOutOfRangeException(name, value, string.Create(CultureInfo.InvariantCulture, $"{name}: expected a finite number of zero or more but got {value}."));

    private protected static double AboveZero(double value, string name, string what = "number") => value > 0 && double.IsFinite(value)
        ? value
        : throw new ArgumentOutOfRangeException(name, value, string.Create(CultureInfo.InvariantCulture, $"{name}: expected a {what} above zero but got {value}."));

    private protected static double Within(double value, double low, double high, string name) => value >= low && value <= high
        ? value
        : throw new ArgumentOutOfRangeException(name, value, string.Create(CultureInfo.InvariantCulture, $"{name}: expected a number from {low} to {high} but got {value}."));
}

/// <summary>The same learning rate always.</summary>
public sealed record ConstantSchedule : Schedule
{
    /// <inheritdoc/>
    public override double Factor(double step) => 1;
}

/// <summary>Multiplies the learning rate after every so many steps: γ^⌊step / size⌋.</summary>
/// <param name="Size">The steps between two falls, above zero.</param>
/// <param name="Gamma">γ, the factor of one fall, zero or more.</param>
public sealed record StepSchedule(double Size, double Gamma = 0.1) : Schedule
{
    /// <summary>The steps between two falls, above zero.</summary>
    public double Size
    {
        get;
        init => field = AboveZero(value, nameof(Size), "number of steps");
    } = AboveZero(Size, nameof(Size), "number of steps");

    /// <summary>γ, the factor of one fall, zero or more.</summary>
    public double Gamma
    {
        get;
        init => field = NotNegative(value, nameof(Gamma));
    } = NotNegative(Gamma, nameof(Gamma));

    /// <summary>The steps before the first interval begins; for "constant for four epochs, then halved every epoch" it is 3 and the size 1.</summary>
    public double Hold
    {
        get;
        init => field = NotNegative(value, nameof(Hold));
    }

    /// <inheritdoc/>
    public override double Factor(double step) => Math.Pow(Gamma, Math.Floor(Math.Max(0, Step(step) - Hold) / Size));
}

/// <summary>Multiplies the learning rate at given steps: γ to the number of milestones reached.</summary>
/// <param name="Milestones">The steps of the falls, in any order.</param>
/// <param name="Gamma">γ, the factor of one fall, zero or more.</param>
public sealed record MultiStepSchedule(IReadOnlyList<double> Milestones, double Gamma = 0.1) : Schedule
{
    /// <summary>The steps of the falls, in any order.</summary>
    public IReadOnlyList<double> Milestones
    {
        get;
        init => field = Check(value);
    } = Check(Milestones);

    /// <summary>γ, the factor of one fall, zero or more.</summary>
    public double Gamma
    {
        get;
        init => field = NotNegative(value, nameof(Gamma));
    } = NotNegative(Gamma, nameof(Gamma));

    /// <inheritdoc/>
    public override double Factor(double step)
    {
        _ = Step(step);
        var reached = 0;
        for (var i = 0; i < Milestones.Count; i++)
        {
            reached += step >= Milestones[i] ? 1 : 0;
        }

        return Math.Pow(Gamma, reached);
    }

    /// <inheritdoc/>
    protected override bool PrintMembers(StringBuilder builder)
    {
        // The record's own text would name the type of the list.
        ArgumentNullException.ThrowIfNull(builder);
        builder.Append("Milestones = ").AppendJoin(' ', Milestones).Append(", Gamma = ").Append(Gamma);
        return true;
    }

    private static IReadOnlyList<double> Check(IReadOnlyList<double> milestones)
    {
        ArgumentNullException.ThrowIfNull(milestones, nameof(Milestones));
        foreach (var milestone in milestones)
        {
            _ = NotNegative(milestone, nameof(Milestones));
        }

        return milestones;
    }
}

/// <summary>Multiplies the learning rate at every step: γ^step.</summary>
/// <param name="Gamma">γ, the factor of one step, zero or more.</param>
public sealed record ExponentialSchedule(double Gamma) : Schedule
{
    /// <summary>γ, the factor of one step, zero or more.</summary>
    public double Gamma
    {
        get;
        init => field = NotNegative(value, nameof(Gamma));
    } = NotNegative(Gamma, nameof(Gamma));

    /// <summary>The steps before the fall begins; for "decay by 0.97 an epoch after ten" it is 10.</summary>
    public double Hold
    {
        get;
        init => field = NotNegative(value, nameof(Hold));
    }

    /// <inheritdoc/>
    public override double Factor(double step) => Math.Pow(Gamma, Math.Max(0, Step(step) - Hold));
}
