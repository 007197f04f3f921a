using System.Diagnostics;
using Rnn.Layers;
using Rnn.Training;
using Xunit.Abstractions;

namespace Rnn.Tests.Learning;

/// <summary>What the layers must be able to learn. The short tests train for seconds; the long ones run by the command of <see cref="LongFactAttribute"/>.</summary>
public class LearningTests(ITestOutputHelper output)
{
    [LongTheory]
    [InlineData("lstm")]
    [InlineData("lstm-peephole")]
    [InlineData("lstm-coupled")]
    public void LearnsTheEmbeddedReberGrammar(string cell)
    {
        for (var seed = 1; seed <= 5; seed++)
        {
            var train = ReberGrammar.GenerateMany(256, seed: 1);
            var test = ReberGrammar.GenerateMany(256, seed: 2);
            var network = new SymbolNetwork(RecurrentLayer<float>.Create(cell, ReberGrammar.Alphabet.Length, 16, new() { Seed = (ulong)seed }));
            var optimizer = new Adam<float>(network) { LearningRate = 0.01 };
            var (random, watch, updates) = (new Random(seed), Stopwatch.StartNew(), 0);
            for (var epoch = 1; epoch <= 200; epoch++)
            {
                random.Shuffle(train);
                for (var start = 0; start < train.Length; start += 16)
                {
                    network.Learn(train.AsSpan(start, 16), optimizer);
                    updates++;
                }

                if (epoch % 10 == 0)
                {
                    var (legal, ranked) = Measure(network, test);
                    var (legalTrain, rankedTrain) = Measure(network, train);
                    output.WriteLine($"{cell} seed {seed} epoch {epoch}: test legal {legal:P2} ranked {ranked:P1}, train {legalTrain:P2} {rankedTrain:P1}, {watch.Elapsed.TotalSeconds:F1} s");
                    Console.WriteLine($"{cell} seed {seed} epoch {epoch}: test legal {legal:P2} ranked {ranked:P1}, train {legalTrain:P2} {rankedTrain:P1}, {watch.Elapsed.TotalSeconds:F1} s");
                    if (rankedTrain == 1 && ranked == 1)
                    {
                        break;
                    }
                }
            }
        }
    }

    internal static (double Legal, double Ranked) Measure(SymbolNetwork network, SymbolString[] strings)
    {
        var scores = network.Score(strings);
        var (right, all, ranked) = (0, 0, 0);
        for (var i = 0; i < strings.Length; i++)
        {
            right += strings[i].CountLegal(scores[i], network.Alphabet);
            all += strings[i].Predictions;
            ranked += strings[i].RanksLegalFirst(scores[i], network.Alphabet) ? 1 : 0;
        }

        return ((double)right / all, (double)ranked / strings.Length);
    }
}
