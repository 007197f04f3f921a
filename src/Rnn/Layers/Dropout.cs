using System.Globalization;
using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// In training sets elements to zero at random and scales the others so that the mean is the same (Srivastava et al. 2014); in
/// evaluation passes the input through.
/// </summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class Dropout<T> : Layer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>A dropout layer.</summary>
    /// <param name="probability">How likely an element is set to zero, from 0 up to but not including 1.</param>
    /// <param name="seed">The seed of its random numbers; null for the next one of the process (see <see cref="RandomSource.SetSeed"/>), so that two layers differ.</param>
    /// <exception cref="ArgumentOutOfRangeException">The probability is not from [0, 1).</exception>
    public Dropout(double probability, ulong? seed = null)
        : this(probability, new RandomSource(RandomSource.ChooseSeed(seed, null)).Split("dropout"))
    {
    }

    /// <summary>A dropout layer that draws its masks from a source of yours.</summary>
    /// <param name="probability">How likely an element is set to zero, from 0 up to but not including 1.</param>
    /// <param name="random">The source; layers that share one draw from it in turn.</param>
    /// <exception cref="ArgumentOutOfRangeException">The probability is not from [0, 1).</exception>
    public Dropout(double probability, RandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        if (!(probability >= 0 && probability < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(probability), probability, "probability: expected 0 or more and less than 1.");
        }

        Probability = probability;
        Random = AddRandomSource("random", random);
    }

    /// <summary>How likely an element is set to zero.</summary>
    public double Probability { get; }

    /// <summary>The source of the masks.</summary>
    public RandomSource Random { get; }

    internal static string Type => "dropout";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Description => Probability.ToString(CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("probability", Probability);
    }

    /// <summary>The input with elements dropped in training, the input itself in evaluation.</summary>
    /// <param name="input">A tensor of any shape.</param>
    public override Tensor<T> Forward(Tensor<T> input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return IsTraining ? input.Dropout(Probability, Random) : input;
    }

    /// <inheritdoc/>
    protected internal override void StepRows(int rows, ReadOnlySpan<T> input, Span<T> output) => input.CopyTo(output);
}
