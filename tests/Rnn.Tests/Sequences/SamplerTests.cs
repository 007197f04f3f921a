using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Tests.Sequences;

public class SamplerTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(17)]
    [InlineData(129)]
    public void Temperature_zero_takes_the_likeliest_and_the_lower_of_equals(int count)
    {
        var random = new RandomSource(7);
        var sampler = new Sampler(new() { Temperature = 0 });
        for (var round = 0; round < 20; round++)
        {
            var logits = new float[count];
            random.FillNormal(logits.AsSpan());
            var expected = Array.IndexOf(logits, logits.Max());
            logits[^1] = logits.Max();
            Assert.Equal(expected, sampler.Sample<float>(logits));
            Assert.Equal(expected, new Sampler(new() { TopK = 1, Temperature = 3 }).Sample<float>(logits));
        }
    }

    [Fact]
    public void Frequencies_follow_the_softmax_of_the_scores_over_the_temperature()
    {
        double[] logits = [0.5, -1, 2, double.NegativeInfinity, 1.25];
        foreach (var temperature in new[] { 0.5, 1, 2 })
        {
            var weights = logits.Select(logit => Math.Exp(logit / temperature)).ToArray();
            CheckFrequencies(logits, new() { Temperature = temperature, Seed = 3 }, [.. weights.Select(weight => weight / weights.Sum())]);
        }
    }

    [Fact]
    public void Top_k_keeps_the_likeliest_and_their_ratios()
    {
        double[] logits = [Math.Log(1), Math.Log(4), Math.Log(3), Math.Log(3), Math.Log(2)];
        CheckFrequencies(logits, new() { TopK = 2, Seed = 1 }, [0, 4 / 7.0, 3 / 7.0, 0, 0]);
        CheckFrequencies(logits, new() { TopK = 3, Seed = 1 }, [0, 0.4, 0.3, 0.3, 0]);
        CheckFrequencies(logits, new() { TopK = 9, Seed = 1 }, [1 / 13.0, 4 / 13.0, 3 / 13.0, 3 / 13.0, 2 / 13.0]);
    }

    [Fact]
    public void Top_p_keeps_the_fewest_that_reach_the_share()
    {
        double[] logits = [Math.Log(1), Math.Log(4), Math.Log(3), Math.Log(2)];
        CheckFrequencies(logits, new() { TopP = 0.39, Seed = 1 }, [0, 1, 0, 0]);
        CheckFrequencies(logits, new() { TopP = 0.41, Seed = 1 }, [0, 4 / 7.0, 3 / 7.0, 0]);
        CheckFrequencies(logits, new() { TopP = 0.71, Seed = 1 }, [0, 4 / 9.0, 3 / 9.0, 2 / 9.0]);
        CheckFrequencies(logits, new() { TopP = 1e-9, Seed = 1 }, [0, 1, 0, 0]);

        // Of the two that top-k leaves, the share counts anew: 4 of 7 is more than half.
        CheckFrequencies(logits, new() { TopP = 0.5, TopK = 2, Seed = 1 }, [0, 1, 0, 0]);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(37)]
    [InlineData(1000)]
    public void Top_k_agrees_with_sorting(int count)
    {
        var random = new RandomSource((ulong)count);
        for (var round = 0; round < 50; round++)
        {
            // Few different values, so that many are equal.
            var weights = Enumerable.Range(0, count).Select(_ => (double)random.Next(1 + (count / 3))).ToArray();
            var kept = 1 + random.Next(count);
            var expected = Enumerable.Range(0, count).OrderByDescending(i => weights[i]).ThenBy(i => i).ToArray();
            var (values, tokens) = ((double[])weights.Clone(), Enumerable.Range(0, count).ToArray());
            TopK.Select(values, tokens, kept);
            Assert.Equal(expected[..kept].Order(), tokens[..kept]);
            Assert.Equal(tokens.Select(token => weights[token]), values);
            (values, tokens) = ((double[])weights.Clone(), Enumerable.Range(0, count).ToArray());
            TopK.SortDescending(values, tokens);
            Assert.Equal(expected, tokens);
        }
    }

    [Fact]
    public void The_same_seed_gives_the_same_tokens_and_another_gives_others()
    {
        var logits = new float[50];
        var options = new SamplingOptions { Temperature = 1.5, TopK = 20, TopP = 0.9, Seed = 11 };
        Assert.Equal(Draw(options), Draw(options));
        Assert.NotEqual(Draw(options), Draw(options with { Seed = 12 }));
        int[] Draw(SamplingOptions wanted)
        {
            var sampler = new Sampler(wanted);
            return [.. Enumerable.Range(0, 40).Select(_ => sampler.Sample<float>(logits))];
        }
    }

    [Fact]
    public void Nothing_is_allocated_after_the_first_call()
    {
        var logits = new float[300];
        new RandomSource(1).FillNormal(logits.AsSpan());
        var sampler = new Sampler(new() { TopK = 40, TopP = 0.9 });
        Draw(sampler, logits, 100);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Draw(sampler, logits, 100);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        static void Draw(Sampler sampler, float[] logits, int count)
        {
            for (var i = 0; i < count; i++)
            {
                sampler.Sample<float>(logits);
            }
        }
    }

    [Fact]
    public void Excluded_tokens_are_not_drawn_and_the_others_share_their_probability()
    {
        double[] logits = [Math.Log(0.2), Math.Log(0.5), Math.Log(0.3)];
        CheckFrequencies(logits, new() { ExcludedTokens = [1], Seed = 3 }, [0.4, 0, 0.6]);
        var greedy = new SamplingOptions { Temperature = 0, ExcludedTokens = [1] };
        Assert.Equal(2, new Sampler(greedy).Sample<double>(logits));
        Assert.Equal(0, new Sampler(greedy with { ExcludedTokens = [2, 1, 2] }).Sample<double>(logits));
        var sampler = new Sampler(new() { ExcludedTokens = [1], TopK = 1 });
        Assert.Equal(2, sampler.Sample<double>(logits));
        var before = GC.GetAllocatedBytesForCurrentThread();
        sampler.Sample<double>(logits);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Contains("the ExcludedTokens leave none", Assert.Throws<ArgumentException>(() => new Sampler(greedy with { ExcludedTokens = [0, 1, 2] }).Sample<double>(logits)).Message, StringComparison.Ordinal);
        Assert.StartsWith("ExcludedTokens: expected tokens from 0 to 2 but got 3", Assert.Throws<ArgumentException>(() => new Sampler(new() { ExcludedTokens = [3] }).Sample<double>(logits)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>(() => greedy with { ExcludedTokens = null! });
    }

    [Fact]
    public void Impossible_options_and_scores_are_refused()
    {
        Assert.Contains("Temperature: expected 0 (greedy) or more but got -1", Error(() => new SamplingOptions { Temperature = -1 }), StringComparison.Ordinal);
        Assert.Contains("Temperature", Error(() => new SamplingOptions { Temperature = double.NaN }), StringComparison.Ordinal);
        Assert.Contains("TopK: expected 0 (all tokens) or more but got -2", Error(() => new SamplingOptions { TopK = -2 }), StringComparison.Ordinal);
        Assert.Contains("TopP: expected more than 0 and at most 1", Error(() => new SamplingOptions { TopP = 0 }), StringComparison.Ordinal);
        Assert.Contains("TopP", Error(() => new SamplingOptions { TopP = 1.01 }), StringComparison.Ordinal);
        Assert.Contains("StopToken", Error(() => new SamplingOptions { StopToken = -1 }), StringComparison.Ordinal);
        Assert.Contains("ExcludedTokens: expected tokens of the vocabulary but got -1", Error(() => new SamplingOptions { ExcludedTokens = [2, -1] }), StringComparison.Ordinal);
        Assert.Contains("logits: expected one score", Error(() => new Sampler().Sample<float>([])), StringComparison.Ordinal);
        Assert.Contains("the score of token 1 is NaN", Error(() => new Sampler().Sample<float>([0, float.NaN, 3])), StringComparison.Ordinal);
        Assert.Contains("token 2", Error(() => new Sampler().Sample<double>([0, 1, double.PositiveInfinity])), StringComparison.Ordinal);
        Assert.Contains("logits", Error(() => new Sampler().Sample<double>([double.NegativeInfinity])), StringComparison.Ordinal);
        static string Error(Func<object> make) => Assert.ThrowsAny<ArgumentException>(make).Message;
    }

    private static void CheckFrequencies(double[] logits, SamplingOptions options, double[] expected)
    {
        const int draws = 20_000;
        var sampler = new Sampler(options);
        var counts = new int[logits.Length];
        for (var i = 0; i < draws; i++)
        {
            counts[sampler.Sample<double>(logits)]++;
        }

        for (var i = 0; i < counts.Length; i++)
        {
            // Five standard deviations of a binomial count; what must not come never does.
            var deviation = Math.Sqrt(draws * expected[i] * (1 - expected[i]));
            Assert.InRange(counts[i], (draws * expected[i]) - (5 * deviation), (draws * expected[i]) + (5 * deviation));
        }
    }
}
