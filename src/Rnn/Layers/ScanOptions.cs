using System.Globalization;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>The function that a minGRU or minLSTM applies to its candidate state.</summary>
public enum ScanCandidate
{
    /// <summary>x + ½ for x ≥ 0, else σ(x): states stay positive, as the authors train them in the logarithm (Feng et al. 2024, arXiv:2410.01201, appendix B).</summary>
    Positive,

    /// <summary>x itself (the same paper, appendix A).</summary>
    Identity,

    /// <summary>tanh(x): states stay between −1 and 1, as those of a GRU.</summary>
    Tanh,
}

/// <summary>Options of <see cref="MinGru{T}"/> and <see cref="MinLstm{T}"/>.</summary>
public sealed record ScanOptions
{
    /// <summary>The function that is applied to the candidate state.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is none of the enumeration.</exception>
    public ScanCandidate Candidate
    {
        get;
        init => field = Enum.IsDefined(value) ? value : throw new ArgumentOutOfRangeException(nameof(Candidate), value, $"Candidate: expected a {nameof(ScanCandidate)} but got {value}.");
    }

    /// <summary>Whether gates have biases.</summary>
    public bool Bias { get; init; } = true;

    /// <summary>
    /// The bias by which gates remember at first: that of the forget gate of a minLSTM, and with the opposite sign that of the update gate of a minGRU. With 0, half of the state is new at each step; with 3, a twentieth.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not finite.</exception>
    public double ForgetBias
    {
        get;
        init => field = double.IsFinite(value) ? value : throw new ArgumentOutOfRangeException(nameof(ForgetBias), value, string.Create(CultureInfo.InvariantCulture, $"ForgetBias: expected a finite number but got {value}."));
    }

    /// <summary>How the weights start.</summary>
    public Initializer WeightInitializer { get; init; } = Initializer.GlorotUniform;

    /// <summary>The seed of the initialisation; null for the next one of the process (see <see cref="RandomSource.SetSeed"/>), so that two layers differ.</summary>
    public ulong? Seed { get; init; }

    /// <summary>A source that gives the seed, by one number, in place of <see cref="Seed"/>; null for none.</summary>
    public RandomSource? Random { get; init; }
}
