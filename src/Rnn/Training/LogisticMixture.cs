using System.Globalization;
using System.Numerics;
using Rnn.Autograd;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>
/// A mixture of discretised logistic distributions: the probabilities of many ordered levels, such as the 65536 of a 16-bit sample, by three numbers a component. A level's probability is the mass that
/// the mixture gives to its interval; the lowest and the highest level have all that lies beyond.
/// </summary>
/// <remarks>
/// Salimans et al. 2017, "PixelCNN++" (arXiv:1701.05517); for sound van den Oord et al. 2017, "Parallel WaveNet" (arXiv:1711.10433). Levels lie evenly from −1 to 1. Parameters are [3·M] for each step: M logits of the
/// components, M means, M logarithms of scales; scales below e⁻³⁰ count as e⁻³⁰. All is computed in double precision from
/// σ(a) − σ(b) = σ(a)·σ(−b)·(1 − e^(b−a)), whose logarithm loses no digits however small the mass is.
/// </remarks>
public static class LogisticMixture
{
    /// <summary>The negative log-likelihood of levels, in nats.</summary>
    /// <param name="parameters">[…, 3·M], one row for each target.</param>
    /// <param name="targets">The levels, from 0 to <paramref name="levels"/> − 1, or <paramref name="ignoreIndex"/> for steps that do not count; copied.</param>
    /// <param name="levels">The number of levels, 2 or more.</param>
    /// <param name="reduction">The mean over the steps that count, or their sum; no other.</param>
    /// <param name="ignoreIndex">What stands for steps that do not count.</param>
    /// <returns>A scalar; 0 where nothing counts.</returns>
    /// <exception cref="ArgumentException">The last dimension is not 3·M, the number of targets is another, a target is out of range, or the reduction is another.</exception>
    public static Tensor<T> Loss<T>(
        Tensor<T> parameters, ReadOnlySpan<int> targets, int levels, LossReduction reduction = LossReduction.Mean, int ignoreIndex = SequencePairBatch.Ignored)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(parameters);
        OptionRange.AtLeast(2, levels, nameof(levels));
        if (reduction is not (LossReduction.Mean or LossReduction.Sum))
        {
            throw new ArgumentException($"reduction: expected Mean or Sum but got {reduction}.", nameof(reduction));
        }

        if (parameters.Rank == 0 || parameters.Shape[-1] == 0 || parameters.Shape[-1] % 3 != 0)
        {
            throw new ArgumentException($"parameters: expected [..., 3·components] but got {parameters.Shape}.", nameof(parameters));
        }

        if (parameters.Length / parameters.Shape[-1] != targets.Length)
        {
            throw new ArgumentException($"targets: expected {parameters.Length / parameters.Shape[-1]} levels, one for each row of parameters {parameters.Shape}, but got {targets.Length}.", nameof(targets));
        }

        foreach (var target in targets)
        {
            if (target != ignoreIndex && (uint)target >= (uint)levels)
            {
                throw new ArgumentException($"targets: expected levels from 0 to {levels - 1}, or {ignoreIndex} for steps that do not count, but got {target}.", nameof(targets));
            }
        }

        var pass = new LogisticMixturePass<T>(targets.ToArray(), parameters.Shape[-1] / 3, levels, ignoreIndex, reduction == LossReduction.Mean);
        var loss = Tensor<T>.Scalar(T.CreateTruncating(pass.Forward(parameters.AsReadOnlySpan())));
        return Graph.Records(parameters) ? new Node<T>(parameters, pass).Attach(loss) : loss;
    }

    /// <summary>The logarithm of the probability of a level, in nats.</summary>
    /// <param name="parameters">[3·M].</param>
    /// <param name="level">From 0 to <paramref name="levels"/> − 1.</param>
    /// <param name="levels">The number of levels, 2 or more.</param>
    /// <exception cref="ArgumentException">The parameters are not 3·M, or there is no such level.</exception>
    public static double LogProbability<T>(ReadOnlySpan<T> parameters, int level, int levels)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Check(parameters.Length, levels);
        if ((uint)level >= (uint)levels)
        {
            throw new ArgumentOutOfRangeException(nameof(level), level, $"level: expected a level from 0 to {levels - 1} but got {level}.");
        }

        return LogisticComponents<T>.LogProbability(parameters, level, levels);
    }

    /// <summary>Draws a level. Nothing is allocated.</summary>
    /// <param name="parameters">[3·M].</param>
    /// <param name="levels">The number of levels, 2 or more.</param>
    /// <param name="random">Where the random numbers come from; two of them are taken.</param>
    /// <param name="temperature">What scales are multiplied by: 1 for the distribution itself, less for quieter and likelier waves; 0 for the means of components.</param>
    /// <returns>From 0 to <paramref name="levels"/> − 1.</returns>
    /// <exception cref="ArgumentException">The parameters are not 3·M, one of them is not finite, or the temperature is negative.</exception>
    public static int Sample<T>(ReadOnlySpan<T> parameters, int levels, RandomSource random, double temperature = 1)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Check(parameters.Length, levels);
        ArgumentNullException.ThrowIfNull(random);
        OptionRange.NotNegative(temperature, nameof(temperature));
        var components = parameters.Length / 3;
        var (choice, noise) = (random.NextDouble(), random.NextDouble());
        var total = LogisticComponents<T>.LogSumExp(parameters[..components]);
        var (chosen, sum) = (components - 1, 0.0);
        for (var m = 0; m < components; m++)
        {
            sum += Math.Exp(double.CreateTruncating(parameters[m]) - total);
            if (choice < sum)
            {
                chosen = m;
                break;
            }
        }

        // The quantile function of the logistic distribution.
        var logit = noise > 0 ? Math.Log(noise / (1 - noise)) : 0;
        var value = double.CreateTruncating(parameters[components + chosen])
            + (temperature == 0 ? 0 : temperature * Math.Exp(LogisticComponents<T>.LogScale(parameters[(2 * components) + chosen])) * logit);
        return double.IsFinite(total) && double.IsFinite(value)
            ? (int)Math.Round((Math.Clamp(value, -1, 1) + 1) / 2 * (levels - 1))
            : throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"parameters: expected finite numbers but component {chosen} gives {value}; has the model diverged?"), nameof(parameters));
    }

    private static void Check(int length, int levels)
    {
        OptionRange.AtLeast(2, levels, nameof(levels));
        if (length == 0 || length % 3 != 0)
        {
            throw new ArgumentException($"parameters: expected 3 numbers for each component but got {length}.", nameof(length));
        }
    }

    private sealed class Node<T>(Tensor<T> parameters, LogisticMixturePass<T> pass) : GraphNode<T>([parameters])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        internal override void Backward()
        {
            var gradient = InputGradient(0, out var overwrite);
            pass.Backward(Inputs[0]!.AsReadOnlySpan(), OutputGradient()[0], gradient, overwrite);
        }
    }
}
