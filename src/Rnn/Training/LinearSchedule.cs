using System.Globalization;
using Rnn.Sequences;

namespace Rnn.Training;

/// <summary>Moves in a straight line from 1 to a final factor and stays there.</summary>
/// <param name="totalSteps">The step at which the final factor is reached, above <see cref="Hold"/>.</param>
public sealed class LinearSchedule(double totalSteps) : Schedule
{
    /// <summary>The step at which the final factor is reached, above <see cref="Hold"/>.</summary>
    public double TotalSteps
    {
        get;
        init => field = OptionRange.AboveZero(value, nameof(TotalSteps));
    } = OptionRange.AboveZero(totalSteps, nameof(TotalSteps));

    /// <summary>The steps before the line begins.</summary>
    public double Hold
    {
        get;
        init => field = OptionRange.NotNegative(value, nameof(Hold));
    }

    /// <summary>The factor at the end, zero or more; 0 by default.</summary>
    public double FinalFactor
    {
        get;
        init => field = OptionRange.NotNegative(value, nameof(FinalFactor));
    }

    /// <inheritdoc/>
    public override double Factor(double step)
    {
        _ = Step(step);
        return TotalSteps > Hold
            ? 1 + ((FinalFactor - 1) * Math.Clamp((step - Hold) / (TotalSteps - Hold), 0, 1))
            : throw new InvalidOperationException(
                string.Create(CultureInfo.InvariantCulture, $"TotalSteps: expected more steps than Hold has but got {TotalSteps} with a Hold of {Hold}."));
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{nameof(LinearSchedule)} {{ TotalSteps = {TotalSteps}, Hold = {Hold}, FinalFactor = {FinalFactor} }}");
}
