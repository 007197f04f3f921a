using System.Globalization;
using Rnn.Sequences;

namespace Rnn.Training;

/// <summary>
/// One rise and one fall: from 1 / <see cref="InitialDivisor"/> up to the optimiser's learning rate, then down to
/// 1 / (<see cref="InitialDivisor"/>·<see cref="FinalDivisor"/>) of it. Momentum is not cycled.
/// </summary>
/// <remarks>Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates" (2018).</remarks>
/// <param name="totalSteps">The number of steps of the whole cycle, two or more.</param>
public sealed class OneCycleSchedule(double totalSteps) : Schedule
{
    /// <summary>The number of steps of the whole cycle, two or more.</summary>
    public double TotalSteps
    {
        get;
        init => field = TwoOrMore(value, nameof(TotalSteps));
    } = TwoOrMore(totalSteps, nameof(TotalSteps));

    /// <summary>The part of the cycle that rises, from 0 to 1; 0.3 by default. With <see cref="ThreePhases"/> at most a half.</summary>
    public double RiseFraction
    {
        get;
        init => field = OptionRange.Within(value, 0, 1, nameof(RiseFraction));
    } = 0.3;

    /// <summary>How far below its peak the learning rate begins, above zero; 25 by default.</summary>
    public double InitialDivisor
    {
        get;
        init => field = OptionRange.AboveZero(value, nameof(InitialDivisor));
    } = 25;

    /// <summary>How far below its beginning the learning rate ends, above zero; 10,000 by default.</summary>
    public double FinalDivisor
    {
        get;
        init => field = OptionRange.AboveZero(value, nameof(FinalDivisor));
    } = 1e4;

    /// <summary>Whether it moves along straight lines and not along half cosines.</summary>
    public bool Linear { get; init; }

    /// <summary>Whether it falls back to its beginning as fast as it rose and only then to its end.</summary>
    public bool ThreePhases { get; init; }

    /// <inheritdoc/>
    public override double Factor(double step)
    {
        _ = Step(step);
        if (ThreePhases && RiseFraction > 0.5)
        {
            throw new InvalidOperationException(
                string.Create(CultureInfo.InvariantCulture, $"RiseFraction: expected at most 0.5 with ThreePhases, since the fall back takes as long as the rise, but got {RiseFraction}."));
        }

        var low = 1 / InitialDivisor;
        var final = low / FinalDivisor;
        var peak = (RiseFraction * TotalSteps) - 1;
        var end = TotalSteps - 1;
        if (step <= peak)
        {
            return Between(low, 1, step, peak);
        }

        if (!ThreePhases)
        {
            return Between(1, final, step - peak, end - peak);
        }

        var back = (2 * RiseFraction * TotalSteps) - 2;
        return step <= back
            ? Between(1, low, step - peak, back - peak)
            : Between(low, final, step - back, end - back);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{nameof(OneCycleSchedule)} {{ TotalSteps = {TotalSteps}, RiseFraction = {RiseFraction}, InitialDivisor = {InitialDivisor}, FinalDivisor = {FinalDivisor}, Linear = {Linear}, ThreePhases = {ThreePhases} }}");

    private static double TwoOrMore(double value, string name) => value >= 2 && double.IsFinite(value)
        ? value
        : throw OptionRange.OutOfRange(name, value, "two or more");

    // A phase without length is at its end.
    private double Between(double from, double to, double done, double length)
    {
        var part = done < length ? Math.Max(0, done / length) : 1;
        return from + ((to - from) * (Linear ? part : (1 - Math.Cos(Math.PI * part)) / 2));
    }
}
