using Rnn.Tensors;

namespace Samples;

/// <summary>Texts and what belongs to each: what a model that turns one sequence into another learns from.</summary>
/// <param name="Sources">What is read.</param>
/// <param name="Targets">What is to be written, one for each source; a source that comes several times has several right targets.</param>
public sealed record TextPairs(IReadOnlyList<string> Sources, IReadOnlyList<string> Targets)
{
    /// <summary>The number of pairs.</summary>
    public int Count => Sources.Count;

    /// <summary>A file with a pair on each line, source TAB target; what follows a second TAB is left out, and so are empty lines.</summary>
    /// <exception cref="InputException">There is no such file, or a line has no TAB.</exception>
    public static TextPairs Read(string path)
    {
        var (sources, targets, number) = (new List<string>(), new List<string>(), 0);
        foreach (var line in InputFiles.ReadText("--data", path).ReplaceLineEndings("\n").Split('\n'))
        {
            number++;
            var parts = line.Split('\t');
            if (parts.Length == 1 && line.Length > 0)
            {
                throw new InputException($"--data: expected a source, a TAB and a target on each line, but line {number} of {path} has no TAB.");
            }

            if (parts.Length > 1)
            {
                sources.Add(parts[0].Trim());
                targets.Add(parts[1].Trim());
            }
        }

        return new(sources, targets);
    }

    /// <summary>Cuts the pairs in two by their sources in a random order, so that no source stands on both sides.</summary>
    /// <param name="random">Where the order comes from.</param>
    /// <param name="part">The part of the sources on the first side.</param>
    /// <exception cref="InputException">There are too few sources for two sides.</exception>
    public (TextPairs First, TextPairs Second) Split(RandomSource random, double part)
    {
        ArgumentNullException.ThrowIfNull(random);
        string[] sources = [.. Sources.Distinct()];
        random.Shuffle(sources.AsSpan());
        var first = sources.Take((int)(sources.Length * part)).ToHashSet();
        return first.Count > 0 && first.Count < sources.Length
            ? (Where((source, _) => first.Contains(source)), Where((source, _) => !first.Contains(source)))
            : throw new InputException($"--data: expected pairs with two different sources or more, to learn from and to test on, but got {sources.Length}.");
    }

    /// <summary>The pairs that a condition holds of.</summary>
    public TextPairs Where(Func<string, string, bool> condition)
    {
        (string Source, string Target)[] chosen = [.. Sources.Zip(Targets).Where(pair => condition(pair.First, pair.Second))];
        return new([.. chosen.Select(pair => pair.Source)], [.. chosen.Select(pair => pair.Target)]);
    }

    /// <summary>Each source once, in the order in which they come first, with all its targets.</summary>
    public (IReadOnlyList<string> Sources, IReadOnlyList<IReadOnlyList<string>> References) Grouped()
    {
        var groups = Sources.Zip(Targets).GroupBy(pair => pair.First, pair => pair.Second).ToArray();
        return ([.. groups.Select(group => group.Key)], [.. groups.Select(group => group.ToArray())]);
    }
}
