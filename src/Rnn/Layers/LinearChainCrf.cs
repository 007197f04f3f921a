using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// A linear-chain conditional random field (Lafferty, McCallum and Pereira 2001) over the scores of a tagger: it learns which tag follows which, scores whole tag sequences and finds the best one.
/// Score(y) = start[y₁] + Σ scores[t, yₜ] + Σ transitions[yₜ₋₁, yₜ] + end[y_T]; p(y) = exp(score(y)) / Σ over all tag sequences.
/// </summary>
/// <remarks>
/// Parameters: <c>transitions</c> [C, C] from the tag in the row to that in the column, <c>start</c> [C] and <c>end</c> [C]; zeros at first, so that training begins as with a softmax for each step.
/// Sums over tag sequences are computed in the logarithm and in double precision by the forward-backward algorithm, in time T·C² a row.
/// </remarks>
/// <example>
/// <code>
/// var scores = output.Forward(lstm.Forward(x, lengths).Output);         // [N, T, C]
/// var loss = crf.NegativeLogLikelihood(scores, tags, lengths).Mean();   // to train on
/// int[][] best = crf.Decode(scores, lengths);                           // Viterbi
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class LinearChainCrf<T> : Module<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>A field over a number of tags.</summary>
    /// <param name="tags">The number of tags C.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is not positive.</exception>
    public LinearChainCrf(int tags)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tags);
        Tags = tags;
        Transitions = AddParameter("transitions", Tensor<T>.Zeros(tags, tags));
        Start = AddParameter("start", Tensor<T>.Zeros(tags));
        End = AddParameter("end", Tensor<T>.Zeros(tags));
    }

    /// <summary>The number of tags C.</summary>
    public int Tags { get; }

    /// <summary>The scores of one tag after another [C, C]: row the tag before, column the tag after.</summary>
    public Parameter<T> Transitions { get; }

    /// <summary>The scores of the first tag [C].</summary>
    public Parameter<T> Start { get; }

    /// <summary>The scores of the last tag [C].</summary>
    public Parameter<T> End { get; }

    internal static string Type => "linear-chain-crf";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("tags", Tags);
    }

    internal static LinearChainCrf<T> Read(DescriptionReader reader)
    {
        var tags = reader.GetInt32("tags");
        reader.CountWeights((double)tags * (tags + 2.0));
        return new(tags);
    }

    /// <summary>−log p of the right tags, for each row: the loss of a tagger.</summary>
    /// <param name="scores">[N, T, C]: the scores of each tag at each step (logits).</param>
    /// <param name="tags">The right tags [N, T], row-major, 0 to C − 1; past the end of a row anything.</param>
    /// <param name="lengths">The number of valid steps of each row, 0 to T; empty for full length. A row without steps costs 0.</param>
    /// <returns>[N], in nats; take the mean or the sum of it.</returns>
    /// <exception cref="ArgumentException">A size, a length or a tag does not fit; the message says how.</exception>
    public Tensor<T> NegativeLogLikelihood(Tensor<T> scores, ReadOnlySpan<int> tags, ReadOnlySpan<int> lengths = default)
    {
        var ends = Check(scores, lengths);
        var (rows, steps) = (scores.Shape[0], scores.Shape[1]);
        if (tags.Length != rows * steps)
        {
            throw new ArgumentException($"tags: expected {rows * steps} tags, one for each step of scores {scores.Shape}, but got {tags.Length}.", nameof(tags));
        }

        for (var i = 0; i < tags.Length; i++)
        {
            if ((uint)tags[i] >= (uint)Tags && i % steps < ends[i / steps])
            {
                throw new ArgumentException($"tags: expected tags from 0 to {Tags - 1} but row {i / steps} has {tags[i]} at step {i % steps}.", nameof(tags));
            }
        }

        return CrfLikelihood<T>.Apply(scores, Transitions.Value, Start.Value, End.Value, tags, ends);
    }

    /// <summary>The likeliest tag sequence of each row (Viterbi 1967). Of equally likely ones that of the lower tags, from the end on.</summary>
    /// <param name="scores">[N, T, C]: the scores of each tag at each step (logits).</param>
    /// <param name="lengths">The number of valid steps of each row; empty for full length.</param>
    /// <returns>For each row as many tags as it has valid steps.</returns>
    /// <exception cref="ArgumentException">A size or a length does not fit.</exception>
    public int[][] Decode(Tensor<T> scores, ReadOnlySpan<int> lengths = default)
    {
        var ends = Check(scores, lengths);
        var chain = new CrfChain<T>(scores, Transitions.Value, Start.Value, End.Value);
        var paths = new int[ends.Length][];
        for (var row = 0; row < paths.Length; row++)
        {
            paths[row] = chain.BestPath(row, ends[row]);
        }

        return paths;
    }

    /// <summary>The probability of each tag at each step, given all scores of its row (posterior marginals).</summary>
    /// <param name="scores">[N, T, C]: the scores of each tag at each step (logits).</param>
    /// <param name="lengths">The number of valid steps of each row; empty for full length.</param>
    /// <returns>[N, T, C], without history; zeros past the end of each row.</returns>
    /// <exception cref="ArgumentException">A size or a length does not fit.</exception>
    public Tensor<T> Marginals(Tensor<T> scores, ReadOnlySpan<int> lengths = default)
    {
        var ends = Check(scores, lengths);
        var chain = new CrfChain<T>(scores, Transitions.Value, Start.Value, End.Value);
        var result = Tensor<T>.Zeros(scores.Shape);
        for (var row = 0; row < ends.Length; row++)
        {
            chain.Marginals(row, ends[row], result.AsSpan());
        }

        return result;
    }

    private int[] Check(Tensor<T> scores, ReadOnlySpan<int> lengths)
    {
        ArgumentNullException.ThrowIfNull(scores);
        RecurrentChecks.CheckBatch(scores, lengths, Tags, nameof(scores), nameof(Tags));
        var ends = new int[scores.Shape[0]];
        ends.AsSpan().Fill(scores.Shape[1]);
        lengths.CopyTo(ends);
        return ends;
    }
}
