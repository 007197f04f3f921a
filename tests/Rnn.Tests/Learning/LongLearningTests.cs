using System.Diagnostics;
using Rnn.Layers;
using Rnn.Tests.Oracles;
using Xunit.Abstractions;

namespace Rnn.Tests.Learning;

/// <summary>The tasks at full length, with a table of what was reached; run by the command of <see cref="LongFactAttribute"/>.</summary>
public class LongLearningTests(ITestOutputHelper output)
{
    // The plain network with tanh is shown beside the others: it stays at the baseline. With relu and the identity it is the IRNN.
    [LongTheory]
    [InlineData("lstm", 100, 4000, 0.01, true)]
    [InlineData("gru", 100, 4000, 0.01, true)]
    [InlineData("rnn-relu", 100, 6000, 0.001, false)]
    [InlineData("rnn-tanh", 100, 2000, 0.003, false)]
    [InlineData("lstm", 400, 4000, 0.01, true)]
    [InlineData("gru", 400, 4000, 0.01, true)]
    public void Adds(string cell, int steps, int updates, double rate, bool learns)
    {
        var watch = Stopwatch.StartNew();
        var initialization = cell == "rnn-relu" ? RecurrentInitialization.Identity : RecurrentInitialization.Orthogonal;
        var network = new SumNetwork(RecurrentLayer<float>.Create(cell, 2, 64, new() { Seed = 1, Initialization = initialization }));
        var (error, used) = network.Learn(AddingProblem.Generate(new Random(99), 2000, steps), steps, rate, updates, target: 0.005);
        output.WriteLine(
            $"| {cell} | {steps} steps | error {error:F4} | always answering 1: {AddingProblem.Baseline:F4} | {used} updates of 32 | {watch.Elapsed.TotalSeconds:F0} s |");
        Assert.True(error < 0.01 || !learns);
    }

    // How often one run in twenty learns the grammar without choosing among them.
    [LongTheory]
    [InlineData("lstm")]
    [InlineData("lstm-peephole")]
    [InlineData("lstm-coupled")]
    [InlineData("gru")]
    [InlineData("rnn-tanh")]
    public void Learns_the_embedded_Reber_grammar_how_often(string cell)
    {
        var watch = Stopwatch.StartNew();
        var (train, test) = (ReberGrammar.GenerateMany(256, seed: 1), ReberGrammar.GenerateMany(256, seed: 2));
        var results = Enumerable.Range(1, 20).Select(seed => LearningTests.LearnReber(cell, train, seed).Measure(test)).ToList();
        var (perfect, ranked) = (results.Count(result => result.Legal == 1), results.Count(result => result.Ranked == 1));
        output.WriteLine(
            $"| {cell} | 256 strings learnt | legal on 256 others: mean {results.Average(result => result.Legal):P2}, 100 % in {perfect} of 20 runs | all strings ranked right in {ranked} | {watch.Elapsed.TotalSeconds:F0} s |");
        Assert.True(perfect >= 10 || CellOracle.Named(cell) is not LstmOracle);
    }

    // The GRU is shown beside the others: it hardly counts beyond what it was taught.
    [LongTheory]
    [InlineData("lstm", true)]
    [InlineData("lstm-peephole", true)]
    [InlineData("gru", false)]
    public void Counts_far_beyond_what_it_was_taught(string cell, bool generalises)
    {
        const int taught = 40;
        var watch = Stopwatch.StartNew();
        var counts = Enumerable.Range(1, 8).Select(seed => LearningTests.Count(cell, seed, updates: 4000, taught, limit: 1000)).ToList();
        output.WriteLine($"| {cell} | taught to {taught} | counts to {string.Join(", ", counts)} | {watch.Elapsed.TotalSeconds:F0} s |");
        Assert.True(counts.Count(count => count > taught) >= 6 || !generalises);
        Assert.True(counts.Max() >= 3 * taught || !generalises);
    }
}
