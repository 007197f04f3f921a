using Rnn.Sequences;

namespace Rnn.Tests.Sequences;

public sealed class EditDistanceTests
{
    [Theory]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("", "abc", 3)]
    [InlineData("abc", "", 3)]
    [InlineData("", "", 0)]
    [InlineData("flaw", "lawn", 2)]
    [InlineData("same", "same", 0)]
    [InlineData("intention", "execution", 5)]
    public void Distances_are_those_of_textbooks(string first, string second, int distance)
    {
        Assert.Equal(distance, EditDistance.Between(first, second));
        Assert.Equal(distance, EditDistance.Between(second, first));
    }

    [Fact]
    public void Distances_are_the_shortest_of_all_edits()
    {
        // All strings of up to 4 letters over two: the distance by breadth-first search over single edits.
        var words = Enumerable.Range(0, 5).SelectMany(length => Enumerable.Range(0, 1 << length).Select(bits => new string([.. Enumerable.Range(0, length).Select(i => (bits >> i) % 2 == 0 ? 'a' : 'b')]))).ToArray();
        foreach (var start in words)
        {
            var distances = new Dictionary<string, int> { [start] = 0 };
            var queue = new Queue<string>([start]);
            while (queue.TryDequeue(out var word))
            {
                foreach (var next in Edits(word).Where(next => next.Length <= 5 && !distances.ContainsKey(next)))
                {
                    distances[next] = distances[word] + 1;
                    queue.Enqueue(next);
                }
            }

            Assert.All(words, word => Assert.Equal(distances[word], EditDistance.Between(start, word)));
        }

        static IEnumerable<string> Edits(string word)
        {
            for (var i = 0; i <= word.Length; i++)
            {
                foreach (var letter in "ab")
                {
                    yield return word.Insert(i, $"{letter}");
                    if (i < word.Length)
                    {
                        yield return $"{word[..i]}{letter}{word[(i + 1)..]}";
                    }
                }

                if (i < word.Length)
                {
                    yield return word.Remove(i, 1);
                }
            }
        }
    }

    [Fact]
    public void The_word_error_rate_divides_all_errors_by_all_words()
    {
        string[][] expected = ["the cat sat".Split(' '), "a b c d e".Split(' ')];
        string[][] predicted = ["the cat".Split(' '), "a x c d e f".Split(' ')];
        Assert.Equal(3.0 / 8, EditDistance.ErrorRate(expected, predicted), 12);
    }

    [Fact]
    public void Wrong_inputs_are_named()
    {
        Assert.Contains("expected 1 sequences", Assert.Throws<ArgumentException>(() => EditDistance.ErrorRate<int>([[1]], [])).Message);
        Assert.Contains("no elements", Assert.Throws<ArgumentException>(() => EditDistance.ErrorRate<int>([[]], [[1]])).Message);
        Assert.Throws<ArgumentNullException>(() => EditDistance.Between(null!, "a"));
    }
}
