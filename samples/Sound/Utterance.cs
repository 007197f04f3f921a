using System.Globalization;
using NWaves.Audio;
using NWaves.Operations;
using NWaves.Signals;

namespace Samples;

/// <summary>A recording of something that was said.</summary>
/// <param name="Label">What.</param>
/// <param name="Speaker">By whom.</param>
/// <param name="IsTest">Whether it is for the test.</param>
/// <param name="Signal">The sound.</param>
public sealed record Utterance(string Label, string Speaker, bool IsTest, DiscreteSignal Signal)
{
    /// <summary>The files <c>LABEL_SPEAKER_TAKE.wav</c> of a folder by name; takes 0 to 4 are for the test, as in the Free Spoken Digit Dataset.</summary>
    /// <exception cref="InputException">There is no such folder, or a file cannot be read.</exception>
    public static IReadOnlyList<Utterance> Read(string folder)
    {
        var files = InputFiles.Guard("--data", folder, () => Directory.GetFiles(folder, "*_*_*.wav"));
        Array.Sort(files, StringComparer.Ordinal);
        return Array.ConvertAll(files, path =>
        {
            var name = Path.GetFileNameWithoutExtension(path).Split('_');
            var isTest = int.TryParse(name[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var take) && take < 5;
            return new Utterance(name[0], name[1], isTest, InputFiles.Guard("--data", path, () => new WaveFile(File.ReadAllBytes(path)).Signals[0]));
        });
    }

    /// <summary>The recording as a slower or faster speaker would make it: other samples played at the old rate, so faster is higher too.</summary>
    public DiscreteSignal At(double speed) =>
        speed == 1 ? Signal : new(Signal.SamplingRate, Operation.Resample(Signal, (int)(Signal.SamplingRate / speed)).Samples);
}
