using System.Numerics;
using Rnn.Autograd;
using Rnn.Tensors;

namespace Rnn.Training;

public static partial class Loss
{
    /// <summary>
    /// Cross-entropy of softmax(logits) with the right class of each step: −log softmax(x)ₜ = log Σ eˣ − xₜ. With label smoothing ε each loss is
    /// (1 − ε)·wₜ·(log Σ eˣ − xₜ) + ε/V·Σ w (log Σ eˣ − x); the weighted mean divides by the sum of the targets' weights.
    /// </summary>
    /// <param name="logits">[…, V]: scores, not probabilities, of any leading dimensions such as [N, V] or [N, T, V].</param>
    /// <param name="targets">The right class, 0 to V − 1, of each step in row-major order; or the ignore index.</param>
    /// <param name="lengths">For logits [N, T, …, V] the valid steps of each row; targets past them may be anything. Empty for all.</param>
    /// <param name="options">Reduction, ignore index, label smoothing, class weights; null for the defaults.</param>
    /// <returns>A scalar, in nats. A logit of −∞ makes a class impossible: it costs nothing unless it is the target, or smoothing wants it.</returns>
    /// <exception cref="ArgumentException">Shapes, lengths, weights or a target do not fit; the message says how.</exception>
    public static Tensor<T> CrossEntropy<T>(
        Tensor<T> logits, ReadOnlySpan<int> targets, ReadOnlySpan<int> lengths = default, CrossEntropyOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(logits);
        if (logits.Rank == 0 || logits.Shape[^1] == 0)
        {
            throw new ArgumentException($"logits: expected […, classes] with one class or more but got {logits.Shape}.", nameof(logits));
        }

        var count = logits.Length / logits.Shape[^1];
        if (targets.Length != count)
        {
            throw new ArgumentException($"targets: expected {count} targets, one for each step of logits {logits.Shape}, but got {targets.Length}.", nameof(targets));
        }

        var rows = new CrossEntropyRows<T>(logits.Shape, targets, LossRegion.OfClasses(logits.Shape, lengths, nameof(logits)), options ?? new());
        var pass = new CrossEntropyPass<T>(logits, rows);
        Tensor<T> loss;
        try
        {
            loss = Tensor<T>.Scalar(T.CreateTruncating(pass.Forward()));
        }
        catch
        {
            rows.Release();
            throw;
        }

        if (Graph.Records(logits))
        {
            var node = new CrossEntropyNode<T>(logits, pass);
            node.SaveMemory(rows, rows.KeptBytes);
            return node.Attach(loss);
        }

        rows.Release();
        return loss;
    }

    private sealed class CrossEntropyNode<T>(Tensor<T> logits, CrossEntropyPass<T> pass) : GraphNode<T>([logits])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        internal override void Backward() => pass.Backward(OutputGradient()[0], InputGradient(0, out var overwrite), overwrite);
    }
}
