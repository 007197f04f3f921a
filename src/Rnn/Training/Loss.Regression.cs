using System.Numerics;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Training;

public static partial class Loss
{
    /// <summary>The square of the difference, (x − y)². Gradients flow into both.</summary>
    /// <param name="prediction">x, such as [N, F] or [N, T, F].</param>
    /// <param name="target">y, of the same shape.</param>
    /// <param name="lengths">For [N, T, …] the valid steps of each row; empty for all.</param>
    /// <param name="reduction">How elements become one number.</param>
    /// <returns>A scalar; NaN where a prediction or a target that counts is NaN, and so are its gradients.</returns>
    /// <exception cref="ArgumentException">Shapes or lengths do not fit; the message says how.</exception>
    public static Tensor<T> MeanSquaredError<T>(
        Tensor<T> prediction, Tensor<T> target, ReadOnlySpan<int> lengths = default, LossReduction reduction = LossReduction.Mean)
        where T : unmanaged, IFloatingPointIeee754<T> => OfElements(prediction, target, default(SquaredError<T>), lengths, reduction);

    /// <summary>The absolute difference, |x − y|. Gradients flow into both; the derivative at 0 is 0.</summary>
    /// <param name="prediction">x, such as [N, F] or [N, T, F].</param>
    /// <param name="target">y, of the same shape.</param>
    /// <param name="lengths">For [N, T, …] the valid steps of each row; empty for all.</param>
    /// <param name="reduction">How elements become one number.</param>
    /// <returns>A scalar; NaN where a prediction or a target that counts is NaN, and so are its gradients.</returns>
    /// <exception cref="ArgumentException">Shapes or lengths do not fit; the message says how.</exception>
    public static Tensor<T> MeanAbsoluteError<T>(
        Tensor<T> prediction, Tensor<T> target, ReadOnlySpan<int> lengths = default, LossReduction reduction = LossReduction.Mean)
        where T : unmanaged, IFloatingPointIeee754<T> => OfElements(prediction, target, default(AbsoluteError<T>), lengths, reduction);

    /// <summary>½ (x − y)² near zero, δ (|x − y| − ½ δ) where the difference is above δ. Gradients flow into both.</summary>
    /// <remarks>Huber, "Robust Estimation of a Location Parameter" (1964).</remarks>
    /// <param name="prediction">x, such as [N, F] or [N, T, F].</param>
    /// <param name="target">y, of the same shape.</param>
    /// <param name="delta">δ, above zero.</param>
    /// <param name="lengths">For [N, T, …] the valid steps of each row; empty for all.</param>
    /// <param name="reduction">How elements become one number.</param>
    /// <returns>A scalar; NaN where a prediction or a target that counts is NaN, and so are its gradients.</returns>
    /// <exception cref="ArgumentException">Shapes, lengths or δ do not fit; the message says how.</exception>
    public static Tensor<T> Huber<T>(
        Tensor<T> prediction, Tensor<T> target, double delta = 1, ReadOnlySpan<int> lengths = default, LossReduction reduction = LossReduction.Mean)
        where T : unmanaged, IFloatingPointIeee754<T> => T.CreateTruncating(delta) > T.Zero && double.IsFinite(delta)
            ? OfElements(prediction, target, new HuberError<T>(T.CreateTruncating(delta)), lengths, reduction)
            : throw OptionRange.OutOfRange(nameof(delta), delta, "a finite number above zero");

    private static Tensor<T> OfElements<T, TLoss>(
        Tensor<T> prediction, Tensor<T> target, TLoss loss, ReadOnlySpan<int> lengths, LossReduction reduction)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TLoss : struct, IElementLoss<T>
    {
        ArgumentNullException.ThrowIfNull(prediction);
        ArgumentNullException.ThrowIfNull(target);
        CheckShapes(prediction, target, nameof(prediction), nameof(target));
        return ElementLossNode<T, TLoss>.Compute(prediction, target, loss, LossRegion.Of(prediction.Shape, lengths, nameof(prediction)), null, reduction);
    }

    private static void CheckShapes<T>(Tensor<T> prediction, Tensor<T> target, string predictionName, string targetName)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (prediction.Shape != target.Shape)
        {
            throw new ArgumentException($"{targetName}: expected the shape of {predictionName}, {prediction.Shape}, but got {target.Shape}.", targetName);
        }
    }
}
