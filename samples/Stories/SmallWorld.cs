using Rnn.Tensors;

namespace Stories;

/// <summary>
/// Stories of a small world: people go from place to place, take things and leave them. Questions are of three kinds, as those of the bAbI tasks 1 to 3, and need one, two or three of the sentences: where somebody is, where a
/// thing is, where it was before.
/// </summary>
internal static class SmallWorld
{
    private static readonly string[] People = ["mary", "john", "sandra", "daniel"];
    private static readonly string[] Places = ["kitchen", "garden", "office", "bathroom", "hallway"];
    private static readonly string[] Things = ["football", "milk", "apple"];
    private static readonly string[] Going = ["went to", "moved to", "travelled to"];

    /// <summary>Questions to learn from and others to test on, the three kinds alike.</summary>
    internal static StoryTask Generate(RandomSource random, int training, int test) =>
        new(1, "a small world", [.. Enumerable.Range(0, training).Select(i => Question(random, 1 + (i % 3)))], [.. Enumerable.Range(0, test).Select(i => Question(random, 1 + (i % 3)))]);

    private static StoryText Question(RandomSource random, int kind)
    {
        while (true)
        {
            var story = new List<string>();
            var (places, holders, ways) = (new Dictionary<string, string>(), new Dictionary<string, string>(), Things.ToDictionary(thing => thing, _ => new List<string>()));
            for (var length = 2 * kind + random.Next(3 * kind); length > 0; length--)
            {
                Happen(random, kind, story, places, holders, ways);
            }

            // A thing is asked for where it has been in enough places.
            string[] asked = kind == 1 ? [.. places.Keys] : [.. Things.Where(thing => ways[thing].Count >= kind - 1)];
            if (asked.Length == 0)
            {
                continue;
            }

            var subject = asked[random.Next(asked.Length)];
            return kind switch
            {
                1 => new([.. story], $"where is {subject}", places[subject], kind),
                2 => new([.. story], $"where is the {subject}", ways[subject][^1], kind),
                _ => new([.. story], $"where was the {subject} before the {ways[subject][^1]}", ways[subject][^2], kind),
            };
        }
    }

    private static void Happen(
        RandomSource random, int kind, List<string> story, Dictionary<string, string> places, Dictionary<string, string> holders, Dictionary<string, List<string>> ways)
    {
        var person = Of(random, People);
        string[] held = [.. Things.Where(thing => holders.GetValueOrDefault(thing) == person)];
        var free = Things.Except(holders.Keys).ToArray();
        if (kind == 1 || !places.TryGetValue(person, out var here) || random.Next(2) == 0)
        {
            var place = Of(random, [.. Places.Where(place => place != places.GetValueOrDefault(person))]);
            places[person] = place;
            story.Add($"{person} {Of(random, Going)} the {place}");
            Array.ForEach(held, thing => ways[thing].Add(place));
        }
        else if (held.Length > 0 && random.Next(2) == 0)
        {
            var thing = Of(random, held);
            holders.Remove(thing);
            story.Add($"{person} dropped the {thing}");
        }
        else if (free.Where(thing => ways[thing].Count == 0 || ways[thing][^1] == here).ToArray() is { Length: > 0 } near)
        {
            // A thing that nobody has had yet lies where it is found.
            var thing = Of(random, near);
            holders[thing] = person;
            story.Add($"{person} took the {thing}");
            if (ways[thing].Count == 0)
            {
                ways[thing].Add(here);
            }
        }
    }

    private static string Of(RandomSource random, string[] choices) => choices[random.Next(choices.Length)];
}
