namespace Rnn.Sequences;

/// <summary>Options of a <see cref="CharVocabulary"/>.</summary>
public sealed record CharVocabularyOptions
{
    /// <summary>Whether there is a token for characters that the vocabulary does not have; without it they are an error.</summary>
    public bool Unknown { get; init; }

    /// <summary>Whether there are tokens that begin and end a sequence.</summary>
    public bool BeginAndEnd { get; init; }

    /// <summary>How often a character must come in the text to get a token of its own.</summary>
    public int MinCount { get; init; } = 1;

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
    public int MinCount { get; init; } = 1;

    /// <summary>The most tokens there may be, special ones included: the most frequent words are kept. 0 for no limit.</summary>
    public int MaxSize { get; init; }

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

/// <summary>What options of vocabularies refuse.</summary>
internal static class VocabularyChecks
{
    internal static void Check(bool unknown, int minCount, int maxSize)
    {
        if (minCount < 1)
        {
            throw new ArgumentException($"MinCount: expected 1 or more but got {minCount}.", nameof(minCount));
        }

        if (maxSize < 0)
        {
            throw new ArgumentException($"MaxSize: expected 0 (no limit) or more but got {maxSize}.", nameof(maxSize));
        }

        if (!unknown && (minCount > 1 || maxSize > 0))
        {
            throw new ArgumentException(
                $"Unknown: a vocabulary that leaves tokens out ({(minCount > 1 ? $"MinCount {minCount}" : $"MaxSize {maxSize}")}) needs one for what is left; set Unknown to true.",
                nameof(unknown));
        }
    }
}
