namespace Rnn.Layers.Engine;

/// <summary>What the engine does to the states of every step beyond the cell itself.</summary>
internal sealed record StepOptions
{
    /// <summary>Nothing.</summary>
    internal static StepOptions None { get; } = new();

    /// <summary>The probability of keeping a unit's hidden state of the step before.</summary>
    internal double HiddenZoneout { get; init; }

    /// <summary>The probability of keeping a unit's further states of the step before.</summary>
    internal double CellZoneout { get; init; }

    /// <summary>The probability of dropping a unit of the hidden state for the recurrent products of a whole sequence.</summary>
    internal double RecurrentDropout { get; init; }

    /// <summary>The zoneout of a state.</summary>
    internal double Zoneout(int state) => state == 0 ? HiddenZoneout : CellZoneout;
}

/// <summary>The randomness of one run of a layer.</summary>
/// <param name="IsTraining">Whether masks are drawn; else zoneout takes its expectation and dropout passes through.</param>
/// <param name="Seed">What the masks follow from.</param>
internal readonly record struct StepNoise(bool IsTraining, ulong Seed);
