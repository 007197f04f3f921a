using System.Globalization;
using Rnn.Formats;
using Rnn.Sequences;

namespace Rnn.Training;

/// <summary>
/// A learning rate over time, as a factor on the optimiser's own: <c>optimizer.LearningRateFactor = schedule.Factor(step)</c>. Groups
/// with learning rates of their own keep their ratios. A <see cref="Trainer{T}"/> asks before every step, or counts epochs or seconds where told so.
/// </summary>
/// <remarks>Options are checked when a schedule is made: out of range they throw an <see cref="ArgumentOutOfRangeException"/>.</remarks>
public abstract class Schedule
{
    /// <summary>The factor for a step.</summary>
    /// <param name="step">The steps (or epochs, or seconds) completed so far: 0 for the first.</param>
    /// <returns>What the learning rate is multiplied by, zero or more.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The step is negative or not a number.</exception>
    /// <exception cref="InvalidOperationException">Options contradict each other.</exception>
    public abstract double Factor(double step);

    /// <summary>
    /// The name and the options: what a training that is resumed must find again. The name of the type unless overridden.
    /// </summary>
    public override string ToString() => GetType().Name;

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
        : throw OptionRange.OutOfRange(nameof(step), step, "0 or more");
}

/// <summary>The same learning rate always.</summary>
public sealed class ConstantSchedule : Schedule
{
    /// <inheritdoc/>
    public override double Factor(double step) => 1;

    /// <inheritdoc/>
    public override string ToString() => $"{nameof(ConstantSchedule)} {{ }}";
}

/// <summary>Multiplies the learning rate after every so many steps: γ^⌊step / size⌋.</summary>
/// <param name="size">The steps between two falls, above zero.</param>
/// <param name="gamma">γ, the factor of one fall, zero or more.</param>
public sealed class StepSchedule(double size, double gamma = 0.1) : Schedule
{
    /// <summary>The steps between two falls, above zero.</summary>
    public double Size
    {
        get;
        init => field = OptionRange.AboveZero(value, nameof(Size), "number of steps");
    } = OptionRange.AboveZero(size, nameof(Size), "number of steps");

    /// <summary>γ, the factor of one fall, zero or more.</summary>
    public double Gamma
    {
        get;
        init => field = OptionRange.NotNegative(value, nameof(Gamma));
    } = OptionRange.NotNegative(gamma, nameof(Gamma));

    /// <summary>The steps before the first interval begins; for "constant for four epochs, then halved every epoch" it is 3 and the size 1.</summary>
    public double Hold
    {
        get;
        init => field = OptionRange.NotNegative(value, nameof(Hold));
    }

    /// <inheritdoc/>
    public override double Factor(double step) => Math.Pow(Gamma, Math.Floor(Math.Max(0, Step(step) - Hold) / Size));

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{nameof(StepSchedule)} {{ Size = {Size}, Gamma = {Gamma}, Hold = {Hold} }}");
}

/// <summary>Multiplies the learning rate at given steps: γ to the number of milestones reached.</summary>
/// <param name="milestones">The steps of the falls, in any order.</param>
/// <param name="gamma">γ, the factor of one fall, zero or more.</param>
public sealed class MultiStepSchedule(IReadOnlyList<double> milestones, double gamma = 0.1) : Schedule
{
    /// <summary>The steps of the falls, in any order.</summary>
    public IReadOnlyList<double> Milestones
    {
        get;
        init => field = Check(value);
    } = Check(milestones);

    /// <summary>γ, the factor of one fall, zero or more.</summary>
    public double Gamma
    {
        get;
        init => field = OptionRange.NotNegative(value, nameof(Gamma));
    } = OptionRange.NotNegative(gamma, nameof(Gamma));

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
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{nameof(MultiStepSchedule)} {{ Milestones = {string.Join(' ', Milestones)}, Gamma = {Gamma} }}");

    private static IReadOnlyList<double> Check(IReadOnlyList<double> milestones)
    {
        ArgumentNullException.ThrowIfNull(milestones, nameof(Milestones));
        foreach (var milestone in milestones)
        {
            _ = OptionRange.NotNegative(milestone, nameof(Milestones));
        }

        return milestones;
    }
}

/// <summary>Multiplies the learning rate at every step: γ^step.</summary>
/// <param name="gamma">γ, the factor of one step, zero or more.</param>
public sealed class ExponentialSchedule(double gamma) : Schedule
{
    /// <summary>γ, the factor of one step, zero or more.</summary>
    public double Gamma
    {
        get;
        init => field = OptionRange.NotNegative(value, nameof(Gamma));
    } = OptionRange.NotNegative(gamma, nameof(Gamma));

    /// <summary>The steps before the fall begins; for "decay by 0.97 an epoch after ten" it is 10.</summary>
    public double Hold
    {
        get;
        init => field = OptionRange.NotNegative(value, nameof(Hold));
    }

    /// <inheritdoc/>
    public override double Factor(double step) => Math.Pow(Gamma, Math.Max(0, Step(step) - Hold));

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{nameof(ExponentialSchedule)} {{ Gamma = {Gamma}, Hold = {Hold} }}");
}
