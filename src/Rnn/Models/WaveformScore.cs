using System.Globalization;

namespace Rnn.Models;

/// <summary>How well a model predicted waves.</summary>
/// <param name="NegativeLogLikelihood">The sum over all samples of −ln of the probability that the model gave to the level that came, in nats.</param>
/// <param name="Samples">The number of samples.</param>
public readonly record struct WaveformScore(double NegativeLogLikelihood, long Samples)
{
    /// <summary>Nats per sample.</summary>
    public double Loss => NegativeLogLikelihood / Samples;

    /// <summary>Bits per sample: what an arithmetic coder with this model would take.</summary>
    public double BitsPerSample => Loss / Math.Log(2);

    /// <summary>The figures in words: <c>2.5 nats (3.6067 bits) a sample over 8000 samples</c>, with a point in every culture.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Loss:F4} nats ({BitsPerSample:F4} bits) a sample over {Samples} samples");
}
