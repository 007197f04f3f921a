using System.Numerics;
using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>Measures how well a sequence model predicts tokens.</summary>
public static class SequenceEvaluation
{
    /// <summary>
    /// The mean negative log-likelihood of a stream's tokens in nats, with the state carried through it. The stream is cut into parallel
    /// rows, each of which begins without a state; with one row every token but the first is predicted from all before it.
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

    /// <summary>e to the power of <see cref="MeanLoss"/>: among how many equally likely tokens the model is undecided in the mean.</summary>
    /// <param name="model">The model.</param>
    /// <param name="tokens">Two tokens or more.</param>
    /// <param name="rows">The parallel rows: more are faster, one is exact.</param>
    /// <param name="steps">The steps that are computed at once; the result does not depend on it.</param>
    /// <param name="cancellationToken">Asks to stop.</param>
    /// <exception cref="ArgumentException">There are less than two tokens.</exception>
    public static double Perplexity<T>(
        ISequenceModel<T> model, ReadOnlyMemory<int> tokens, int rows = 1, int steps = 128, CancellationToken cancellationToken = default)
        where T : unmanaged, IFloatingPointIeee754<T> => Math.Exp(MeanLoss(model, tokens, rows, steps, cancellationToken));

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
            throw new ArgumentException($"tokens: expected two or more, of which all but the first are predicted, but got {tokens.Length}.", nameof(tokens));
        }

        var sums = new LossSums(1);
        Measure(model, tokens, rows, steps, ignored, sums, cancellationToken);
        return sums.Total is (var sum, > 0 and var count, _) ? sum / count : throw new ArgumentException("tokens: all that are to be predicted are ignored; a mean needs one.", nameof(tokens));
    }

    /// <summary>The same in parts, which are of neighbouring rows.</summary>
    internal static void Measure<T>(
        ISequenceModel<T> model, ReadOnlyMemory<int> tokens, int rows, int steps, int ignored, LossSums sums, CancellationToken cancellationToken)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        rows = Math.Min(rows, tokens.Length - 1);
        for (var part = 0; part < sums.Parts; part++)
        {
            if (sums.Wants(part) && RowParts.Of(rows, part, sums.Parts) is (var start, > 0 and var own))
            {
                var (sum, count) = Score(model, tokens.Span, rows, steps, 0, ignored, cancellationToken, start, own);
                sums.AddSum(part, sum, count);
            }
        }
    }

    /// <summary>
    /// The sum of the negative log-likelihoods of all tokens but the first and of those to be ignored, and how many these are: cut into parallel rows, each of which reads up to
    /// <paramref name="warmUp"/> of the tokens before its part to find its state. Of these rows all are measured, or <paramref name="only"/> from <paramref name="start"/> on.
    /// </summary>
    internal static (double Sum, long Count) Score<T>(
        ISequenceModel<T> model, ReadOnlySpan<int> tokens, int rows, int steps, int warmUp, int? ignored, CancellationToken cancellationToken, int start = 0, int? only = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // No token has this number: one that is out of range is not left out but makes the model throw.
        const int None = int.MinValue;
        var predictions = tokens.Length - 1;
        var whole = Math.Min(rows, predictions);
        rows = only ?? whole;
        var (first, begin, end) = (new int[rows], new int[rows], new int[rows]);
        var longest = 0;
        for (var row = 0; row < rows; row++)
        {
            first[row] = (int)((long)predictions * (start + row) / whole);
            begin[row] = Math.Max(0, first[row] - warmUp);
            end[row] = (int)((long)predictions * (start + row + 1) / whole);
            longest = Math.Max(longest, end[row] - begin[row]);
        }

        // The result does not depend on the steps at once: very many rows take fewer, so that an array holds a window.
        steps = Math.Min(steps, Math.Min(longest, Math.Max(1, Array.MaxLength / rows)));
        var (inputs, targets, lengths) = (new int[rows * steps], new int[rows * steps], new int[rows]);
        var carried = new CarriedState<T>();
        var options = new CrossEntropyOptions { Reduction = LossReduction.Sum, IgnoreIndex = None };
        var (sum, count) = (0.0, 0L);
        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        for (var at = 0; at < longest; at += steps)
        {
            cancellationToken.ThrowIfCancellationRequested();
            targets.AsSpan().Fill(None);
            for (var row = 0; row < rows; row++)
            {
                var from = begin[row] + at;
                lengths[row] = Math.Clamp(end[row] - from, 0, steps);
                if (lengths[row] == 0)
                {
                    continue;
                }

                tokens.Slice(from, lengths[row]).CopyTo(inputs.AsSpan(row * steps));
                for (var step = Math.Clamp(first[row] - from, 0, lengths[row]); step < lengths[row]; step++)
                {
                    var target = tokens[from + 1 + step];
                    if (target != ignored)
                    {
                        targets[(row * steps) + step] = target;
                        count++;
                    }
                }
            }

            // What the model makes is taken back at the end of the scope; the state lives on in memory of its own.
            using var memory = TensorScope.Enter();
            var (loss, next) = model.ForwardLoss(inputs, rows, lengths, carried.State, targets, options);
            sum += double.CreateTruncating(loss.Item());
            carried.Keep(next);
        }

        return (sum, count);
    }
}
