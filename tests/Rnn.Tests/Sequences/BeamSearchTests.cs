using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Tests.Sequences;

public sealed class BeamSearchTests
{
    private const int Vocabulary = 4;
    private const int End = 3;

    [Theory]
    [InlineData(0)]
    [InlineData(0.7)]
    public void A_beam_as_wide_as_all_sequences_finds_them_in_order(double lengthPenalty)
    {
        var options = new BeamSearchOptions { Width = 400, EndToken = End, MaximumLength = 4, LengthPenalty = lengthPenalty };
        var found = BeamSearch.Run(new History(rows: 1), [0], options)[0];
        var all = All([], 4).OrderByDescending(tokens => Rank(tokens, options)).ToArray();
        Assert.Equal(all.Length, found.Length);
        for (var i = 0; i < all.Length; i++)
        {
            Assert.Equal(all[i].Where(token => token != End), found[i].Tokens);
            Assert.Equal(LogProbability(all[i]), found[i].LogProbability, 10);
            Assert.Equal(Rank(all[i], options), found[i].Score, 10);
            Assert.Equal(all[i][^1] == End, found[i].IsComplete);
        }
    }

    [Fact]
    public void Excluded_tokens_are_not_written_and_change_no_probability()
    {
        var options = new BeamSearchOptions { Width = 400, EndToken = End, MaximumLength = 4, ExcludedTokens = [1] };
        var found = BeamSearch.Run(new History(rows: 1), [0], options)[0];
        var all = All([], 4).Where(tokens => !tokens.Contains(1)).OrderByDescending(tokens => Rank(tokens, options)).ToArray();
        Assert.Equal(all.Select(tokens => string.Join(' ', tokens.Where(token => token != End))), found.Select(hypothesis => string.Join(' ', hypothesis.Tokens)));
        Assert.All(all.Zip(found), pair => Assert.Equal(LogProbability(pair.First), pair.Second.LogProbability, 10));

        // What ends a sequence is the only one left; then nothing is.
        Assert.Empty(Assert.Single(BeamSearch.Run(new History(rows: 1), [0], options with { ExcludedTokens = [0, 1, 2] })[0]).Tokens);
        Assert.StartsWith("ExcludedTokens: ", Assert.Throws<ArgumentException>(() => BeamSearch.Run(new History(rows: 1), [0], options with { ExcludedTokens = [0, 1, 2, End] })).Message, StringComparison.Ordinal);
        Assert.StartsWith("ExcludedTokens: ", Assert.Throws<ArgumentOutOfRangeException>(() => BeamSearch.Run(new History(rows: 1), [0], options with { ExcludedTokens = [Vocabulary] })).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>(() => options with { ExcludedTokens = null! });
    }

    [Fact]
    public void A_beam_of_one_is_greedy()
    {
        for (ulong seed = 1; seed <= 20; seed++)
        {
            var (greedy, stepper) = (new List<int>(), new History(rows: 1, seed));
            var (token, logits) = (0, new double[Vocabulary]);
            for (var length = 0; length < 6; length++)
            {
                stepper.Step([token], logits);
                token = Array.IndexOf(logits, logits.Max());
                if (token == End)
                {
                    break;
                }

                greedy.Add(token);
            }

            var found = BeamSearch.Run(new History(rows: 1, seed), [0], new() { Width = 1, EndToken = End, MaximumLength = 6 });
            Assert.Equal(greedy, found[0][0].Tokens);
        }
    }

    [Fact]
    public void Sequences_side_by_side_find_what_each_finds_alone()
    {
        var options = new BeamSearchOptions { Width = 3, EndToken = End, MaximumLength = 5, LengthPenalty = 0.6 };
        var together = BeamSearch.Run(new History(rows: 3), [0, 1, 2], options);
        for (var start = 0; start < 3; start++)
        {
            var alone = BeamSearch.Run(new History(rows: 1), [start], options)[0];
            Assert.Equal(alone.Select(one => string.Join(' ', one.Tokens)), together[start].Select(one => string.Join(' ', one.Tokens)));
            Assert.Equal(alone.Select(one => one.Score), together[start].Select(one => one.Score));
        }
    }

    [Fact]
    public void A_wider_beam_finds_nothing_worse()
    {
        for (ulong seed = 1; seed <= 20; seed++)
        {
            var best = double.NegativeInfinity;
            foreach (var width in new[] { 1, 64, 400 })
            {
                var found = BeamSearch.Run(new History(rows: 1, seed), [0], new() { Width = width, EndToken = End, MaximumLength = 4 })[0][0];
                Assert.True(found.Score >= best - 1e-12);
                best = found.Score;
            }
        }
    }

    [Fact]
    public void Without_an_end_token_all_have_the_greatest_length()
    {
        var found = BeamSearch.Run(new History(rows: 1), [0], new() { Width = 3, MaximumLength = 4 })[0];
        Assert.Equal(3, found.Length);
        Assert.All(found, one => Assert.Equal((4, false), (one.Tokens.Length, one.IsComplete)));
    }

    [Fact]
    public void Without_sequences_nothing_is_found() => Assert.Empty(BeamSearch.Run(new History(rows: 0), []));

    [Fact]
    public void Wrong_inputs_are_named()
    {
        Assert.Contains("expected 2 tokens", Assert.Throws<ArgumentException>(() => BeamSearch.Run(new History(rows: 2), [0])).Message);
        Assert.Contains("0 to 3 but got 4", Assert.Throws<ArgumentOutOfRangeException>(() => BeamSearch.Run(new History(rows: 1), [4])).Message);
        Assert.Contains("EndToken", Assert.Throws<ArgumentOutOfRangeException>(() => BeamSearch.Run(new History(rows: 1), [0], new() { EndToken = 4 })).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new BeamSearchOptions { Width = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new BeamSearchOptions { MaximumLength = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new BeamSearchOptions { LengthPenalty = double.NaN });
        Assert.Contains("diverged", Assert.Throws<InvalidOperationException>(() => BeamSearch.Run(new Constant(double.NaN), [0])).Message);
        Assert.Throws<OperationCanceledException>(() => BeamSearch.Run(new History(rows: 1), [0], cancellationToken: new(canceled: true)));
    }

    // All sequences of up to a length: those that end, and those cut off there.
    private static IEnumerable<int[]> All(int[] begun, int length)
    {
        for (var token = 0; token < Vocabulary; token++)
        {
            int[] tokens = [.. begun, token];
            if (token == End || tokens.Length == length)
            {
                yield return tokens;
            }
            else
            {
                foreach (var longer in All(tokens, length))
                {
                    yield return longer;
                }
            }
        }
    }

    private static double Rank(int[] tokens, BeamSearchOptions options) => LogProbability(tokens) / Math.Pow((5.0 + tokens.Length) / 6, options.LengthPenalty);

    private static double LogProbability(int[] tokens)
    {
        var (stepper, logits, sum, before) = (new History(rows: 1), new double[Vocabulary], 0.0, 0);
        foreach (var token in tokens)
        {
            stepper.Step([before], logits);
            sum += logits[token] - Math.Log(logits.Sum(Math.Exp));
            before = token;
        }

        return sum;
    }

    /// <summary>A model whose scores depend on all tokens read: random numbers seeded by them.</summary>
    private sealed class History(int rows, ulong seed = 1) : ITokenStepper<double>
    {
        private ulong[] _states = [.. Enumerable.Repeat(seed, rows)];

        public int Rows => _states.Length;

        public int VocabularySize => Vocabulary;

        public void Step(ReadOnlySpan<int> tokens, Span<double> logits)
        {
            Assert.Equal((Rows, Rows * Vocabulary), (tokens.Length, logits.Length));
            for (var row = 0; row < Rows; row++)
            {
                _states[row] = unchecked((_states[row] * 31) + (ulong)tokens[row] + 17);
                var random = new RandomSource(_states[row]);
                for (var i = 0; i < Vocabulary; i++)
                {
                    logits[(row * Vocabulary) + i] = 4 * random.NextDouble();
                }
            }
        }

        public void SelectRows(ReadOnlySpan<int> rows)
        {
            var states = new ulong[rows.Length];
            for (var i = 0; i < states.Length; i++)
            {
                states[i] = _states[rows[i]];
            }

            _states = states;
        }
    }

    private sealed class Constant(double value) : ITokenStepper<double>
    {
        public int Rows => 1;

        public int VocabularySize => Vocabulary;

        public void Step(ReadOnlySpan<int> tokens, Span<double> logits) => logits.Fill(value);

        public void SelectRows(ReadOnlySpan<int> rows)
        {
        }
    }

    [Fact]
    public void A_beam_of_one_is_greedy_with_a_length_penalty_too()
    {
        // To end is likelier than to go on, but what goes on is certain from then on and would rank first.
        var found = BeamSearch.Run(new Certain(), [1], new() { Width = 1, EndToken = 0, MaximumLength = 21, LengthPenalty = 1 });
        Assert.Empty(Assert.Single(found[0]).Tokens);
        Assert.Equal(20, BeamSearch.Run(new Certain(), [1], new() { Width = 2, EndToken = 0, MaximumLength = 21, LengthPenalty = 1 })[0][0].Tokens.Length);
    }

    private sealed class Certain : ITokenStepper<double>
    {
        private int[] _steps = [0];

        public int Rows => _steps.Length;

        public int VocabularySize => 3;

        public void Step(ReadOnlySpan<int> tokens, Span<double> logits)
        {
            for (var row = 0; row < Rows; row++)
            {
                var scores = _steps[row]++ == 0 ? (double[])[Math.Log(0.5), Math.Log(0.49), Math.Log(0.01)] : _steps[row] <= 20 ? [-50, 0, -50] : [0, -50, -50];
                scores.CopyTo(logits[(row * 3)..]);
            }
        }

        public void SelectRows(ReadOnlySpan<int> rows)
        {
            var before = _steps;
            _steps = Array.ConvertAll(rows.ToArray(), row => before[row]);
        }
    }
}
