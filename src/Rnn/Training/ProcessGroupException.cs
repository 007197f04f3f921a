namespace Rnn.Training;

/// <summary>Another process of a <see cref="ProcessGroup"/> has failed or ended, or the processes do not do the same: this one cannot go on without them.</summary>
public sealed class ProcessGroupException : Exception
{
    /// <summary>An error without a message of its own.</summary>
    public ProcessGroupException()
    {
    }

    /// <summary>An error.</summary>
    /// <param name="message">What has happened.</param>
    public ProcessGroupException(string message)
        : base(message)
    {
    }

    /// <summary>An error with its cause.</summary>
    /// <param name="message">What has happened.</param>
    /// <param name="innerException">The cause.</param>
    public ProcessGroupException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>The rank of the process that failed; −1 where it is none or not known.</summary>
    public int Rank { get; init; } = -1;
}
