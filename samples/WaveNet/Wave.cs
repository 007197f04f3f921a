using Rnn.Tensors;
using Samples;

namespace Waveforms;

/// <summary>A wave and its class in each condition.</summary>
internal sealed record Wave(float[] Samples, string[] Classes);

/// <summary>Waves to learn from and others to test with, and the names of the classes of each condition.</summary>
internal sealed record WaveSet(Wave[] Training, Wave[] Test, string[][] Conditions)
{
    /// <summary>Samples a second.</summary>
    internal const int Rate = 8000;

    private static readonly string[] Instruments = ["plucked", "blown"];

    /// <summary>Recordings <c>LABEL_SPEAKER_TAKE.wav</c> of a folder, with label and speaker as conditions; takes 0 to 4 are for the test.</summary>
    internal static WaveSet Read(string folder)
    {
        var utterances = Utterance.Read(folder);
        if (!utterances.Any(utterance => utterance.IsTest) || utterances.All(utterance => utterance.IsTest) || utterances.Any(utterance => utterance.Signal.SamplingRate != Rate))
        {
            throw new InputException($"--data: expected a folder with files LABEL_SPEAKER_TAKE.wav of {Rate} samples a second, takes 0 to 4 for the test and others, but {folder} has none of one of both, or one of another rate.");
        }

        return new(Load(false), Load(true), [Names(utterance => utterance.Label), Names(utterance => utterance.Speaker)]);

        Wave[] Load(bool isTest) =>
            [.. utterances.Where(utterance => utterance.IsTest == isTest).Select(utterance => new Wave(utterance.Signal.Samples, [utterance.Label, utterance.Speaker]))];

        string[] Names(Func<Utterance, string> name) => [.. utterances.Select(name).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>Notes of two instruments that a computer plays: strings that are plucked and die away, pipes that are blown with a vibrato.</summary>
    internal static WaveSet Generate(RandomSource random)
    {
        return new(Play(120), Play(24), [Instruments]);

        Wave[] Play(int count) => [.. Enumerable.Range(0, count).Select(i => new Wave(Note(random, i % 2 == 0), [Instruments[i % 2]]))];
    }

    private static float[] Note(RandomSource random, bool plucked)
    {
        var samples = new float[(Rate / 5) + random.Next(Rate / 5)];
        var (pitch, loudness, decay, vibrato, phase) = (110 * Math.Pow(2, random.Next(25) / 12.0), Between(0.3, 0.8), Between(4, 10), Between(0.01, 0.03), 0.0);
        for (var i = 0; i < samples.Length; i++)
        {
            var time = (double)i / Rate;
            phase += 2 * Math.PI / Rate * pitch * (plucked ? 1 : 1 + (vibrato * Math.Sin(2 * Math.PI * 6 * time)));
            var envelope = plucked ? Math.Exp(-decay * time) : Math.Min(1, 20 * time);

            // High harmonics of a string die first; a pipe has odd ones.
            var sum = 0.0;
            for (var harmonic = 1; harmonic <= 5; harmonic += plucked ? 1 : 2)
            {
                sum += Math.Sin(harmonic * phase) / harmonic * (plucked ? Math.Exp(-3 * harmonic * time) : 1);
            }

            samples[i] = (float)((0.4 * loudness * envelope * sum) + (0.002 * random.NextNormal()));
        }

        return samples;

        double Between(double low, double high) => low + ((high - low) * random.NextDouble());
    }
}

/// <summary>What reads the samples.</summary>
internal enum LayerKind
{
    /// <summary>Dilated causal convolutions.</summary>
    WaveNet,

    /// <summary>A recurrent layer.</summary>
    Lstm,
}
