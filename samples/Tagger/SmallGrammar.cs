using Rnn.Tensors;

namespace Tagger;

/// <summary>
/// Sentences of a small English. Many of its words are noun or verb, or adjective or noun, and only the sentence tells: in <c>the novel plants grow</c> the novel is an
/// adjective, in <c>the novel plants the roses</c> a noun. Others are made up anew each time, and only their endings tell.
/// </summary>
internal static class SmallGrammar
{
    private static readonly string[] Determiners = ["the", "a", "every", "this", "her"];
    private static readonly string[] Adjectives = ["old", "tall", "quiet", "novel", "human", "cold", "patient", "green"];
    private static readonly string[] Nouns = ["dog", "roses", "table", "river", "novel", "human", "cold", "patient", "green", "plants", "watches", "runs", "lights", "plays", "books", "guards"];
    private static readonly string[] Verbs = ["grow", "sees", "finds", "knows", "plants", "watches", "runs", "lights", "plays", "books", "guards"];
    private static readonly string[] Adpositions = ["on", "with", "near", "under"];
    private static readonly string[] Syllables = ["ba", "do", "fi", "gre", "ka", "lo", "mi", "nu", "pre", "sa", "te", "vo"];

    /// <summary>Sentences of one or two clauses.</summary>
    internal static TaggedSentences Generate(RandomSource random, int count)
    {
        var (words, tags) = (new List<string[]>(), new List<string[]>());
        for (var i = 0; i < count; i++)
        {
            var sentence = new List<(string Word, string Tag)>();
            Clause(random, sentence);
            if (random.Next(3) == 0)
            {
                sentence.Add(("and", "CCONJ"));
                Clause(random, sentence);
            }

            sentence.Add((".", "PUNCT"));
            words.Add([.. sentence.Select(pair => pair.Word)]);
            tags.Add([.. sentence.Select(pair => pair.Tag)]);
        }

        return new(words, tags);
    }

    // A clause has one verb and each noun its determiner, so that one reading alone is left of all that the words allow.
    private static void Clause(RandomSource random, List<(string Word, string Tag)> sentence)
    {
        NounPhrase(random, sentence);
        sentence.Add((Choose(random, Verbs, "izes"), "VERB"));
        if (random.Next(2) == 0)
        {
            NounPhrase(random, sentence);
        }

        if (random.Next(3) == 0)
        {
            sentence.Add((Choose(random, Adpositions, null), "ADP"));
            NounPhrase(random, sentence);
        }

        if (random.Next(4) == 0)
        {
            sentence.Add((MadeUp(random, "ly"), "ADV"));
        }
    }

    private static void NounPhrase(RandomSource random, List<(string Word, string Tag)> sentence)
    {
        if (random.Next(6) == 0)
        {
            var name = MadeUp(random, string.Empty);
            sentence.Add((char.ToUpperInvariant(name[0]) + name[1..], "PROPN"));
            return;
        }

        sentence.Add((Choose(random, Determiners, null), "DET"));
        if (random.Next(3) == 0)
        {
            sentence.Add((Choose(random, Adjectives, "ous"), "ADJ"));
        }

        sentence.Add((Choose(random, Nouns, "ness"), "NOUN"));
    }

    private static string Choose(RandomSource random, string[] words, string? ending) =>
        ending is not null && random.Next(4) == 0 ? MadeUp(random, ending) : words[random.Next(words.Length)];

    private static string MadeUp(RandomSource random, string ending) =>
        string.Concat(Enumerable.Range(0, 2 + random.Next(2)).Select(_ => Syllables[random.Next(Syllables.Length)])) + ending;
}
