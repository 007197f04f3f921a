using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Models;

/// <summary>Options of a <see cref="MultiLabelSequenceModel{T}"/>.</summary>
public sealed record MultiLabelSequenceModelOptions
{
    /// <summary>The probability of dropping each value of the input in training, from 0 to below 1.</summary>
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
    /// The seed of the output layer and the dropout, each of which draws numbers of its own; the sequence layer has its own. Null for the next one of the process (see
    /// <see cref="RandomSource.SetSeed"/>), so that two models differ.
    /// </summary>
    public ulong? Seed { get; init; }

    /// <summary>A source that gives the seed, by one number, in place of <see cref="Seed"/>; null for none.</summary>
    public RandomSource? Random { get; init; }
}
