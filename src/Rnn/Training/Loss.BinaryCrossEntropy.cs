using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Training;

public static partial class Loss
{
    // Positive weights are repeated to about this length, so that one call of the kernel serves many features.
    private const int RepeatedWeights = 512;

    /// <summary>
    /// Cross-entropy of independent yes-or-no answers: −w y log σ(x) − (1 − y) log(1 − σ(x)), computed so that neither large scores nor
    /// small losses lose digits.
    /// </summary>
    /// <param name="logits">x, scores such as [N, F] or [N, T, F].</param>
    /// <param name="targets">y of the same shape: 0, 1, or a probability in between; past the end of a row they may be anything. No gradient flows into them.</param>
    /// <param name="lengths">For [N, T, …] the valid steps of each row; empty for all.</param>
    /// <param name="options">Reduction and positive weights; null for the defaults.</param>
    /// <returns>A scalar, in nats.</returns>
    /// <exception cref="ArgumentException">Shapes, lengths or weights do not fit, a target is NaN or outside of 0 to 1, or the targets require a gradient; the message says how.</exception>
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
        var region = LossRegion.Of(logits.Shape, lengths, nameof(logits));
        CheckProbabilities(targets, region);
        return ElementLossNode<T, BinaryError<T>>.Compute(logits, targets, default, region, weights, options.Reduction);
    }

    private static void CheckProbabilities<T>(Tensor<T> targets, LossRegion region)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var values = targets.AsReadOnlySpan();
        foreach (var (start, count) in region.Runs())
        {
            var run = values.Slice(start, count);
            if (run.IsEmpty || (SpanKernels<T>.Extreme(run, largest: false) >= T.Zero && SpanKernels<T>.Extreme(run, largest: true) <= T.One))
            {
                continue;
            }

            for (var i = 0; i < count; i++)
            {
                if (!(run[i] >= T.Zero && run[i] <= T.One))
                {
                    throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"targets: expected numbers from 0 to 1 but got {run[i]} at index {start + i}."), nameof(targets));
                }
            }
        }
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
            if (!(weights[i] >= 0) || !T.IsFinite(T.CreateTruncating(weights[i])))
            {
                throw new ArgumentException(LossOptions.WrongWeight(nameof(options.PositiveWeights), "feature", i, weights[i]), nameof(options));
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
            // An answer that does not count adds nothing, also where its loss is infinite.
            var common = VectorMath.Softplus<V, T>(-V.Abs(x));
            var (positive, negative) = (w * y, V.One - y);
            var ifPositive = V.Select(V.EqualTo(positive, V.Zero), V.Zero, V.Max(-x, V.Zero) + common);
            var ifNegative = V.Select(V.EqualTo(negative, V.Zero), V.Zero, V.Max(x, V.Zero) + common);
            return V.MultiplyAdd(positive, ifPositive, negative * ifNegative);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Derivative<V>(V x, V y, V w)
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
