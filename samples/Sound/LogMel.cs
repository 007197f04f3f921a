using NWaves.FeatureExtractors;
using NWaves.FeatureExtractors.Options;
using NWaves.Filters.Fda;
using NWaves.Signals;
using Rnn.Tensors;

namespace Samples;

/// <summary>The logarithmic mel spectrogram, what a sound looks like: every 10 ms the energy in 32 bands that are as wide as the ear hears them.</summary>
public static class LogMel
{
    /// <summary>The numbers of a frame.</summary>
    public const int Bands = 32;

    private const double Frame = 0.025;
    private const string Shades = " .:-=+*#%@";

    /// <summary>The spectrogram of a sound, [frames, bands].</summary>
    public static Tensor<float> Of(DiscreteSignal signal)
    {
        ArgumentNullException.ThrowIfNull(signal);
        var rate = signal.SamplingRate;
        var fftSize = 1;
        while (fftSize < rate * Frame)
        {
            fftSize *= 2;
        }

        var extractor = new FilterbankExtractor(new()
        {
            SamplingRate = rate,
            FrameDuration = Frame,
            HopDuration = 0.010,
            FftSize = fftSize,
            FilterBank = FilterBanks.MelBankSlaney(Bands, fftSize, rate, 0, 4000),
            NonLinearity = NonLinearityType.LogE,
            LogFloor = 1e-4f,
        });
        var frames = extractor.ComputeFrom(signal);
        return Tensor<float>.From([.. frames.SelectMany(frame => frame)], frames.Count, Bands);
    }

    /// <summary>A spectrogram as text: time to the right, high bands at the top.</summary>
    public static string Draw(Tensor<float> spectrogram)
    {
        ArgumentNullException.ThrowIfNull(spectrogram);
        var (frames, bands) = (spectrogram.Shape[0], spectrogram.Shape[1]);
        var (low, high) = (spectrogram.ToArray().Min(), spectrogram.ToArray().Max());
        var lines = new List<string>();
        for (var band = bands - 2; band >= 0; band -= 2)
        {
            lines.Add(string.Concat(Enumerable.Range(0, Math.Min(frames, 100)).Select(
                frame => Shades[(int)(((spectrogram[frame, band] + spectrogram[frame, band + 1]) / 2 - low) / (high - low + 1e-6f) * (Shades.Length - 1))])).TrimEnd());
        }

        return string.Join('\n', lines);
    }
}
