using System.Globalization;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>Options of <see cref="RgLru{T}"/>.</summary>
public sealed record RgLruOptions
{
    /// <summary>c, the power of the decay where the recurrence gate is open; 8 in the paper.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not finite and above zero.</exception>
    public double Exponent
    {
        get;
        init => field = value > 0 && double.IsFinite(value) ? value : throw OutOfRange(nameof(Exponent), value, "a finite number above zero");
    } = 8;

    /// <summary>The least that an open gate keeps of a unit's state at first: aᶜ is drawn uniformly between this and <see cref="MaxDecay"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not between 0 and 1.</exception>
    public double MinDecay
    {
        get;
        init => field = Between(value, nameof(MinDecay));
    } = 0.9;

    /// <summary>The most that an open gate keeps of a unit's state at first.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not between 0 and 1.</exception>
    public double MaxDecay
    {
        get;
        init => field = Between(value, nameof(MaxDecay));
    } = 0.999;

    /// <summary>
    /// The number of heads K, which divides the size: the gates of each head read the input of that head alone, so their matrices are block-diagonal and have a K-th of the weights, as in the paper (which has 16). 1, dense
    /// gates, by default.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int Heads
    {
        get;
        init => field = value >= 1 ? value : throw OutOfRange(nameof(Heads), value, "1 or more");
    } = 1;

    /// <summary>Whether gates have biases.</summary>
    public bool Bias { get; init; } = true;

    /// <summary>How the weights start.</summary>
    public Initializer WeightInitializer { get; init; } = Initializer.GlorotUniform;

    /// <summary>The seed of the initialisation; null for the next one of the process (see <see cref="RandomSource.SetSeed"/>), so that two layers differ.</summary>
    public ulong? Seed { get; init; }

    /// <summary>A source that gives the seed, by one number, in place of <see cref="Seed"/>; null for none.</summary>
    public RandomSource? Random { get; init; }

    private static double Between(double value, string name) => value is > 0 and < 1 ? value : throw OutOfRange(name, value, "a number between 0 and 1");

    private static ArgumentOutOfRangeException OutOfRange(string name, double value, string expected) =>
        new(name, value, string.Create(CultureInfo.InvariantCulture, $"{name}: expected {expected} but got {value}."));
}
