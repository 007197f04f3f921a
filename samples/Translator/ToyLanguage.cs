using Rnn.Tensors;
using Samples;

namespace Translator;

/// <summary>
/// English sentences and a made-up language, where words stand in another order and depend on each other: the verb comes last, adjectives come behind their nouns and end as these do, and there are no
/// articles, but a word of many has an ending of its own. "the old farmer sees two small dogs ." is "barto seno hundoj petoj du vidas .".
/// </summary>
internal static class ToyLanguage
{
    private static readonly (string English, string Toy)[] Nouns =
    [
        ("farmer", "barto"), ("dog", "hundo"), ("teacher", "lerno"), ("horse", "chevo"), ("child", "filo"), ("cat", "kata"), ("queen", "rega"), ("bird", "birda"), ("cow", "vaka"), ("girl", "nina"),
    ];

    private static readonly (string English, string Toy)[] Adjectives = [("old", "sen"), ("small", "pet"), ("red", "rug"), ("happy", "gaj"), ("clever", "sag"), ("strange", "mir")];

    private static readonly (string English, string Toy)[] Verbs = [("see", "vidas"), ("love", "amas"), ("hear", "audas"), ("follow", "sekvas"), ("help", "helpas"), ("find", "trovas")];

    private static readonly (string English, string Toy)[] Numbers = [("two", "du"), ("three", "tri"), ("four", "kvar")];

    /// <summary>Sentences with their translations; some come several times.</summary>
    internal static TextPairs Make(RandomSource random, int count)
    {
        var (sources, targets) = (new string[count], new string[count]);
        for (var i = 0; i < count; i++)
        {
            var (subject, who, many) = Phrase();
            var (@object, whom, _) = Phrase();
            var ((verb, does), no) = (Draw(Verbs), random.Next(4) == 0);
            sources[i] = $"{subject} {(no ? many ? "do not " : "does not " : string.Empty)}{verb}{(many || no ? string.Empty : "s")} {@object} .";
            targets[i] = $"{who} {whom} {(no ? "ne " : string.Empty)}{does} .";
        }

        return new(sources, targets);

        (string English, string Toy) Draw((string English, string Toy)[] words) => words[random.Next(words.Length)];

        (string English, string Toy, bool Many) Phrase()
        {
            var ((noun, toy), (adjective, quality), (number, how)) = (Draw(Nouns), Draw(Adjectives), Draw(Numbers));
            var (many, described) = (random.Next(3) == 0, random.Next(2) == 0);
            var plural = noun == "child" ? "children" : $"{noun}s";
            var english = $"{(many ? number : random.Next(2) == 0 ? "the" : described && adjective == "old" ? "an" : "a")} {(described ? $"{adjective} " : string.Empty)}{(many ? plural : noun)}";
            var ending = many ? "j" : string.Empty;
            return (english, $"{toy}{ending}{(described ? $" {quality}{toy[^1]}{ending}" : string.Empty)}{(many ? $" {how}" : string.Empty)}", many);
        }
    }
}
