namespace Rnn.Training;

/// <summary>
/// One rise and one fall: from 1 / <see cref="InitialDivisor"/> up to the optimiser's learning rate, then down to
/// 1 / (<see cref="InitialDivisor"/>·<see cref="FinalDivisor"/>) of it. Momentum is not cycled.
/// </summary>
/// <remarks>Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates" (2018).</remarks>
/// <param name="TotalSteps">The number of steps of the whole cycle, two or more.</param>
public sealed record OneCycleSchedule(double TotalSteps) : Schedule
{
    /// <summary>The part of the cycle that rises, from 0 to 1; 0.3 by default.</summary>
    public double RiseFraction { get; init; } = 0.3;

    /// <summary>How far below its peak the learning rate begins; 25 by default.</summary>
    public double InitialDivisor { get; init; } = 25;

    /// <summary>How far below its beginning the learning rate ends; 10,000 by default.</summary>
    public double FinalDivisor { get; init; } = 1e4;

    /// <summary>Whether it moves along straight lines and not along half cosines.</summary>
    public bool Linear { get; init; }

    /// <summary>Whether it falls back to its beginning as fast as it rose and only then to its end.</summary>
    public bool ThreePhases { get; init; }

    /// <inheritdoc/>
    public override double Factor(double step)
    {
        if (TotalSteps < 2 || !(RiseFraction is >= 0 and <= 1))
        {
            throw new InvalidOperationException(
                $"OneCycleSchedule: expected two or more TotalSteps and a RiseFraction from 0 to 1 but got {TotalSteps} and {RiseFraction}.");
        }

        var low = 1 / InitialDivisor;
        var final = low / FinalDivisor;
        var peak = (RiseFraction * TotalSteps) - 1;
        var end = TotalSteps - 1;
        if (step <= peak)
        {
            return Between(low, 1, step / peak);
        }

        if (!ThreePhases)
        {
            return Between(1, final, (step - peak) / (end - peak));
        }

        var back = (2 * RiseFraction * TotalSteps) - 2;
        return step <= back
            ? Between(1, low, (step - peak) / (back - peak))
            : Between(low, final, (step - back) / (end - back));
    }

    private double Between(double from, double to, double progress)
    {
        var part = Math.Clamp(progress, 0, 1);
        return from + ((to - from) * (Linear ? part : (1 - Math.Cos(Math.PI * part)) / 2));
    }
}
