using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Models;

/// <summary>What a <see cref="WaveformModel{T}"/> says about the sample that follows.</summary>
public enum WaveformOutput
{
    /// <summary>A score for each of the 256 levels of <see cref="Sequences.MuLaw"/>; samples are read as vectors of a table, one for each level.</summary>
    MuLaw,

    /// <summary>A <see cref="Training.LogisticMixture"/> over 65536 even levels (16 bits); samples are read as numbers.</summary>
    LogisticMixture,
}

/// <summary>Options of a <see cref="WaveformModel{T}"/>.</summary>
public sealed record WaveformModelOptions
{
    /// <summary>What the model says about the sample that follows.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is none of the enumeration.</exception>
    public WaveformOutput Output
    {
        get;
        init => field = Enum.IsDefined(value) ? value : throw new ArgumentOutOfRangeException(nameof(Output), value, $"Output: expected a {nameof(WaveformOutput)} but got {value}.");
    }

    /// <summary>The components of a mixture of logistics; without a meaning for µ-law.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int Components
    {
        get;
        init => field = OptionRange.AtLeast(1, value, nameof(Components));
    } = 10;

    /// <summary>
    /// The global conditions: for each the names of its classes, such as ten digits and six speakers. Each row of a batch has a class of each, whose vectors the layer reads at every step behind the sample. Empty for none.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<string>> Conditions { get; init; } = Array.Empty<IReadOnlyList<string>>();

    /// <summary>The size of the vector of a class.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int ClassSize
    {
        get;
        init => field = OptionRange.AtLeast(1, value, nameof(ClassSize));
    } = 8;

    /// <summary>
    /// The seed of everything but the layer, each part of which draws numbers of its own. Null for the next one of the process (see <see cref="RandomSource.SetSeed"/>), so that two models differ.
    /// </summary>
    public ulong? Seed { get; init; }

    /// <summary>A source that gives the seed, by one number, in place of <see cref="Seed"/>; null for none.</summary>
    public RandomSource? Random { get; init; }
}
