using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Learning;

/// <summary>Reads a string symbol by symbol, one-hot, and scores the next one: a recurrent layer and a linear layer.</summary>
internal sealed class SymbolNetwork : Module<float>
{
    private readonly RecurrentLayer<float> _recurrent;
    private readonly Linear<float> _head;

    public SymbolNetwork(RecurrentLayer<float> recurrent)
    {
        _recurrent = AddModule("recurrent", recurrent);
        _head = AddModule("head", new Linear<float>(recurrent.OutputSize, recurrent.InputSize, new() { Seed = recurrent.Options.Seed }));
    }

    public int Alphabet => _recurrent.InputSize;

    /// <summary>Scores [N, T, alphabet] after every symbol but the last.</summary>
    public (Tensor<float> Scores, int[] Lengths) Forward(ReadOnlySpan<SymbolString> strings)
    {
        var lengths = new int[strings.Length];
        for (var row = 0; row < strings.Length; row++)
        {
            lengths[row] = strings[row].Predictions;
        }

        var input = Tensor<float>.Zeros(strings.Length, lengths.Max(), Alphabet);
        for (var row = 0; row < strings.Length; row++)
        {
            for (var t = 0; t < lengths[row]; t++)
            {
                input[row, t, strings[row].Symbols[t]] = 1;
            }
        }

        return (_head.Forward(_recurrent.Forward(input, lengths).Output), lengths);
    }

    /// <summary>The cross-entropy of the symbols that follow, a mean over all predictions.</summary>
    public Tensor<float> LossOf(ReadOnlySpan<SymbolString> strings)
    {
        var (scores, lengths) = Forward(strings);
        var steps = scores.Shape[1];
        var targets = new int[strings.Length * steps];
        for (var row = 0; row < strings.Length; row++)
        {
            strings[row].Symbols.AsSpan(1).CopyTo(targets.AsSpan(row * steps));
        }

        return Loss.CrossEntropy(scores, targets, lengths);
    }

    /// <summary>The scores after every symbol but the last of each string, [T, alphabet] each.</summary>
    public float[][] Score(SymbolString[] strings)
    {
        using var none = NoGradient.Enter();
        var (scores, lengths) = Forward(strings);
        var (steps, all) = (scores.Shape[1], scores.ToArray());
        return [.. strings.Select((_, row) => all.AsSpan(row * steps * Alphabet, lengths[row] * Alphabet).ToArray())];
    }

    /// <summary>The share of legal predictions, and of the strings whose legal symbols all score highest.</summary>
    public (double Legal, double Ranked) Measure(SymbolString[] strings)
    {
        var scores = Score(strings);
        var (legal, all, ranked) = (0, 0, 0);
        for (var i = 0; i < strings.Length; i++)
        {
            legal += strings[i].CountLegal(scores[i], Alphabet);
            all += strings[i].Predictions;
            ranked += strings[i].RanksLegalFirst(scores[i], Alphabet) ? 1 : 0;
        }

        return ((double)legal / all, (double)ranked / strings.Length);
    }

    /// <summary>Trains with AdamW over shuffled strings while the learning rate fades to zero.</summary>
    public void Learn(SymbolString[] strings, int epochs, int batch, double rate, int seed)
    {
        var optimizer = new AdamW<float>(this) { WeightDecay = 0.2 };
        var random = new Random(seed);
        SymbolString[] order = [.. strings];
        for (var epoch = 0; epoch < epochs; epoch++)
        {
            optimizer.LearningRate = rate * Fading(epoch, epochs);
            random.Shuffle(order);
            for (var start = 0; start < order.Length; start += batch)
            {
                Learn(order.AsSpan(start, batch), optimizer);
            }
        }
    }

    /// <summary>Half a cosine from 1 to 0.</summary>
    public static double Fading(int at, int end) => 0.5 * (1 + Math.Cos(Math.PI * at / end));

    /// <summary>One step of training on one batch.</summary>
    public float Learn(ReadOnlySpan<SymbolString> batch, Optimizer<float> optimizer, double maxNorm = 1)
    {
        using var scope = TensorScope.Enter();
        var loss = LossOf(batch);
        optimizer.ZeroGradients();
        loss.Backward();
        GradientClipping.ByGlobalNorm(optimizer, maxNorm);
        optimizer.Step();
        return loss.Item();
    }
}
