using System.Globalization;

namespace Rnn.Training;

/// <summary>How a loss over rows, steps and features becomes one number. Only valid steps count: those within a row's length and not ignored.</summary>
public enum LossReduction
{
    /// <summary>The mean over everything that counts, each step or element with the same weight (with class weights: a weighted mean).</summary>
    Mean,

    /// <summary>The sum over everything that counts.</summary>
    Sum,

    /// <summary>
    /// The sum over steps and features, divided by the number of rows N: the convention of word-level language models since Zaremba et
    /// al. (2014). Learning rates and clipping limits published for it are larger or smaller by the number of steps than for <see cref="Mean"/>.
    /// </summary>
    SumOverStepsMeanOverRows,

    /// <summary>The sum over the features of a step, its mean over steps and rows: what polyphonic music models report.</summary>
    SumOverFeaturesMeanOverSteps,
}

/// <summary>Checks of options that several losses have.</summary>
internal static class LossOptions
{
    /// <summary>Throws if a value is no reduction.</summary>
    internal static LossReduction Reduction(LossReduction value, string name) => value is >= LossReduction.Mean and <= LossReduction.SumOverFeaturesMeanOverSteps
        ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name}: expected one of the reductions of the list but got {value}.");

    /// <summary>Throws if a weight is negative or not finite.</summary>
    internal static IReadOnlyList<double>? Weights(IReadOnlyList<double>? weights, string name, string item)
    {
        for (var i = 0; i < weights?.Count; i++)
        {
            if (!(weights[i] >= 0) || double.IsInfinity(weights[i]))
            {
                throw new ArgumentOutOfRangeException(name, weights[i], WrongWeight(name, item, i, weights[i]));
            }
        }

        return weights;
    }

    /// <summary>The message of a weight that is negative or not finite.</summary>
    internal static string WrongWeight(string name, string item, int index, double weight) =>
        string.Create(CultureInfo.InvariantCulture, $"{name}: expected finite numbers of zero or more but {item} {index} has {weight}.");
}
