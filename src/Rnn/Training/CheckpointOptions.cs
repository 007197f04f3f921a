namespace Rnn.Training;

/// <summary>When and where a <see cref="Trainer{T}"/> writes checkpoints; its public options read and set these.</summary>
internal struct CheckpointOptions
{
    internal string? Path;
    internal bool Resume;
    internal long? Every;
    internal TimeSpan? Interval;
}
