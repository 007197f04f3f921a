using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// The vectors of sentences, each the sum of its tokens' rows of a table, as an operation: m = Σⱼ lⱼ ⊙ Eⱼ. Without position encoding every lⱼ is 1 (a bag of words); with it
/// lₖⱼ = 1 + 4 (k − (E+1)/2) (j − (J+1)/2) / (E J) for dimension k and position j, both counted from 1.
/// </summary>
/// <remarks>
/// Position encoding is that of Sukhbaatar, Szlam, Weston and Fergus 2015 (arXiv:1503.08895, section 4.1), times 2 and with positions from the middle, so that their mean is 1 as for a bag of words. The weight is
/// 1 + aₖ bⱼ, so that a sentence needs two sums, Σ Eⱼ and Σ bⱼ Eⱼ, and no table of weights. Sentences lie one behind the other, so there is no padding.
/// </remarks>
internal sealed class EmbeddingSum<T>(Tensor<T> table, int[] tokens, int[] starts, T[]? slopes, int? length) : GraphNode<T>([table])
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private protected override bool ReadsInputs => false;

    /// <summary>The vectors of sentences.</summary>
    /// <param name="table">The rows of the tokens [V, E].</param>
    /// <param name="tokens">The tokens of all sentences, from 0 to V − 1; kept, not copied.</param>
    /// <param name="starts">Where each of K sentences begins, and the end of the last [K + 1]; kept, not copied.</param>
    /// <param name="slopes">aₖ of each dimension (<see cref="Slopes"/>); null for a bag of words.</param>
    /// <param name="length">J; null for the length of each sentence.</param>
    /// <returns>[K, E]; zeros for a sentence without tokens.</returns>
    internal static Tensor<T> Apply(Tensor<T> table, int[] tokens, int[] starts, T[]? slopes, int? length)
    {
        var size = table.Shape[1];
        var output = Tensor<T>.Zeros(starts.Length - 1, size);
        var rows = table.AsReadOnlySpan();
        var sums = output.AsSpan();
        var tilt = slopes is null ? [] : new T[size];
        for (var sentence = 0; sentence < starts.Length - 1; sentence++)
        {
            var sum = sums.Slice(sentence * size, size);
            tilt.AsSpan().Clear();
            for (var at = starts[sentence]; at < starts[sentence + 1]; at++)
            {
                var row = rows.Slice(tokens[at] * size, size);
                SpanKernels<T>.Add(row, sum);
                if (slopes is not null)
                {
                    SpanKernels<T>.AddScaled(row, Place(at, starts, sentence, length), tilt);
                }
            }

            if (slopes is not null)
            {
                SpanKernels<T>.AddProduct(slopes, tilt, sum);
            }
        }

        return Graph.Records(table) ? new EmbeddingSum<T>(table, tokens, starts, slopes, length).Attach(output) : output;
    }

    /// <summary>aₖ = 4 (k − (E+1)/2) / E for each dimension k from 1 to E.</summary>
    internal static T[] Slopes(int size)
    {
        var slopes = new T[size];
        for (var k = 0; k < size; k++)
        {
            slopes[k] = T.CreateTruncating(4 * (k + 1 - ((size + 1) / 2.0)) / size);
        }

        return slopes;
    }

    internal override void Backward()
    {
        var size = table.Shape[1];
        var source = OutputGradient();
        var target = InputGradient(0);
        var tilted = slopes is null ? [] : new T[size];
        for (var sentence = 0; sentence < starts.Length - 1; sentence++)
        {
            var gradient = source.Slice(sentence * size, size);
            if (slopes is not null)
            {
                SpanKernels<T>.Multiply(slopes, gradient, tilted);
            }

            for (var at = starts[sentence]; at < starts[sentence + 1]; at++)
            {
                var row = target.Slice(tokens[at] * size, size);
                SpanKernels<T>.Add(gradient, row);
                if (slopes is not null)
                {
                    SpanKernels<T>.AddScaled(tilted, Place(at, starts, sentence, length), row);
                }
            }
        }
    }

    // bⱼ = (j − (J+1)/2) / J.
    private static T Place(int at, int[] starts, int sentence, int? length)
    {
        var steps = length ?? (starts[sentence + 1] - starts[sentence]);
        return T.CreateTruncating((at - starts[sentence] + 1 - ((steps + 1) / 2.0)) / steps);
    }
}
