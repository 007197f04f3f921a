using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Models;

/// <summary>Options of a <see cref="ConditionalGenerator{T}"/>.</summary>
public sealed record ConditionalGeneratorOptions
{
    /// <summary>
    /// Whether the decoder also reads the encoded condition at every step, beside the token's embedding, so that it need not remember all of it. The decoder's <c>InputSize</c> is then the size of the
    /// embedding plus that of the encoded condition.
    /// </summary>
    public bool FeedCondition { get; init; }

    /// <summary>The size of the vector of a class, where the conditions are classes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int ClassSize
    {
        get;
        init => field = OptionRange.AtLeast(1, value, nameof(ClassSize));
    } = 32;

    /// <summary>The probability of dropping each value of a token's embedding in training, from 0 to below 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not from [0, 1).</exception>
    public double EmbeddingDropout
    {
        get;
        init => field = OptionRange.BelowOne(value, nameof(EmbeddingDropout));
    }

    /// <summary>The probability of dropping each value that the output layer reads in training, from 0 to below 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not from [0, 1).</exception>
    public double Dropout
    {
        get;
        init => field = OptionRange.BelowOne(value, nameof(Dropout));
    }

    /// <summary>
    /// The seed of everything but encoder and decoder, each part of which draws numbers of its own. Null for the next one of the process (see <see cref="RandomSource.SetSeed"/>), so that two models differ.
    /// </summary>
    public ulong? Seed { get; init; }

    /// <summary>A source that gives the seed, by one number, in place of <see cref="Seed"/>; null for none.</summary>
    public RandomSource? Random { get; init; }
}
