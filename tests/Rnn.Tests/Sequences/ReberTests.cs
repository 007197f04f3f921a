using System.Text.RegularExpressions;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Tests.Sequences;

/// <summary>Reber's grammar against a second statement of it, as one expression.</summary>
public partial class ReberTests
{
    // What follows state 2, what follows state 0, and the same symbol around.
    private const string FromTwo = "T*V(?:PXT*V)*(?:V|PS)";
    private const string Inner = $"B(?:TS*X(?:S|X{FromTwo})|P{FromTwo})E";

    [Fact]
    public void Strings_are_those_of_the_grammar()
    {
        var random = new RandomSource(1);
        for (var i = 0; i < 2000; i++)
        {
            Assert.Matches(Plain(), Text(ReberGrammar.Plain.Generate(random)));
            var text = ReberGrammar.Embedded.Generate(random);
            Assert.Matches(Embedded(), Text(text));
            Assert.True(ReberGrammar.Embedded.Contains(text));
            Assert.Equal(text[1], text[^2]);
        }
    }

    // All texts of up to seven symbols, and strings of the grammar with one symbol changed.
    [Fact]
    public void The_automaton_accepts_what_the_expression_matches()
    {
        Assert.Equal((7, 19), (ReberGrammar.Plain.States, ReberGrammar.Embedded.States));
        var accepted = 0;
        for (var length = 0; length <= 7; length++)
        {
            for (var number = 0; number < Math.Pow(7, length); number++)
            {
                var (symbols, rest) = (new int[length], number);
                for (var i = 0; i < length; i++)
                {
                    (symbols[i], rest) = (rest % 7, rest / 7);
                }

                // The expression is slow: only texts that begin with B can be strings.
                var expected = length > 0 && symbols[0] == 0 && Plain().IsMatch(Text(symbols));
                Assert.Equal(expected, ReberGrammar.Plain.Contains(symbols));
                accepted += expected ? 1 : 0;
            }
        }

        Assert.True(accepted > 5);
        var random = new RandomSource(2);
        for (var i = 0; i < 5000; i++)
        {
            var text = ReberGrammar.Embedded.Generate(random);
            text[random.Next(text.Length)] = random.Next(7);
            Assert.Equal(Embedded().IsMatch(Text(text)), ReberGrammar.Embedded.Contains(text));
        }

        Assert.False(ReberGrammar.Embedded.Contains([0, 7]));
        Assert.Throws<ArgumentOutOfRangeException>(() => ReberGrammar.Plain.Legal(7));
        Assert.Throws<ArgumentOutOfRangeException>(() => ReberGrammar.Plain.Next(-1, 0));
    }

    // XXV needs the edge by which X leads back to state 2, VPS and VPX the one by which P leads to state 3; generators that forget them make a much easier language.
    [Theory]
    [InlineData("XXV")]
    [InlineData("VPS")]
    [InlineData("VPX")]
    [InlineData("TVV")]
    [InlineData("XXT")]
    public void Strings_cross_over_between_the_branches(string part)
    {
        var random = new RandomSource(3);
        Assert.Contains(Enumerable.Range(0, 2000).Select(_ => Text(ReberGrammar.Plain.Generate(random))), text => text.Contains(part, StringComparison.Ordinal));
    }

    // The edges by their states in the table of the literature, 0:T→1 and so on; state 0 stands at 1 here, after the B.
    [Fact]
    public void All_edges_occur_equally_often_where_there_are_two()
    {
        var edges = "0T1 0P2 1X3 1S1 2V4 2T2 3X2 3S5 4P3 4V5".Split(' ').ToDictionary(edge => edge, _ => 0);
        var random = new RandomSource(4);
        for (var i = 0; i < 20_000; i++)
        {
            var text = ReberGrammar.Plain.Generate(random);
            var state = ReberGrammar.Plain.Next(ReberGrammar.Start, text[0]);
            foreach (var symbol in text[1..^1])
            {
                var next = ReberGrammar.Plain.Next(state, symbol);
                edges[$"{state - 1}{ReberGrammar.Letters[symbol]}{next - 1}"]++;
                state = next;
            }
        }

        foreach (var pair in edges.GroupBy(edge => edge.Key[0]))
        {
            Assert.Equal(0.5, (double)pair.First().Value / pair.Sum(edge => edge.Value), 0.02);
        }
    }

