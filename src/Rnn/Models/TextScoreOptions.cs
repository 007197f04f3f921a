using Rnn.Sequences;

namespace Rnn.Models;

/// <summary>How a language model scores a text.</summary>
public sealed record TextScoreOptions
{
    /// <summary>
    /// The number of segments of the text that are scored side by side, as rows of a batch. With 1 the state is carried from the first token to the last; with more it is
    /// much faster, and each segment but the first starts from the state that its <see cref="WarmUp"/> leaves.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int Segments
    {
        get;
        init => field = OptionRange.AtLeast(1, value, nameof(Segments));
    } = 1;

    /// <summary>How many tokens before its segment a row reads without scoring them, from a zero state.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int WarmUp
    {
        get;
        init => field = OptionRange.AtLeast(0, value, nameof(WarmUp));
    } = 256;

    /// <summary>How many steps run through the model at once; the result does not depend on it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int Steps
    {
        get;
        init => field = OptionRange.AtLeast(1, value, nameof(Steps));
    } = 128;
}
