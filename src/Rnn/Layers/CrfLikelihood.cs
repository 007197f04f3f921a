using System.Numerics;
using Rnn.Autograd;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// −log p of tag sequences under a linear-chain conditional random field, as an operation. The gradient of a score is the probability of its tag at its step, less 1 where the tag is the right one;
/// likewise for pairs of tags.
/// </summary>
internal sealed class CrfLikelihood<T>(
    Tensor<T> scores, Tensor<T> transitions, Tensor<T> start, Tensor<T> end, int[] tags, int[] lengths) : GraphNode<T>([scores, transitions, start, end])
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal static Tensor<T> Apply(Tensor<T> scores, Tensor<T> transitions, Tensor<T> start, Tensor<T> end, ReadOnlySpan<int> tags, int[] lengths)
    {
        var (rows, steps) = (scores.Shape[0], scores.Shape[1]);
        var chain = new CrfChain<T>(scores, transitions, start, end);
        var alphas = new double[steps * scores.Shape[2]];
        var losses = Tensor<T>.Uninitialized([rows]);
        for (var row = 0; row < rows; row++)
        {
            losses.AsSpan()[row] = T.CreateTruncating(chain.Forward(row, lengths[row], alphas) - chain.Score(row, tags.Slice(row * steps, lengths[row])));
        }

        return Graph.Records(scores, transitions, start, end)
            ? new CrfLikelihood<T>(scores, transitions, start, end, tags.ToArray(), lengths).Attach(losses)
            : losses;
    }

    // The forward pass is made again: it costs as much as to keep its sums, and a row of them stays in the cache.
    internal override void Backward()
    {
        var (steps, size) = (scores.Shape[1], scores.Shape[2]);
        var chain = new CrfChain<T>(scores, transitions, start, end);
        var (alphas, ofScores) = (new double[steps * size], new double[steps * size]);
        var (ofTransitions, ofStart, ofEnd) = (new double[size * size], new double[size], new double[size]);
        var overwrite = false;
        var target = Needs(0) ? InputGradient(0, out overwrite) : default;
        if (overwrite)
        {
            target.Clear();
        }

        for (var row = 0; row < lengths.Length; row++)
        {
            var (length, factor) = (lengths[row], double.CreateTruncating(OutputGradient()[row]));
            if (length == 0)
            {
                continue;
            }

            var total = chain.Forward(row, length, alphas);
            chain.Backward(row, length, alphas, total, factor, ofScores, ofTransitions);
            var right = tags.AsSpan(row * steps, length);
            for (var t = 0; t < length; t++)
            {
                ofScores[(t * size) + right[t]] -= factor;
                if (t > 0)
                {
                    ofTransitions[(right[t - 1] * size) + right[t]] -= factor;
                }
            }

            for (var j = 0; j < size; j++)
            {
                ofStart[j] += ofScores[j];
                ofEnd[j] += ofScores[((length - 1) * size) + j];
            }

            if (!target.IsEmpty)
            {
                Add(ofScores.AsSpan(0, length * size), target[(row * steps * size)..]);
            }
        }

        AddTo(1, ofTransitions);
        AddTo(2, ofStart);
        AddTo(3, ofEnd);
    }

    private void AddTo(int input, ReadOnlySpan<double> gradient)
    {
        if (Needs(input))
        {
            Add(gradient, InputGradient(input));
        }
    }

    private static void Add(ReadOnlySpan<double> gradient, Span<T> target)
    {
        for (var i = 0; i < gradient.Length; i++)
        {
            target[i] += T.CreateTruncating(gradient[i]);
        }
    }
}