    // A symbol may come after a prefix when some string goes on so: every prefix of many strings is followed by exactly those that may.
    [Fact]
    public void Right_answers_are_those_that_occur()
    {
        var batch = new ReberStrings(20_000, new RandomSource(2)).First();
        var seen = new Dictionary<string, (int Count, uint Followers, uint Right)>();
        for (var row = 0; row < batch.Rows; row++)
        {
            var letters = Text(batch.Tokens.Slice(row * batch.Steps, batch.Lengths[row]));
            for (var t = 0; t < letters.Length; t++)
            {
                var i = (row * batch.Steps) + t;
                var prefix = letters[..(t + 1)];
                var (count, followers, right) = seen.GetValueOrDefault(prefix, (0, 0u, batch.RightAnswers[i]));
                Assert.Equal(right, batch.RightAnswers[i]);
                seen[prefix] = (count + 1, followers | (1u << batch.Targets[i]), right);
            }

            Assert.Matches(Embedded(), $"{letters}{ReberGrammar.Letters[batch.Targets[(row * batch.Steps) + letters.Length - 1]]}");
        }

        var frequent = seen.Values.Where(entry => entry.Count >= 40).ToList();
        Assert.True(frequent.Count > 300, $"{frequent.Count} frequent prefixes");
        Assert.All(frequent, entry => Assert.Equal(entry.Right, entry.Followers));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 17)]
    [InlineData(17, 3)]
    public void A_stream_is_strings_one_after_another(int rows, int steps)
    {
        var source = new ReberStream(rows, steps, new RandomSource(5));
        var texts = Enumerable.Range(0, rows).Select(_ => new List<int>()).ToArray();
        foreach (var (window, index) in source.Take(600 / steps).Select((window, index) => (window, index)))
        {
            Assert.Equal((rows, steps, steps, rows * steps), (window.Rows, window.Steps, window.CarrySteps, window.TargetCount));
            Assert.All(window.Starts.ToArray(), start => Assert.Equal(index == 0, start));
            Assert.True(window.ValidSteps.IsEmpty);
            for (var row = 0; row < rows; row++)
            {
                // Each window goes on with the symbol that the one before ended with as a target.
                var inputs = window.Inputs.Slice(row * steps, steps);
                Assert.True(index == 0 || texts[row][^1] == inputs[0]);
                texts[row].AddRange(index == 0 ? inputs[..1] : []);
                texts[row].AddRange(window.Targets.Slice(row * steps, steps));
                Assert.Equal(inputs[1..], window.Targets.Slice(row * steps, steps - 1));
            }
        }

        Assert.Equal(rows, texts.Select(text => Text(text.ToArray())).Distinct().Count());
        foreach (var text in texts)
        {
            var letters = Text(text.ToArray());
            var whole = Stream().Match(letters);
            Assert.True(whole.Success && whole.Length > letters.Length - 100, letters);
            Assert.Contains("EB", letters, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_stream_goes_on_from_a_place()
    {
        var source = new ReberStream(3, 7, new RandomSource(6));
        for (var i = 0; i < 9; i++)
        {
            Assert.True(source.MoveNext());
        }

        var state = new Rnn.Formats.StateValues();
        source.SaveState(state);
        var resumed = new ReberStream(3, 7, new RandomSource(60));
        resumed.RestoreState(state);
        using var ahead = new ReberStream(3, 7, new RandomSource(60)).Prefetch();
        ahead.RestoreState(state);
        for (var i = 0; i < 5; i++)
        {
            Assert.True(source.MoveNext() && resumed.MoveNext() && ahead.MoveNext());
            Assert.Equal(source.Current.Targets, resumed.Current.Targets);
            Assert.Equal(source.Current.Targets, ahead.Current.Targets);
            Assert.Equal(source.Current.Inputs, ahead.Current.Inputs);
        }

        Assert.Equal("ReberStream 19 states, 3 rows, windows of 7 steps", source.Identity);
    }

    private static string Text(ReadOnlySpan<int> symbols)
    {
        var letters = new char[symbols.Length];
        for (var i = 0; i < letters.Length; i++)
        {
            letters[i] = ReberGrammar.Letters[symbols[i]];
        }

        return new(letters);
    }

    [GeneratedRegex($"^{Inner}$")]
    private static partial Regex Plain();

    [GeneratedRegex($"^B(?:T{Inner}T|P{Inner}P)E$")]
    private static partial Regex Embedded();

    [GeneratedRegex($"^(?:B(?:T{Inner}T|P{Inner}P)E)+")]
    private static partial Regex Stream();
}
