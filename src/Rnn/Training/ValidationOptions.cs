namespace Rnn.Training;

/// <summary>When a <see cref="Trainer{T}"/> validates and what follows from a validation; its public options read and set these.</summary>
internal struct ValidationOptions
{
    internal long? Every;
    internal int? Rows;
    internal int? Patience;
    internal double MinImprovement;
    internal bool RestoreBest;
    internal string? ModelPath;
    internal NonMonotoneTrigger? AveragingTrigger;
}
