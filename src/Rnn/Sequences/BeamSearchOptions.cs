using System.Globalization;

namespace Rnn.Sequences;

/// <summary>Options of <see cref="BeamSearch"/>.</summary>
public sealed record BeamSearchOptions
{
    /// <summary>How many hypotheses of each sequence go on after each step; 1 is greedy search.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int Width
    {
        get;
        init => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(Width), value, $"Width: expected 1 or more but got {value}.");
    } = 5;

    /// <summary>The most tokens a hypothesis may have, the end token included.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int MaximumLength
    {
        get;
        init => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(MaximumLength), value, $"MaximumLength: expected 1 or more but got {value}.");
    } = 100;

    /// <summary>The token that ends a hypothesis; null where none does, and all have <see cref="MaximumLength"/> tokens.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int? EndToken
    {
        get;
        init => field = value is null or >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(EndToken), value, $"EndToken: expected a token or null but got {value}.");
    }

    /// <summary>
    /// How much longer hypotheses are preferred: a hypothesis of L tokens is ranked by its logarithmic probability divided by ((5 + L)/6)^α (Wu et al. 2016, arXiv:1609.08144). 0, for
    /// the probability itself, prefers short ones; 0.6 to 1 is usual in translation.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public double LengthPenalty
    {
        get;
        init => field = value >= 0 && double.IsFinite(value)
            ? value
            : throw new ArgumentOutOfRangeException(
                nameof(LengthPenalty), value, string.Create(CultureInfo.InvariantCulture, $"LengthPenalty: expected 0 (none) or more but got {value}."));
    }

    /// <summary>
    /// Tokens that are never written, such as the one for unknown words, of which nobody can make anything. The probabilities of the others stay as the model gives them. Empty for none.
    /// </summary>
    /// <exception cref="ArgumentNullException">The list is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A token is negative.</exception>
    public IReadOnlyList<int> ExcludedTokens
    {
        get;
        init => field = SamplingOptions.Tokens(value, nameof(ExcludedTokens));
    } = Array.Empty<int>();

    internal double Score(double logProbability, int length) => logProbability / Math.Pow((5.0 + length) / 6, LengthPenalty);
}
