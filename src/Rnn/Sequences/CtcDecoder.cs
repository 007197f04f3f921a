using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>
/// Finds labels where no step is told which: what a model that was trained with connectionist temporal classification writes. Each step gives a label or the blank; equal neighbours become one label, then blanks are
/// removed.
/// </summary>
/// <remarks>Past the end of a row nothing is read. Of equally likely classes the lower one counts.</remarks>
public static class CtcDecoder
{
    /// <summary>Greedy decoding: the likeliest class of each step.</summary>
    /// <param name="logits">[N, L, C]: the scores of each class at each step.</param>
    /// <param name="lengths">The valid steps of each row; empty for all.</param>
    /// <param name="blank">The class that stands for no label.</param>
    /// <returns>For each row the labels, with the probability of this one way to spread them over the steps: no more than that of the labels, to which every other way adds.</returns>
    /// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
    /// <exception cref="ArgumentException">Shape, lengths or blank do not fit, or a score is NaN; the message says how.</exception>
    public static CtcHypothesis[] BestPath<T>(Tensor<T> logits, ReadOnlySpan<int> lengths = default, int blank = 0)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var ends = Check(logits, lengths, blank);
        var (found, logarithms) = (new CtcHypothesis[ends.Length], new double[logits.Shape[2]]);
        for (var row = 0; row < found.Length; row++)
        {
            var (path, sum) = (new int[ends[row]], 0.0);
            for (var t = 0; t < path.Length; t++)
            {
                var largest = Logarithms(logits, row, t, logarithms);
                path[t] = Array.IndexOf(logarithms, largest);
                sum += largest;
            }

            found[row] = new(Collapse(path, blank), sum);
        }

        return found;
    }

    /// <summary>
    /// Prefix beam search: follows the likeliest beginnings (prefixes) of labels from step to step and adds up the probabilities of all ways to a prefix. What it finds may be likelier than the best path, whose other ways
    /// count little. A beam that is as wide as there are prefixes finds the likeliest labels for certain, with their exact probability; a narrower one loses the ways through what it leaves behind.
    /// </summary>
    /// <remarks>Graves, "Supervised Sequence Labelling with Recurrent Neural Networks" (2012), in the form of Hannun et al. 2014 (arXiv:1408.2873) without a language model.</remarks>
    /// <param name="logits">[N, L, C]: the scores of each class at each step.</param>
    /// <param name="lengths">The valid steps of each row; empty for all.</param>
    /// <param name="width">How many prefixes go on after each step.</param>
    /// <param name="blank">The class that stands for no label.</param>
    /// <returns>For each row up to <paramref name="width"/> hypotheses, the likeliest first.</returns>
    /// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
    /// <exception cref="ArgumentException">Shape, lengths, width or blank do not fit, or a score is NaN; the message says how.</exception>
    public static CtcHypothesis[][] BeamSearch<T>(Tensor<T> logits, ReadOnlySpan<int> lengths = default, int width = 16, int blank = 0)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        OptionRange.AtLeast(1, width, nameof(width));
        var ends = Check(logits, lengths, blank);
        var (found, logarithms) = (new CtcHypothesis[ends.Length][], new double[logits.Shape[2]]);
        for (var row = 0; row < found.Length; row++)
        {
            var beam = new CtcBeam(width, blank, logarithms.Length);
            for (var t = 0; t < ends[row]; t++)
            {
                Logarithms(logits, row, t, logarithms);
                beam.Step(logarithms);
            }

            found[row] = beam.Hypotheses();
        }

        return found;
    }

    /// <summary>The labels of one way through the steps: equal neighbours become one, then blanks are removed.</summary>
    /// <param name="path">The class of each step.</param>
    /// <param name="blank">The class that stands for no label.</param>
    public static int[] Collapse(ReadOnlySpan<int> path, int blank = 0)
    {
        var labels = new List<int>();
        for (var t = 0; t < path.Length; t++)
        {
            if (path[t] != blank && (t == 0 || path[t] != path[t - 1]))
            {
                labels.Add(path[t]);
            }
        }

        return [.. labels];
    }

    // The logarithms of the probabilities of the classes at a step, in double; gives the largest.
    private static double Logarithms<T>(Tensor<T> logits, int row, int step, double[] logarithms)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var scores = logits.AsReadOnlySpan().Slice(((row * logits.Shape[1]) + step) * logarithms.Length, logarithms.Length);
        var largest = double.NegativeInfinity;
        for (var i = 0; i < scores.Length; i++)
        {
            logarithms[i] = double.CreateTruncating(scores[i]);
            largest = Math.Max(largest, logarithms[i]);
        }

        var sum = 0.0;
        foreach (var score in logarithms)
        {
            sum += Math.Exp(score - largest);
        }

        if (!double.IsFinite(sum))
        {
            throw new ArgumentException($"logits: the scores of row {row} at step {step} are no numbers, or all of them infinite.", nameof(logits));
        }

        var logarithm = Math.Log(sum);
        foreach (ref var score in logarithms.AsSpan())
        {
            score = score - largest - logarithm;
        }

        return -logarithm;
    }

    private static int[] Check<T>(Tensor<T> logits, ReadOnlySpan<int> lengths, int blank)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(logits);
        if (logits.Rank != 3 || logits.Shape[2] == 0)
        {
            throw new ArgumentException($"logits: expected [batch, steps, classes] with one class or more but got {logits.Shape}.", nameof(logits));
        }

        var (rows, steps) = (logits.Shape[0], logits.Shape[1]);
        if ((uint)blank >= (uint)logits.Shape[2])
        {
            throw new ArgumentException($"blank: expected one of the {logits.Shape[2]} classes of logits {logits.Shape} but got {blank}.", nameof(blank));
        }

        if (!lengths.IsEmpty && lengths.Length != rows)
        {
            throw new ArgumentException($"lengths: expected {rows} lengths, one for each row of logits {logits.Shape}, but got {lengths.Length}.", nameof(lengths));
        }

        var ends = new int[rows];
        for (var row = 0; row < rows; row++)
        {
            ends[row] = lengths.IsEmpty ? steps : lengths[row];
            if ((uint)ends[row] > (uint)steps)
            {
                throw new ArgumentException($"lengths: expected 0 to {steps} steps but row {row} has {ends[row]}.", nameof(lengths));
            }
        }

        return ends;
    }
}

/// <summary>Labels that <see cref="CtcDecoder"/> has found.</summary>
/// <param name="Labels">The labels, without blanks.</param>
/// <param name="LogProbability">The logarithm of their probability, in nats: of all ways that were followed, or of the best path alone.</param>
public sealed record CtcHypothesis(int[] Labels, double LogProbability);
