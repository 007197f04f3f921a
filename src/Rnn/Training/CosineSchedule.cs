using System.Globalization;
using Rnn.Sequences;

namespace Rnn.Training;

/// <summary>
/// Rises in a straight line over the warm-up, then falls along half a cosine: final + (1 − final)·(1 + cos(π s / S))/2, where s counts from
/// the end of the warm-up and S is what remains of the total. Stays at the final factor afterwards.
/// </summary>
/// <remarks>Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017), without restarts.</remarks>
/// <param name="totalSteps">The step at which the final factor is reached, warm-up included.</param>
public sealed class CosineSchedule(double totalSteps) : Schedule
{
    /// <summary>The step at which the final factor is reached, warm-up included; above <see cref="WarmupSteps"/>.</summary>
    public double TotalSteps
    {
        get;
        init => field = OptionRange.AboveZero(value, nameof(TotalSteps));
    } = OptionRange.AboveZero(totalSteps, nameof(TotalSteps));

    /// <summary>The steps of the rise: step 0 has the factor 1 / (warm-up + 1), step <c>WarmupSteps</c> has 1.</summary>
    public double WarmupSteps
    {
        get;
        init => field = OptionRange.NotNegative(value, nameof(WarmupSteps));
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
        if (TotalSteps <= WarmupSteps)
        {
            throw new InvalidOperationException(
                string.Create(CultureInfo.InvariantCulture, $"TotalSteps: expected more steps than the warm-up's but got {TotalSteps} with a warm-up of {WarmupSteps}."));
        }

        if (step < WarmupSteps)
        {
            return (step + 1.0) / (WarmupSteps + 1.0);
        }

        var progress = Math.Min(1, (step - WarmupSteps) / (TotalSteps - WarmupSteps));
        return FinalFactor + ((1 - FinalFactor) * 0.5 * (1 + Math.Cos(Math.PI * progress)));
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{nameof(CosineSchedule)} {{ TotalSteps = {TotalSteps}, WarmupSteps = {WarmupSteps}, FinalFactor = {FinalFactor} }}");
}
