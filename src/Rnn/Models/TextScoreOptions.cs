using Rnn.Sequences;

namespace Rnn.Models;

/// <summary>How a language model goes over a text to score it.</summary>
public sealed record TextScoreOptions
{
    /// <summary>
    /// The segments of the text that are read in parallel. With 1 the state is carried from the first token to the last; with more it is
    /// much faster, and each segment but the first starts from the state that its <see cref="WarmUp"/> leaves.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int Segments
    {
        get;
        init => field = OptionRange.AtLeast(1, value, nameof(Segments));
    } = 1;

    /// <summary>The tokens before its segment that each reads without scoring them, from a zero state.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int WarmUp
    {
        get;
        init => field = OptionRange.AtLeast(0, value, nameof(WarmUp));
    } = 256;

    /// <summary>How many steps go through the model at once; the result does not depend on it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int Steps
    {
        get;
        init => field = OptionRange.AtLeast(1, value, nameof(Steps));
    } = 128;
}
