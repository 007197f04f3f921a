using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Models;

/// <summary>Which tables the hops of a <see cref="MemoryNetwork{T}"/> share (Sukhbaatar et al. 2015, section 2.2).</summary>
public enum MemoryTying
{
    /// <summary>
    /// What one hop reads is what the next one searches: Aᵏ⁺¹ = Cᵏ. The question is embedded as the memories of the first hop (B = A¹), and the answer's weights are the last table (Wᵀ = Cᴷ). K + 1 tables.
    /// </summary>
    Adjacent,

    /// <summary>All hops have one A and one C, as the steps of a recurrent network have; between them uᵏ⁺¹ = H uᵏ + oᵏ. Question and answer have tables of their own.</summary>
    LayerWise,
}

/// <summary>Options of a <see cref="MemoryNetwork{T}"/>. The defaults are those of the paper for single tasks.</summary>
public sealed record MemoryNetworkOptions
{
    /// <summary>E, the size of all vectors; 20 by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int EmbeddingSize
    {
        get;
        init => field = OptionRange.AtLeast(1, value, nameof(EmbeddingSize));
    } = 20;

    /// <summary>K, how often the network looks into its memory; 3 by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int Hops
    {
        get;
        init => field = OptionRange.AtLeast(1, value, nameof(Hops));
    } = 3;

    /// <summary>Which tables the hops share; <see cref="MemoryTying.Adjacent"/> by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is none of the list.</exception>
    public MemoryTying Tying
    {
        get;
        init => field = value is MemoryTying.Adjacent or MemoryTying.LayerWise
            ? value
            : throw new ArgumentOutOfRangeException(nameof(Tying), value, $"Tying: expected Adjacent or LayerWise but got {value}.");
    }

    /// <summary>The most sentences that are remembered: of a longer story the last ones. 50 by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int MemorySize
    {
        get;
        init => field = OptionRange.AtLeast(1, value, nameof(MemorySize));
    } = 50;

    /// <summary>
    /// Whether the places of the memory that no sentence fills take part in attention, as memories of zeros: they have the score 0 and give nothing, so that a hop can look at nothing, and a sentence must score above 0 to be
    /// looked at. The paper does not say it, but so do the authors' programs, which pad memories with zeros; without it short stories are learned by heart (a bAbI task of yes or no: 22 % wrong in place of 6 %). True by default.
    /// </summary>
    public bool EmptyPlaces { get; init; } = true;

    /// <summary>
    /// Whether the order of a sentence's words counts: each word's vector is weighed by its position, lₖⱼ = 1 + 4 (k − (E+1)/2) (j − (J+1)/2) / (E J). This is the paper's formula times 2 and with positions from the
    /// middle, as in the authors' program. True by default; else a sentence is a bag of words, their plain sum.
    /// </summary>
    public bool PositionEncoding { get; init; } = true;

    /// <summary>J in the position encoding: null, the default, for each sentence's own number of words, as in the paper; a number, such as the words of the longest sentence, for the same weights in sentences of all lengths, as in
    /// the authors' program.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int? PositionLength
    {
        get;
        init => field = OptionRange.AtLeast(1, value, nameof(PositionLength));
    }

    /// <summary>Whether memories know their order: a learned vector for each age, the newest sentence first, is added to theirs. True by default.</summary>
    public bool TemporalEncoding { get; init; } = true;

    /// <summary>
    /// Noise of the ages in training, for regularisation ("random noise", RN): up to this part of a story's sentences is left empty in between at random, which moves the ages of the older ones. 0.1 by default, from 0 (none)
    /// to below 1.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not from [0, 1).</exception>
    public double TimeNoise
    {
        get;
        init => field = OptionRange.BelowOne(value, nameof(TimeNoise));
    } = 0.1;

    /// <summary>The standard deviation of all weights at the beginning, which are normal with mean 0; 0.1 by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not above zero and finite.</exception>
    public double InitialDeviation
    {
        get;
        init => field = OptionRange.AboveZero(value, nameof(InitialDeviation));
    } = 0.1;

    /// <summary>The seed of the weights and of the noise, each part of which draws numbers of its own. Null for the next one of the process (see <see cref="RandomSource.SetSeed"/>), so that two models differ.</summary>
    public ulong? Seed { get; init; }

    /// <summary>A source that gives the seed, by one number, in place of <see cref="Seed"/>; null for none.</summary>
    public RandomSource? Random { get; init; }
}
