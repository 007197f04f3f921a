using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Models;

/// <summary>Options of a <see cref="SequenceTranscriber{T}"/>.</summary>
public sealed record SequenceTranscriberOptions
{
    /// <summary>
    /// How many steps the sequence layer reads as one, side by side: of L steps of I features it then sees ⌈L/k⌉ of k·I. Frames of sound are many and alike, so 2 or 3 make a model faster and as good; a target needs as
    /// many steps as it has labels, though. 1 by default, for none.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int FrameStacking
    {
        get;
        init => field = OptionRange.AtLeast(1, value, nameof(FrameStacking));
    } = 1;

    /// <summary>The probability of dropping each value of a token's embedding, or of the features, in training, from 0 to below 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not from [0, 1).</exception>
    public double InputDropout
    {
        get;
        init => field = OptionRange.BelowOne(value, nameof(InputDropout));
    }

    /// <summary>The probability of dropping each value that the output layer reads in training, from 0 to below 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not from [0, 1).</exception>
    public double Dropout
    {
        get;
        init => field = OptionRange.BelowOne(value, nameof(Dropout));
    }

    /// <summary>
    /// The seed of the embedding, the output layer and the dropout, each of which draws numbers of its own; the sequence layer has its own. Null for the next one of the process (see
    /// <see cref="RandomSource.SetSeed"/>), so that two models differ.
    /// </summary>
    public ulong? Seed { get; init; }

    /// <summary>A source that gives the seed, by one number, in place of <see cref="Seed"/>; null for none.</summary>
    public RandomSource? Random { get; init; }
}
