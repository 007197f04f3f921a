using System.Globalization;
using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>
/// How well the labels of steps were predicted where each step has any number of them, such as the notes that sound: counts, and the probability of what was right with independent labels.
/// </summary>
/// <remarks>The measures of polyphonic music models: Boulanger-Lewandowski, Bengio and Vincent 2012 (arXiv:1206.6392); accuracy as Bay, Ehmann and Downie 2009.</remarks>
public sealed class MultiLabelScore
{
    private double _loss;

    /// <summary>The steps that were counted.</summary>
    public long Steps { get; private set; }

    /// <summary>Labels that were predicted and right.</summary>
    public long TruePositives { get; private set; }

    /// <summary>Labels that were predicted and wrong.</summary>
    public long FalsePositives { get; private set; }

    /// <summary>Labels that were missed.</summary>
    public long FalseNegatives { get; private set; }

    /// <summary>−log of the probability of a step's labels in nats: the sum over labels, the mean over steps. 0 without steps.</summary>
    public double NegativeLogLikelihood => Ratio(_loss, Steps);

    /// <summary>The part of the predicted labels that is right; 0 where there are none.</summary>
    public double Precision => Ratio(TruePositives, TruePositives + FalsePositives);

    /// <summary>The part of the right labels that was predicted; 0 where there are none.</summary>
    public double Recall => Ratio(TruePositives, TruePositives + FalseNegatives);

    /// <summary>The harmonic mean of precision and recall over all labels (micro-averaged); 0 where there are none.</summary>
    public double F1 => Ratio(2 * TruePositives, (2 * TruePositives) + FalsePositives + FalseNegatives);

    /// <summary>Right predictions among all labels that were predicted or right, TP / (TP + FP + FN); 0 where there are none.</summary>
    public double Accuracy => Ratio(TruePositives, TruePositives + FalsePositives + FalseNegatives);

    /// <summary>Counts a batch. A label is predicted where its score is above 0, its probability above one half.</summary>
    /// <param name="logits">Scores, [N, T, L], or [N, L] of single steps.</param>
    /// <param name="targets">1 for labels that are right, else 0, of the same shape.</param>
    /// <param name="lengths">For [N, T, L] the valid steps of each row; empty for T.</param>
    /// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
    /// <exception cref="ArgumentException">Shapes or lengths do not fit.</exception>
    public void Add<T>(Tensor<T> logits, Tensor<T> targets, ReadOnlySpan<int> lengths = default)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(targets);
        var shape = logits.Shape;
        if (shape.Rank is not (2 or 3) || targets.Shape != shape)
        {
            throw new ArgumentException($"targets: expected the shape of the logits, [N, T, L] or [N, L], but got logits {shape} and targets {targets.Shape}.", nameof(targets));
        }

        var (rows, steps, labels) = (shape[0], shape.Rank == 3 ? shape[1] : 1, shape[^1]);
        if (!lengths.IsEmpty && (shape.Rank == 2 || lengths.Length != rows))
        {
            throw new ArgumentException($"lengths: expected one for each row of logits {shape} with steps but got {lengths.Length}.", nameof(lengths));
        }

        foreach (var length in lengths)
        {
            if ((uint)length > (uint)steps)
            {
                throw new ArgumentOutOfRangeException(nameof(lengths), length, $"lengths: expected numbers from 0 to {steps} but got {length}.");
            }
        }

        for (var row = 0; row < rows; row++)
        {
            var valid = lengths.IsEmpty ? steps : lengths[row];
            var (start, count) = (row * steps * labels, valid * labels);
            Count(logits.AsReadOnlySpan().Slice(start, count), targets.AsReadOnlySpan().Slice(start, count));
            Steps += valid;
        }
    }

    /// <summary>The measures on one line.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{NegativeLogLikelihood:F4} nats a step, precision {Precision:P2}, recall {Recall:P2}, F1 {F1:P2}, accuracy {Accuracy:P2} of {Steps} steps");

    private void Count<T>(ReadOnlySpan<T> logits, ReadOnlySpan<T> targets)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < logits.Length; i++)
        {
            // −y log σ(x) − (1 − y) log(1 − σ(x)), without a loss of digits.
            var (x, y) = (double.CreateTruncating(logits[i]), double.CreateTruncating(targets[i]));
            _loss += Math.Max(x, 0) - (x * y) + double.LogP1(Math.Exp(-Math.Abs(x)));
            var (predicted, right) = (x > 0, y > 0.5);
            TruePositives += predicted && right ? 1 : 0;
            FalsePositives += predicted && !right ? 1 : 0;
            FalseNegatives += !predicted && right ? 1 : 0;
        }
    }

    private static double Ratio(double part, double whole) => whole > 0 ? part / whole : 0;
}
