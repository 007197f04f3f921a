using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Models;

/// <summary>Options of a <see cref="LanguageModel{T}"/>.</summary>
public sealed record LanguageModelOptions
{
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
    /// Whether the output layer has the embedding's table for its weights (Press and Wolf 2017, arXiv:1608.05859; Inan et al. 2017,
    /// arXiv:1611.01462). The recurrent layer's <c>OutputSize</c> must then equal its <c>InputSize</c>, if need be by a projection.
    /// </summary>
    public bool TieWeights { get; init; }

    /// <summary>
    /// Clusters of rare tokens for a large vocabulary (Grave et al. 2017, arXiv:1609.04309): the output layer is an <see cref="AdaptiveSoftmax{T}"/> with these options, whose seed is not used. Null for one score for
    /// each token. Token 0 must be the most frequent one, as in a <see cref="WordVocabulary"/>. Not together with <see cref="TieWeights"/>.
    /// </summary>
    public AdaptiveSoftmaxOptions? AdaptiveSoftmax { get; init; }

    /// <summary>
    /// The seed of the embedding, the output layer and the dropout, each of which draws numbers of its own; the recurrent layer has its own. Null for the
    /// next one of the process (see <see cref="RandomSource.SetSeed"/>), so that two models differ.
    /// </summary>
    public ulong? Seed { get; init; }

    /// <summary>A source that gives the seed, by one number, in place of <see cref="Seed"/>; null for none.</summary>
    public RandomSource? Random { get; init; }
}
