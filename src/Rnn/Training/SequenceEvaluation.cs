using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>Measures how well a sequence model foretells tokens.</summary>
public static class SequenceEvaluation
{
    /// <summary>
    /// The mean negative log-likelihood of a stream's tokens in nats, with the state carried through it. The stream is cut into parallel
    /// rows, each of which begins without a state; with one row every token but the first is foretold from all before it.
    /// </summary>
    /// <param name="model">The model. Dropout is off for the measurement, whatever the modes of the model and its parts, which stay as they are.</param>
    /// <param name="tokens">Two tokens or more.</param>
    /// <param name="rows">The parallel rows: more are faster, one is exact. Fewer are taken where the stream is short.</param>
    /// <param name="steps">The steps that are computed at once; the result does not depend on it.</param>
    /// <param name="cancellationToken">Asks to stop.</param>
    /// <exception cref="ArgumentException">There are less than two tokens.</exception>
    public static double MeanLoss<T>(
        ISequenceModel<T> model, ReadOnlyMemory<int> tokens, int rows = 1, int steps = 128, CancellationToken cancellationToken = default)
        where T : unmanaged, IFloatingPointIeee754<T> => Measure(model, tokens, rows, steps, TokenWindow.NoTarget, cancellationToken);

    /// <summary>As the public form, without the targets that are to be ignored.</summary>
    internal static double Measure<T>(
        ISequenceModel<T> model, ReadOnlyMemory<int> tokens, int rows, int steps, int ignored, CancellationToken cancellationToken)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        if (tokens.Length < 2)
        {
            throw new ArgumentException($"tokens: expected two or more, of which all but the first are foretold, but got {tokens.Length}.", nameof(tokens));
        }

        rows = Math.Min(rows, tokens.Length - 1);
        var batcher = new StreamBatcher(tokens, rows, Math.Min(steps, (tokens.Length - 1) / rows));
        var carried = new CarriedState<T>();
        var options = new CrossEntropyOptions { Reduction = LossReduction.Sum, IgnoreIndex = TokenWindow.NoTarget };
        var (sum, count) = (0.0, 0L);
        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        while (batcher.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            using (TensorScope.Enter())
            {
                var window = batcher.Current;
                window.Ignore(ignored);
                var (loss, state) = model.ForwardLoss(window.Inputs, window.Rows, default, carried.State, window.Targets, options);
                sum += double.CreateTruncating(loss.Item());
                count += window.TargetCount;
                carried.Keep(state);
            }
        }

        return count > 0 ? sum / count : throw new ArgumentException("tokens: all that are to be foretold are ignored; a mean needs one.", nameof(tokens));
    }
}
