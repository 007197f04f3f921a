using Rnn.Autograd;
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
        using var none = NoGradient.Scope();
        var (scores, lengths) = Forward(strings);
        var (steps, all) = (scores.Shape[1], scores.ToArray());
        return [.. strings.Select((_, row) => all.AsSpan(row * steps * Alphabet, lengths[row] * Alphabet).ToArray())];
    }

    /// <summary>One step of training on one batch.</summary>
    public float Learn(ReadOnlySpan<SymbolString> batch, Optimizer<float> optimizer, double maxNorm = 1)
    {
        using var scope = TensorScope.Enter();
        var loss = LossOf(batch);
        optimizer.ClearGradients();
        loss.Backward();
        GradientClipping.ByGlobalNorm(optimizer, maxNorm);
        optimizer.Step();
        return loss.Item();
    }
}
