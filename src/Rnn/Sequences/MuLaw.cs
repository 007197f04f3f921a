using System.Globalization;

namespace Rnn.Sequences;

/// <summary>
/// µ-law companding of samples of sound to 256 levels, fine near silence and coarse where it is loud: waves as tokens, which a language model or a
/// classifier over levels takes.
/// </summary>
/// <remarks>
/// ITU-T G.711, with the continuous formula f(x) = sign(x)·ln(1 + 255·|x|)/ln(256) and equal steps of f, as in van den Oord et al. 2016, "WaveNet" (arXiv:1609.03499).
/// </remarks>
/// <example>
/// <code>
/// int[] tokens = MuLaw.Encode(samples);       // from −1 to 1
/// float[] wave = MuLaw.Decode(model.Generate(tokens, 8000));
/// </code>
/// </example>
public static class MuLaw
{
    /// <summary>The number of levels.</summary>
    public const int Levels = 256;

    /// <summary>The level of a sample of zero.</summary>
    public const int Silence = Levels / 2;

    private const double Mu = Levels - 1;

    /// <summary>The level of a sample.</summary>
    /// <param name="sample">From −1 to 1; beyond, the nearest of the two.</param>
    /// <returns>From 0 to 255.</returns>
    /// <exception cref="ArgumentException">The sample is NaN.</exception>
    public static int Encode(double sample)
    {
        if (double.IsNaN(sample))
        {
            throw new ArgumentException("sample: expected a number from -1 to 1 but got NaN.", nameof(sample));
        }

        var magnitude = Math.Log(1 + (Mu * Math.Min(1, Math.Abs(sample)))) / Math.Log(1 + Mu);
        return (int)Math.Floor((((Math.CopySign(magnitude, sample) + 1) / 2) * Mu) + 0.5);
    }

    /// <summary>The sample that a level stands for.</summary>
    /// <param name="level">From 0 to 255.</param>
    /// <returns>From −1 to 1.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such level.</exception>
    public static double Decode(int level)
    {
        if ((uint)level >= Levels)
        {
            throw new ArgumentOutOfRangeException(nameof(level), level, string.Create(CultureInfo.InvariantCulture, $"level: expected a level from 0 to {Levels - 1} but got {level}."));
        }

        var companded = (2 * level / Mu) - 1;
        return Math.CopySign((Math.Pow(1 + Mu, Math.Abs(companded)) - 1) / Mu, companded);
    }

    /// <summary>The levels of the samples of a wave.</summary>
    /// <param name="samples">From −1 to 1; beyond, the nearest of the two.</param>
    /// <exception cref="ArgumentException">A sample is NaN.</exception>
    public static int[] Encode(ReadOnlySpan<float> samples)
    {
        var levels = new int[samples.Length];
        for (var i = 0; i < levels.Length; i++)
        {
            levels[i] = Encode(samples[i]);
        }

        return levels;
    }

    /// <summary>The wave of some levels.</summary>
    /// <param name="levels">From 0 to 255.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such level.</exception>
    public static float[] Decode(IEnumerable<int> levels)
    {
        ArgumentNullException.ThrowIfNull(levels);
        return [.. levels.Select(level => (float)Decode(level))];
    }
}
