using System.Numerics;
using Rnn.Autograd;
using Rnn.Tensors;

namespace Rnn.Training;

public static partial class Loss
{
    /// <summary>
    /// Connectionist temporal classification: −log p(labels), where p sums over all ways in which the labels can be spread over the steps. Each step gives one class, a label or the blank; a way gives the labels that
    /// are left when equal neighbours become one and then blanks are removed. So a model learns from labels in their order alone, without knowing where in the sequence each of them is.
    /// </summary>
    /// <remarks>
    /// Graves, Fernández, Gomez and Schmidhuber, "Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with Recurrent Neural Networks" (2006). The sums run in the logarithm and in double precision,
    /// forwards over L·(2U + 1) states for U labels, and once more both ways in the backward pass. <c>CtcDecoder</c> finds the labels again.
    /// </remarks>
    /// <param name="logits">[N, L, C]: scores of the labels and the blank, not probabilities.</param>
    /// <param name="targets">The labels of each of the N rows: classes 0 to C − 1 without the blank. A row may be empty.</param>
    /// <param name="lengths">The valid steps of each row, 0 to L; empty for all.</param>
    /// <param name="options">Blank, reduction, what becomes of targets that cannot be; null for the defaults.</param>
    /// <returns>A scalar, in nats; see <see cref="CtcOptions.Reduction"/>. NaN where a logit that counts is NaN.</returns>
    /// <exception cref="ArgumentException">Shapes, lengths, the blank or a label do not fit; the message says how.</exception>
    public static Tensor<T> Ctc<T>(Tensor<T> logits, IReadOnlyList<int[]> targets, ReadOnlySpan<int> lengths = default, CtcOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var pass = new CtcPass<T>(logits, targets, lengths, options ?? new());
        var loss = Tensor<T>.Scalar(T.CreateTruncating(pass.Forward()));
        return Graph.Records(logits) ? new CtcNode<T>(logits, pass).Attach(loss) : loss;
    }
}
