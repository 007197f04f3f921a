using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Models;

/// <summary>Options of a <see cref="SequenceTagger{T}"/>.</summary>
public sealed record SequenceTaggerOptions
{
    /// <summary>Whether the tags of a sentence are chosen together, by a linear-chain conditional random field; else each word's by itself, by softmax.</summary>
    public bool ConditionalRandomField { get; init; }

    /// <summary>
    /// The probability that a word is read as the unknown one in training (word dropout; Iyyer et al. 2015), so that the model learns what to do with words that it has never seen. From 0 to below 1.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not from [0, 1).</exception>
    public double WordDropout
    {
        get;
        init => field = OptionRange.BelowOne(value, nameof(WordDropout));
    }

    /// <summary>The probability of dropping each value that the sequence layer reads in training, from 0 to below 1.</summary>
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
    /// The seed of everything but the given layers, each part of which draws numbers of its own. Null for the next one of the process (see <see cref="RandomSource.SetSeed"/>), so that two models differ.
    /// </summary>
    public ulong? Seed { get; init; }

    /// <summary>A source that gives the seed, by one number, in place of <see cref="Seed"/>; null for none.</summary>
    public RandomSource? Random { get; init; }
}
