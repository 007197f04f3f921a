using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Tests.Sequences;

/// <summary>Which tokens may be drawn: exactly the likeliest ones, at every edge.</summary>
public class SamplerChoiceTests
{
    // So hot that all tokens that may come are about as likely, and draws show them all.
    private const double Hot = 1e7;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(9)]
    [InlineData(33)]
    public void Top_k_draws_from_the_k_likeliest_and_from_all_of_them(int count)
    {
        for (var values = 1; values <= count; values += 4)
        {
            var logits = Logits(count, values);
            var order = LikeliestFirst(logits);
            for (var k = 1; k <= count + 1; k++)
            {
                Assert.Equal(order.Take(k).Order(), Drawn(logits, new() { TopK = k, Temperature = Hot, Seed = 1 }));
            }

            Assert.Equal(order.Order(), Drawn(logits, new() { TopK = 0, Temperature = Hot, Seed = 1 }));
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(9)]
    [InlineData(20)]
    public void Top_p_draws_from_the_fewest_that_reach_the_share(int count)
    {
        for (var values = 1; values <= count; values += 3)
        {
            var logits = Logits(count, values);
            var order = LikeliestFirst(logits);
            for (var kept = 1; kept <= count; kept++)
            {
                Assert.Equal(order.Take(kept).Order(), Drawn(logits, new() { TopP = (kept - 0.5) / count, Temperature = Hot, Seed = 1 }));
            }
        }
    }

    [Fact]
    public void Top_p_is_a_share_of_what_top_k_leaves()
    {
        var logits = Logits(12, 5);
        var order = LikeliestFirst(logits);
        for (var k = 2; k <= 12; k++)
        {
            for (var kept = 1; kept <= k; kept++)
            {
                Assert.Equal(order.Take(kept).Order(), Drawn(logits, new() { TopK = k, TopP = (kept - 0.5) / k, Temperature = Hot, Seed = 1 }));
            }
        }
    }

    [Theory]
    [InlineData(0.25, 1)]
    [InlineData(0.2500001, 2)]
    [InlineData(0.5, 2)]
    [InlineData(0.75, 3)]
    [InlineData(0.7500001, 4)]
    [InlineData(1, 4)]
    public void A_share_that_is_reached_exactly_is_enough(double share, int kept) =>
        Assert.Equal(Enumerable.Range(0, kept), Drawn([3, 3, 3, 3], new() { TopP = share, Seed = 1 }));

    [Fact]
    public void Tokens_without_any_chance_are_never_drawn()
    {
        double[] logits = [double.NegativeInfinity, 1, double.NegativeInfinity, 1, double.NegativeInfinity];
        Assert.Equal([1, 3], Drawn(logits, new() { Temperature = Hot, Seed = 1 }));
        Assert.Equal([1, 3], Drawn(logits, new() { Temperature = Hot, TopK = 4, Seed = 1 }));
        Assert.Equal([1, 3], Drawn(logits, new() { Temperature = Hot, TopP = 0.999, Seed = 1 }));
        Assert.Equal([1], Drawn(logits, new() { Temperature = Hot, TopK = 1, Seed = 1 }));
        Assert.Equal([1], Drawn(logits, new() { Temperature = 0, Seed = 1 }));
    }

    // Of a few different values, so that many are equal.
    private static double[] Logits(int count, int values)
    {
        var random = new RandomSource((ulong)((100 * count) + values));
        return [.. Enumerable.Range(0, count).Select(_ => (double)random.Next(values))];
    }

    private static int[] LikeliestFirst(double[] logits) =>
        [.. Enumerable.Range(0, logits.Length).OrderByDescending(token => logits[token]).ThenBy(token => token)];

    private static SortedSet<int> Drawn(double[] logits, SamplingOptions options)
    {
        var sampler = new Sampler(options);
        var drawn = new SortedSet<int>();
        for (var i = 0; i < 60 * logits.Length; i++)
        {
            drawn.Add(sampler.Sample<double>(logits));
        }

        return drawn;
    }
}
