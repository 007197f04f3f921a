using System.Diagnostics;
using Rnn.Layers;
using Rnn.Training;
using Xunit.Abstractions;

namespace Rnn.Tests.Learning;

/// <summary>What the layers must be able to learn, each in seconds.</summary>
public class LearningTests(ITestOutputHelper output)
{
    /// <summary>
    /// 256 strings to learn from; a network that ranks all legal symbols first on 256 others is taken, and then 256 more must be
    /// predicted without one illegal symbol.
    /// </summary>
    [Theory]
    [InlineData("lstm")]
    [InlineData("lstm-peephole")]
    [InlineData("lstm-coupled")]
    public void Learns_the_embedded_Reber_grammar(string cell)
    {
        var train = ReberGrammar.GenerateMany(256, seed: 1);
        var test = ReberGrammar.GenerateMany(256, seed: 2);
        var choice = ReberGrammar.GenerateMany(256, seed: 3);
        for (var seed = 1; seed <= 6; seed++)
        {
            var watch = Stopwatch.StartNew();
            var network = LearnReber(cell, train, seed);
            var (legal, ranked) = network.Measure(choice);
            output.WriteLine($"{cell}, seed {seed}: legal {legal:P2}, strings ranked right {ranked:P1}, {watch.Elapsed.TotalSeconds:F1} s");
            if (ranked == 1)
            {
                (legal, ranked) = network.Measure(test);
                output.WriteLine($"{cell}: of the test strings' next symbols legal {legal:P2}, strings ranked right {ranked:P1}");
                Assert.Equal(1, legal);
                return;
            }
        }

        Assert.Fail("No network learned the grammar.");
    }

    [Fact]
    public void Counts_further_than_it_was_taught()
    {
        var counts = Enumerable.Range(1, 3).Select(seed => Count("lstm", seed, updates: 1000, taught: 20, limit: 100)).ToList();
        output.WriteLine($"taught to 20, counts to {string.Join(", ", counts)}");
        Assert.All(counts, count => Assert.True(count >= 20));
        Assert.True(counts.Max() >= 30);
    }

    [Theory]
    [InlineData("lstm")]
    [InlineData("gru")]
    public void Learns_to_add(string cell)
    {
        const int steps = 30;
        var network = new SumNetwork(RecurrentLayer<float>.Create(cell, 2, 32, new() { Seed = 1 }));
        var (error, updates) = network.Learn(AddingProblem.Generate(new Random(99), 500, steps), steps, rate: 0.01, updates: 1500, target: 0.01);
        output.WriteLine($"{cell}, {steps} steps: error {error:F4} after {updates} updates (always answering 1: {AddingProblem.Baseline:F4})");
        Assert.True(error < 0.01);
    }

    internal static SymbolNetwork LearnReber(string cell, SymbolString[] strings, int seed)
    {
        var network = new SymbolNetwork(RecurrentLayer<float>.Create(cell, ReberGrammar.Alphabet.Length, 16, new() { Seed = (ulong)seed }));
        network.Learn(strings, epochs: 100, batch: 8, rate: 0.02, seed);
        return network;
    }

    /// <summary>Teaches aⁿbⁿ with n up to <paramref name="taught"/> and tells how far the network counts.</summary>
    internal static int Count(string cell, int seed, int updates, int taught, int limit)
    {
        var network = new SymbolNetwork(RecurrentLayer<float>.Create(cell, CountingLanguage.Alphabet.Length, 4, new() { Seed = (ulong)seed }));
        var optimizer = new Adam<float>(network);
        var random = new Random(seed);
        var batch = new SymbolString[16];
        for (var update = 0; update < updates; update++)
        {
            optimizer.LearningRate = 0.05 * SymbolNetwork.Fading(update, updates);
            for (var i = 0; i < batch.Length; i++)
            {
                batch[i] = CountingLanguage.AnBn(1 + random.Next(taught));
            }

            network.Learn(batch, optimizer);
        }

        return CountingLanguage.CountsUpTo(text => network.Score([text])[0], limit);
    }
}
