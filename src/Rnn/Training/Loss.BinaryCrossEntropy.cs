using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Training;

public static partial class Loss
{
    // Positive weights are repeated to about this length, so that one sweep serves many features.
    private const int RepeatedWeights = 512;

    /// <summary>
    /// Cross-entropy of independent yes-or-no answers: −w y log σ(x) − (1 − y) log(1 − σ(x)), computed so that neither large scores nor
    /// small losses lose digits.
    /// </summary>
    /// <param name="logits">x, scores such as [N, F] or [N, T, F].</param>
    /// <param name="targets">y of the same shape: 0, 1, or a probability in between. No gradient flows into them.</param>
    /// <param name="lengths">For [N, T, …] the valid steps of each row; empty for all.</param>
    /// <param name="options">Reduction and positive weights; null for the defaults.</param>
    /// <returns>A scalar, in nats.</returns>
    /// <exception cref="ArgumentException">Shapes, lengths or weights do not fit, or the targets require a gradient; the message says how.</exception>
    public static Tensor<T> BinaryCrossEntropy<T>(
        Tensor<T> logits, Tensor<T> targets, ReadOnlySpan<int> lengths = default, BinaryCrossEntropyOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(targets);
        CheckShapes(logits, targets, nameof(logits), nameof(targets));
        if (targets.RequiresGradient)
        {
            throw new ArgumentException("targets: no gradient flows into them; pass targets.Detach().", nameof(targets));
        }

        options ??= new();
        var weights = Repeat<T>(options, logits.Shape);
        return ElementLossNode<T, BinaryError<T>>.Compute(
            logits, targets, default, LossRegion.Of(logits.Shape, lengths, nameof(logits)), weights, options.Reduction);
    }

    private static T[]? Repeat<T>(BinaryCrossEntropyOptions options, Shape shape)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (options.PositiveWeights is not { } weights)
        {
            return null;
        }

        var features = shape.Rank > 0 ? shape[^1] : 1;
        if (weights.Count != 1 && weights.Count != features)
        {
            throw new ArgumentException($"PositiveWeights: expected 1 or {features} weights, one for each feature of logits {shape}, but got {weights.Count}.", nameof(options));
        }

        for (var i = 0; i < weights.Count; i++)
        {
            if (!(weights[i] >= 0) || double.IsInfinity(weights[i]))
            {
                throw new ArgumentException($"PositiveWeights: expected finite numbers of zero or more but feature {i} has {weights[i]}.", nameof(options));
            }
        }

        var repeated = new T[weights.Count * Math.Max(1, RepeatedWeights / weights.Count)];
        for (var i = 0; i < repeated.Length; i++)
        {
            repeated[i] = T.CreateTruncating(weights[i % weights.Count]);
        }

        return repeated;
    }

    private readonly struct BinaryError<T> : IElementLoss<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Value<V>(V x, V y, V w)
            where V : struct, IVector<V, T>
        {
            // −log σ(x) = max(−x, 0) + log(1 + e^−|x|), and the same of −x for the other answer.
            var common = VectorMath.Softplus<V, T>(-V.Abs(x));
            return V.MultiplyAdd(w * y, V.Max(-x, V.Zero) + common, (V.One - y) * (V.Max(x, V.Zero) + common));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Slope<V>(V x, V y, V w)
            where V : struct, IVector<V, T>
        {
            // The smaller of σ(x) and σ(−x) is computed, the larger is what it lacks to 1.
            var small = V.Sigmoid(-V.Abs(x));
            var isNegative = V.LessThan(x, V.Zero);
            var large = V.One - small;
            return V.MultiplyAdd(V.One - y, V.Select(isNegative, small, large), -(w * y * V.Select(isNegative, large, small)));
        }
    }
}
