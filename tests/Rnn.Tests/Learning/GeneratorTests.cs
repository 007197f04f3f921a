using System.Text.RegularExpressions;

namespace Rnn.Tests.Learning;

/// <summary>The tasks themselves: what a network is asked to learn must be right before it is asked.</summary>
public partial class GeneratorTests
{
    [Fact]
    public void Reber_strings_follow_the_grammar()
    {
        foreach (var text in ReberGrammar.GenerateMany(2000, seed: 1))
        {
            Assert.Matches(EmbeddedReber(), text.Text(ReberGrammar.Alphabet));
            Assert.Equal(text.Symbols.Length, text.Legal.Length);
        }
    }

    // XXV needs the edge 3 –X→ 2, VPS and VPX the edge 4 –P→ 3; generators that forget them make a much easier language.
    [Theory]
    [InlineData("XXV")]
    [InlineData("VPS")]
    [InlineData("VPX")]
    [InlineData("TVV")]
    [InlineData("XXT")]
    public void Reber_strings_cross_over(string part) =>
        Assert.Contains(ReberGrammar.GenerateMany(2000, seed: 1), text => text.Text(ReberGrammar.Alphabet).Contains(part, StringComparison.Ordinal));

    // A symbol is legal after a prefix when some string of the language goes on so: every prefix that occurs in many strings is
    // followed by exactly its legal symbols.
    [Fact]
    public void Legal_symbols_are_those_that_occur()
    {
        var seen = new Dictionary<string, (int Count, int Followers, int Legal)>();
        foreach (var text in ReberGrammar.GenerateMany(20_000, seed: 2))
        {
            var letters = text.Text(ReberGrammar.Alphabet);
            for (var t = 0; t < text.Predictions; t++)
            {
                var prefix = letters[..(t + 1)];
                var (count, followers, legal) = seen.GetValueOrDefault(prefix, (0, 0, text.Legal[t]));
                Assert.Equal(legal, text.Legal[t]);
                seen[prefix] = (count + 1, followers | (1 << text.Symbols[t + 1]), legal);
            }
        }

        var frequent = seen.Values.Where(entry => entry.Count >= 40).ToList();
        Assert.True(frequent.Count > 300, $"{frequent.Count} frequent prefixes");
        Assert.All(frequent, entry => Assert.Equal(entry.Legal, entry.Followers));
        Assert.All(seen.Values, entry => Assert.Equal(0, entry.Followers & ~entry.Legal));
    }

    [Fact]
    public void The_same_seed_gives_the_same_strings() => Assert.Equal(
        ReberGrammar.GenerateMany(50, seed: 7).Select(text => text.Text(ReberGrammar.Alphabet)),
        ReberGrammar.GenerateMany(50, seed: 7).Select(text => text.Text(ReberGrammar.Alphabet)));

    [Fact]
    public void Counting_strings_are_written_out()
    {
        var text = CountingLanguage.AnBn(3);
        Assert.Equal("$aaabbb$", text.Text(CountingLanguage.Alphabet));
        Assert.Equal([0b001, 0b011, 0b011, 0b011, 0b010, 0b010, 0b100, 0], text.Legal);
        Assert.Equal("$ab$", CountingLanguage.AnBn(1).Text(CountingLanguage.Alphabet));
        Assert.Equal([0b001, 0b011, 0b100, 0], CountingLanguage.AnBn(1).Legal);
    }

    // A predictor that counts right up to 5 and then calls the end one b too early.
    [Fact]
    public void Counts_up_to_finds_the_first_mistake()
    {
        static float[] Score(SymbolString text)
        {
            var n = (text.Symbols.Length - 2) / 2;
            var scores = new float[text.Symbols.Length * 3];
            for (var t = 0; t < text.Symbols.Length; t++)
            {
                var next = t == 0 ? 0 : t <= n ? 1 : t < (n > 5 ? (2 * n) - 1 : 2 * n) ? 1 : 2;
                scores[(t * 3) + next] = 1;
            }

            return scores;
        }

        Assert.Equal(5, CountingLanguage.CountsUpTo(Score, 100));
        Assert.Equal(4, CountingLanguage.CountsUpTo(Score, 4));
    }

    [Fact]
    public void Ranking_asks_for_all_legal_symbols_first()
    {
        var text = new SymbolString([0, 1, 2], [0b110, 0b100, 0]);
        Assert.True(text.RanksLegalFirst([0, 1, 2, 0, 0, 1, 9, 9, 9], 3));
        Assert.False(text.RanksLegalFirst([1, 0, 2, 0, 0, 1, 9, 9, 9], 3));
        Assert.False(text.RanksLegalFirst([0, 1, 2, 0, 1, 1, 9, 9, 9], 3));
        Assert.False(text.RanksLegalFirst([0, 1, float.NaN, float.NaN, float.NaN, float.NaN, 9, 9, 9], 3));
        Assert.Equal(2, text.CountLegal([1, 0, 2, 0, 0, 1, 9, 9, 9], 3));
        Assert.Equal(1, text.CountLegal([3, 0, 2, 0, 0, 1, 9, 9, 9], 3));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(100)]
    public void Adding_sequences_mark_two_numbers(int steps)
    {
        const int batch = 500;
        var (inputs, sums) = AddingProblem.Generate(new Random(3), batch, steps);
        var markedFirst = new int[steps];
        for (var row = 0; row < batch; row++)
        {
            var sequence = inputs.AsSpan(row * steps * 2, steps * 2).ToArray().Chunk(2).ToList();
            Assert.All(sequence, pair => Assert.InRange(pair[0], 0f, 1f));
            var marked = sequence.Where(pair => pair[1] == 1).ToList();
            Assert.Equal(2, marked.Count);
            Assert.Equal(steps - 2, sequence.Count(pair => pair[1] == 0));
            Assert.Equal(marked[0][0] + marked[1][0], sums[row]);
            markedFirst[sequence.FindIndex(pair => pair[1] == 1)]++;
        }

        Assert.True(markedFirst[0] > 0);
    }

    [Fact]
    public void The_baseline_of_the_adding_problem_is_one_sixth()
    {
        var (_, sums) = AddingProblem.Generate(new Random(4), 200_000, 2);
        var error = sums.Average(sum => (sum - 1.0) * (sum - 1.0));
        Assert.Equal(AddingProblem.Baseline, error, 2e-3);
    }

    // The grammar once more, as one expression: what follows state 2, what follows state 0, and the same symbol around.
    private const string FromTwo = "T*V(?:PXT*V)*(?:V|PS)";
    private const string Inner = $"B(?:TS*X(?:S|X{FromTwo})|P{FromTwo})E";

    [GeneratedRegex($"^B(?:T{Inner}T|P{Inner}P)E$")]
    private static partial Regex EmbeddedReber();
}
