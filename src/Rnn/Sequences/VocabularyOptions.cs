namespace Rnn.Sequences;

/// <summary>Options of a <see cref="CharVocabulary"/>.</summary>
public sealed record CharVocabularyOptions
{
    /// <summary>Whether there is a token for characters that the vocabulary does not have; without it they are an error.</summary>
    public bool Unknown { get; init; }

    /// <summary>Whether there are tokens that begin and end a sequence.</summary>
    public bool BeginAndEnd { get; init; }

    /// <summary>How often a character must come in the text to get a token of its own.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1.</exception>
    public int MinCount
    {
        get;
        init => field = OptionRange.AtLeast(1, value, nameof(MinCount));
    } = 1;

    internal void Check() => VocabularyChecks.Check(Unknown, MinCount, 0);
}

/// <summary>Options of a <see cref="WordVocabulary"/>.</summary>
public sealed record WordVocabularyOptions
{
    /// <summary>Whether there is a token for words that the vocabulary does not have; without it they are an error.</summary>
    public bool Unknown { get; init; } = true;

    /// <summary>Whether there are tokens that begin and end a sequence.</summary>
    public bool BeginAndEnd { get; init; }

    /// <summary>How often a word must come in the text to get a token of its own.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1.</exception>
    public int MinCount
    {
        get;
        init => field = OptionRange.AtLeast(1, value, nameof(MinCount));
    } = 1;

    /// <summary>The most tokens there may be, special ones included: the most frequent words are kept. 0 for no limit.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int MaxSize
    {
        get;
        init => field = OptionRange.AtLeast(0, value, nameof(MaxSize));
    }

    /// <summary>Whether text is turned into lower case.</summary>
    public bool Lowercase { get; init; }

    internal void Check()
    {
        VocabularyChecks.Check(Unknown, MinCount, MaxSize);
        var special = (Unknown ? 1 : 0) + (BeginAndEnd ? 2 : 0);
        if (MaxSize > 0 && MaxSize <= special)
        {
            throw new ArgumentException($"MaxSize: expected more than the {special} special tokens, or 0 for no limit, but got {MaxSize}.", nameof(MaxSize));
        }
    }
}

/// <summary>Checks of the options of vocabularies.</summary>
internal static class VocabularyChecks
{
    internal static void Check(bool unknown, int minCount, int maxSize)
    {
        if (!unknown && (minCount > 1 || maxSize > 0))
        {
            throw new ArgumentException(
                $"Unknown: a vocabulary that leaves tokens out ({(minCount > 1 ? $"MinCount {minCount}" : $"MaxSize {maxSize}")}) needs one for what is left; set Unknown to true.",
                nameof(unknown));
        }
    }
}
