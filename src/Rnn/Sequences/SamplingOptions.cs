using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>How tokens are drawn from a model's scores: first the temperature, then the <see cref="TopK"/> likeliest of all, of these the <see cref="TopP"/>.</summary>
public sealed record SamplingOptions
{
    /// <summary>What the scores are divided by: below 1 likely tokens become more likely, above 1 all become more even. 0 always takes the likeliest (greedy).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public double Temperature
    {
        get;
        init => field = value >= 0 && double.IsFinite(value)
            ? value
            : throw OptionRange.OutOfRange(nameof(Temperature), value, "0 (greedy) or more");
    } = 1;

    /// <summary>How many of the likeliest tokens may be drawn; 0 for all.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int TopK
    {
        get;
        init => field = value >= 0
            ? value
            : throw new ArgumentOutOfRangeException(nameof(TopK), value, $"TopK: expected 0 (all tokens) or more but got {value}.");
    }

    /// <summary>
    /// The probability that the tokens which may be drawn reach together: the fewest of the likeliest ones that do; 1 for all
    /// (nucleus sampling; Holtzman et al. 2020, arXiv:1904.09751).
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not above 0 and at most 1.</exception>
    public double TopP
    {
        get;
        init => field = value is > 0 and <= 1
            ? value
            : throw OptionRange.OutOfRange(nameof(TopP), value, "more than 0 and at most 1 (all tokens)");
    } = 1;

    /// <summary>
    /// The seed of the draws: the same one gives the same tokens. Null for the next one of the process (see <see cref="RandomSource.SetSeed"/>), so that two
    /// samplers, or two texts, differ, and yet a program writes the same at every run.
    /// </summary>
    public ulong? Seed { get; init; }

    /// <summary>A source that gives the seed, by one number, in place of <see cref="Seed"/>; null for none.</summary>
    public RandomSource? Random { get; init; }

    /// <summary>The token that ends the generation and is not given out; null for none.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int? StopToken
    {
        get;
        init => field = value is null or >= 0
            ? value
            : throw new ArgumentOutOfRangeException(nameof(StopToken), value, $"StopToken: expected a token of the vocabulary or null but got {value}.");
    }

    /// <summary>
    /// Tokens that are never drawn, such as the one for unknown words; the others are drawn as if these had no probability. Empty for none. <see cref="StopToken"/> among them means that a text does not end by itself.
    /// </summary>
    /// <exception cref="ArgumentNullException">The list is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A token is negative.</exception>
    public IReadOnlyList<int> ExcludedTokens
    {
        get;
        init => field = Tokens(value, nameof(ExcludedTokens));
    } = Array.Empty<int>();

    internal static int[] Tokens(IReadOnlyList<int>? tokens, string name)
    {
        ArgumentNullException.ThrowIfNull(tokens, name);
        foreach (var token in tokens)
        {
            if (token < 0)
            {
                throw new ArgumentOutOfRangeException(name, token, $"{name}: expected tokens of the vocabulary but got {token}.");
            }
        }

        return [.. tokens];
    }
}
