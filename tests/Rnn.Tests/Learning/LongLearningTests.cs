using System.Diagnostics;
using Rnn.Layers;
using Xunit.Abstractions;

namespace Rnn.Tests.Learning;

/// <summary>The tasks at full length, with a table of what was reached; run by the command of <see cref="LongFactAttribute"/>.</summary>
public class LongLearningTests(ITestOutputHelper output)
{
    // The plain network is shown beside the others: it stays at the baseline.
    [LongTheory]
    [InlineData("lstm", 4000, true)]
    [InlineData("gru", 4000, true)]
    [InlineData("rnn-tanh", 2000, false)]
    public void AddsOverHundredSteps(string cell, int updates, bool learns)
    {
        const int steps = 100;
        var watch = Stopwatch.StartNew();
        var network = new SumNetwork(RecurrentLayer<float>.Create(cell, 2, 64, new() { Seed = 1 }));
        var test = AddingProblem.Generate(new Random(99), 2000, steps);
        var (error, used) = network.Learn(test, steps, rate: learns ? 0.01 : 0.003, updates, target: 0.005);
        output.WriteLine(
            $"| {cell} | T {steps} | error {error:F4} | always answering 1: {AddingProblem.Baseline:F4} | {used} updates of 32 | {watch.Elapsed.TotalSeconds:F0} s |");
        Assert.True(error < 0.01 || !learns);
    }

    // The GRU is shown beside the others: it hardly counts beyond what it was taught.
    [LongTheory]
    [InlineData("lstm", true)]
    [InlineData("lstm-peephole", true)]
    [InlineData("gru", false)]
    public void CountsFarBeyondWhatItWasTaught(string cell, bool generalises)
    {
        const int taught = 40;
        var watch = Stopwatch.StartNew();
        var counts = Enumerable.Range(1, 8).Select(seed => LearningTests.Count(cell, seed, updates: 4000, taught, limit: 1000)).ToList();
        output.WriteLine($"| {cell} | taught to {taught} | counts to {string.Join(", ", counts)} | {watch.Elapsed.TotalSeconds:F0} s |");
        Assert.True(counts.Count(count => count > taught) >= 6 || !generalises);
        Assert.True(counts.Max() >= 3 * taught || !generalises);
    }
}
