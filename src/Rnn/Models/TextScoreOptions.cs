namespace Rnn.Models;

/// <summary>How a language model goes over a text to score it.</summary>
public sealed record TextScoreOptions
{
    /// <summary>
    /// In how many parts the text is gone over side by side. With 1 the state is carried from the first token to the last; with more it is
    /// much faster, and each part but the first starts from the state that its <see cref="WarmUp"/> leaves.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int Streams
    {
        get;
        init => field = AtLeast(1, value, nameof(Streams));
    } = 1;

    /// <summary>How many tokens before its part a stream reads without scoring them, from a zero state.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int WarmUp
    {
        get;
        init => field = AtLeast(0, value, nameof(WarmUp));
    } = 256;

    /// <summary>How many steps go through the model at once; the result does not depend on it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int Steps
    {
        get;
        init => field = AtLeast(1, value, nameof(Steps));
    } = 128;

    private static int AtLeast(int least, int value, string name) => value >= least
        ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name}: expected {least} or more but got {value}.");
}
