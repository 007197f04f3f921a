using System.Numerics;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Training;

public static partial class Loss
{
    /// <summary>
    /// The quantile loss (pinball loss) of one quantile q: q·(y − x) where the prediction x is too low, (1 − q)·(x − y) where it is too high. It is least where x is the quantile q of what y may be; 0.5 gives
    /// half the absolute error. Gradients flow into both; the derivative at 0 is 0.
    /// </summary>
    /// <remarks>Koenker and Bassett, "Regression Quantiles" (1978).</remarks>
    /// <param name="prediction">x, such as [N, F] or [N, T, F].</param>
    /// <param name="target">y, of the same shape.</param>
    /// <param name="quantile">q, above 0 and below 1.</param>
    /// <param name="lengths">For [N, T, …] the valid steps of each row; empty for all.</param>
    /// <param name="reduction">How elements become one number.</param>
    /// <returns>A scalar; NaN where a prediction or a target that counts is NaN, and so are its gradients.</returns>
    /// <exception cref="ArgumentException">Shapes, lengths or the quantile do not fit; the message says how.</exception>
    public static Tensor<T> Quantile<T>(
        Tensor<T> prediction, Tensor<T> target, double quantile, ReadOnlySpan<int> lengths = default, LossReduction reduction = LossReduction.Mean)
        where T : unmanaged, IFloatingPointIeee754<T> => OfElements(prediction, target, new QuantileError<T>(Check<T>(quantile, nameof(quantile))), lengths, reduction);

    /// <summary>The quantile loss of several quantiles at once, each with a prediction of its own; see <see cref="Quantile{T}(Tensor{T}, Tensor{T}, double, ReadOnlySpan{int}, LossReduction)"/>.</summary>
    /// <param name="prediction">[…, Q], such as [N, T, F, Q]: the shape of the target and behind it one prediction for each quantile.</param>
    /// <param name="target">[…], such as [N, T, F].</param>
    /// <param name="quantiles">The Q quantiles, each above 0 and below 1.</param>
    /// <param name="lengths">For [N, T, …] the valid steps of each row; empty for all.</param>
    /// <param name="reduction">How elements, of which each quantile is one, become one number.</param>
    /// <returns>A scalar; NaN where a prediction or a target that counts is NaN, and so are its gradients.</returns>
    /// <exception cref="ArgumentException">Shapes, lengths or quantiles do not fit; the message says how.</exception>
    public static Tensor<T> Quantile<T>(
        Tensor<T> prediction, Tensor<T> target, IReadOnlyList<double> quantiles, ReadOnlySpan<int> lengths = default, LossReduction reduction = LossReduction.Mean)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(prediction);
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(quantiles);
        var count = quantiles.Count;
        Shape expected = [.. target.Shape.Dimensions, count];
        if (count == 0 || prediction.Shape != expected)
        {
            throw new ArgumentException($"prediction: expected {expected}, the shape of target and behind it one prediction for each quantile, but got {prediction.Shape}.", nameof(prediction));
        }

        // The kernels take a period of the weights at a time, so a few quantiles are repeated.
        var weights = new T[count * Math.Max(1, 128 / count)];
        for (var i = 0; i < weights.Length; i++)
        {
            weights[i] = Check<T>(quantiles[i % count], nameof(quantiles));
        }

        return ElementLossNode<T, WeightedQuantileError<T>>.Compute(
            prediction, target.Unsqueeze(-1).BroadcastTo(expected), default, LossRegion.Of(expected, lengths, nameof(prediction)), weights, reduction);
    }

    private static T Check<T>(double quantile, string name)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var q = T.CreateTruncating(quantile);
        return q > T.Zero && q < T.One ? q : throw OptionRange.OutOfRange(name, quantile, "a number above 0 and below 1");
    }
}
