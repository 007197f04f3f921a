using NWaves.Audio;
using NWaves.Signals;

namespace Samples;

/// <summary>Writes sound files that any player opens.</summary>
public static class WaveWriter
{
    /// <summary>Writes a wav file of one channel, 16 bits a sample.</summary>
    /// <param name="path">The file.</param>
    /// <param name="rate">Samples a second.</param>
    /// <param name="samples">From −1 to 1; beyond, the nearest of the two.</param>
    /// <exception cref="InputException">The file cannot be written.</exception>
    public static void Save(string path, int rate, IEnumerable<float> samples)
    {
        // The writer multiplies by 32768, so that 1 itself would overflow.
        const float Largest = 32767f / 32768;
        var signal = new DiscreteSignal(rate, [.. samples.Select(sample => Math.Clamp(sample, -1, Largest))]);
        InputFiles.Guard("--save", path, () =>
        {
            using var file = File.Create(path);
            new WaveFile(signal, 16).SaveTo(file);
            return true;
        });
    }
}
