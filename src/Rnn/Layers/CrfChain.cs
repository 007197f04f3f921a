using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>The sums and maxima over all tag sequences of a row of scores, in the logarithm and in double precision (Rabiner 1989).</summary>
internal readonly ref struct CrfChain<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly ReadOnlySpan<T> _scores;
    private readonly double[] _transitions;
    private readonly double[] _start;
    private readonly double[] _end;
    private readonly int _steps;
    private readonly int _tags;

    internal CrfChain(Tensor<T> scores, Tensor<T> transitions, Tensor<T> start, Tensor<T> end)
    {
        (_steps, _tags) = (scores.Shape[1], scores.Shape[2]);
        _scores = scores.AsReadOnlySpan();
        (_transitions, _start, _end) = (ToDouble(transitions), ToDouble(start), ToDouble(end));
    }

    /// <summary>
    /// The forward pass of a row: <paramref name="alphas"/>[t, j] becomes the logarithm of the sum over all beginnings that end in tag j at step t.
    /// </summary>
    /// <returns>log Σ exp(score) over all tag sequences; 0 for a row without steps.</returns>
    internal double Forward(int row, int length, Span<double> alphas)
    {
        if (length == 0)
        {
            return 0;
        }

        Span<double> terms = stackalloc double[_tags <= 256 ? _tags : 0];
        terms = terms.IsEmpty ? new double[_tags] : terms;
        for (var j = 0; j < _tags; j++)
        {
            alphas[j] = _start[j] + Score(row, 0, j);
        }

        for (var t = 1; t < length; t++)
        {
            var before = alphas.Slice((t - 1) * _tags, _tags);
            for (var j = 0; j < _tags; j++)
            {
                for (var i = 0; i < _tags; i++)
                {
                    terms[i] = before[i] + _transitions[(i * _tags) + j];
                }

                alphas[(t * _tags) + j] = LogSum(terms) + Score(row, t, j);
            }
        }

        for (var j = 0; j < _tags; j++)
        {
            terms[j] = alphas[((length - 1) * _tags) + j] + _end[j];
        }

        return LogSum(terms);
    }

    /// <summary>The score of one tag sequence.</summary>
    internal double Score(int row, ReadOnlySpan<int> tags)
    {
        if (tags.IsEmpty)
        {
            return 0;
        }

        var sum = _start[tags[0]] + _end[tags[^1]];
        for (var t = 0; t < tags.Length; t++)
        {
            sum += Score(row, t, tags[t]) + (t > 0 ? _transitions[(tags[t - 1] * _tags) + tags[t]] : 0);
        }

        return sum;
    }

    /// <summary>
    /// The backward pass of a row: adds the probability of each tag at each step, and of each pair of tags, times a factor. It leaves the betas, the sums over all ends, in one step's room only.
    /// </summary>
    /// <param name="row">The row.</param>
    /// <param name="length">Its valid steps, one or more.</param>
    /// <param name="alphas">What <see cref="Forward"/> left.</param>
    /// <param name="total">What <see cref="Forward"/> returned.</param>
    /// <param name="factor">What every probability is multiplied by.</param>
    /// <param name="scores">Receives the probabilities of tags [T, C] of this row; null where nobody reads them.</param>
    /// <param name="transitions">The sums of those of pairs [C, C] are added to; null where nobody reads them.</param>
    internal void Backward(int row, int length, ReadOnlySpan<double> alphas, double total, double factor, Span<double> scores, Span<double> transitions)
    {
        var betas = _end.AsSpan().ToArray();
        var later = new double[_tags];
        for (var t = length - 1; t >= 0; t--)
        {
            var here = alphas.Slice(t * _tags, _tags);
            for (var j = 0; j < _tags; j++)
            {
                scores[(t * _tags) + j] = factor * Math.Exp(here[j] + betas[j] - total);
            }

            if (t == 0)
            {
                return;
            }

            // later[j]: what goes on from tag j at step t, its score included.
            for (var j = 0; j < _tags; j++)
            {
                later[j] = betas[j] + Score(row, t, j);
            }

            var before = alphas.Slice((t - 1) * _tags, _tags);
            for (var i = 0; i < _tags; i++)
            {
                var largest = double.NegativeInfinity;
                for (var j = 0; j < _tags; j++)
                {
                    largest = Math.Max(largest, _transitions[(i * _tags) + j] + later[j]);
                }

                // Two sums by one exponential: e^(x − largest) for beta, and times a factor for the pair.
                var (sum, scale) = (0.0, factor * Math.Exp(before[i] + largest - total));
                for (var j = 0; j < _tags; j++)
                {
                    var term = largest > double.NegativeInfinity ? Math.Exp(_transitions[(i * _tags) + j] + later[j] - largest) : 0;
                    sum += term;
                    transitions[(i * _tags) + j] += scale * term;
                }

                betas[i] = largest + Math.Log(sum);
            }
        }
    }

    /// <summary>Writes the probability of each tag at each step of a row.</summary>
    internal void Marginals(int row, int length, Span<T> target)
    {
        if (length > 0)
        {
            var (alphas, scores) = (new double[length * _tags], new double[length * _tags]);
            var total = Forward(row, length, alphas);
            Backward(row, length, alphas, total, 1, scores, new double[_tags * _tags]);
            for (var i = 0; i < scores.Length; i++)
            {
                target[(row * _steps * _tags) + i] = T.CreateTruncating(scores[i]);
            }
        }
    }

    /// <summary>The tag sequence of the highest score.</summary>
    internal int[] BestPath(int row, int length)
    {
        var path = new int[length];
        if (length == 0)
        {
            return path;
        }

        var (best, next, from) = (new double[_tags], new double[_tags], new int[length * _tags]);
        for (var j = 0; j < _tags; j++)
        {
            best[j] = _start[j] + Score(row, 0, j);
        }

        for (var t = 1; t < length; t++)
        {
            for (var j = 0; j < _tags; j++)
            {
                var chosen = 0;
                for (var i = 1; i < _tags; i++)
                {
                    chosen = best[i] + _transitions[(i * _tags) + j] > best[chosen] + _transitions[(chosen * _tags) + j] ? i : chosen;
                }

                from[(t * _tags) + j] = chosen;
                next[j] = best[chosen] + _transitions[(chosen * _tags) + j] + Score(row, t, j);
            }

            (best, next) = (next, best);
        }

        for (var j = 1; j < _tags; j++)
        {
            path[^1] = best[j] + _end[j] > best[path[^1]] + _end[path[^1]] ? j : path[^1];
        }

        for (var t = length - 1; t > 0; t--)
        {
            path[t - 1] = from[(t * _tags) + path[t]];
        }

        return path;
    }

    private double Score(int row, int step, int tag) => double.CreateTruncating(_scores[(((row * _steps) + step) * _tags) + tag]);

    private static double LogSum(ReadOnlySpan<double> terms)
    {
        var largest = double.NegativeInfinity;
        foreach (var term in terms)
        {
            largest = Math.Max(largest, term);
        }

        if (double.IsNegativeInfinity(largest))
        {
            return largest;
        }

        var sum = 0.0;
        foreach (var term in terms)
        {
            sum += Math.Exp(term - largest);
        }

        return largest + Math.Log(sum);
    }

    private static double[] ToDouble(Tensor<T> tensor)
    {
        var values = new double[tensor.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = double.CreateTruncating(tensor.AsReadOnlySpan()[i]);
        }

        return values;
    }
}
