using NWaves.Signals;
using Rnn.Tensors;
using Samples;

namespace Transcriber;

/// <summary>Spoken digits, joined to strings of three to five by one speaker with short pauses; a step is a frame of the spectrogram.</summary>
internal static class Speech
{
    // A recording as slower and faster speakers would make it, since training has few speakers and each speaks once as fast.
    private static readonly double[] Speeds = [1, 0.9, 1.1];

    /// <summary>Strings of the recordings of a folder: those for the training of other recordings than those for the test.</summary>
    internal static (Strings Training, Strings Test) Read(string folder, RandomSource random, int training, int test)
    {
        var utterances = Utterance.Read(folder);
        var wrong = utterances.FirstOrDefault(utterance => utterance.Label.Length != 1 || !char.IsAsciiDigit(utterance.Label[0]));
        if (wrong is not null || !utterances.Any(utterance => utterance.IsTest) || utterances.All(utterance => utterance.IsTest))
        {
            throw new InputException($"--data: expected a folder with files DIGIT_SPEAKER_TAKE.wav, takes 0 to 4 for the test and others, but {folder} {(wrong is null ? "has none of one of both" : $"has one of '{wrong.Label}'")}.");
        }

        return (Join(false, training), Join(true, test));

        Strings Join(bool isTest, int count)
        {
            var speakers = utterances.Where(utterance => utterance.IsTest == isTest).GroupBy(utterance => utterance.Speaker)
                .Select(speaker => speaker.SelectMany(utterance => (isTest ? [1] : Speeds).Select(speed => utterance with { Signal = utterance.At(speed) })).ToArray()).ToArray();
            var (features, texts) = (new Tensor<float>[count], new string[count]);
            for (var i = 0; i < count; i++)
            {
                var speaker = speakers[random.Next(speakers.Length)];
                var said = Enumerable.Range(0, 3 + random.Next(3)).Select(_ => speaker[random.Next(speaker.Length)]).ToArray();
                texts[i] = string.Concat(said.Select(utterance => utterance.Label));
                features[i] = LogMel.Of(Say(random, said));
            }

            return new(features, texts);
        }
    }

    // Pauses of up to a quarter of a second, as quiet as a room.
    private static DiscreteSignal Say(RandomSource random, Utterance[] said)
    {
        var rate = said[0].Signal.SamplingRate;
        var samples = new List<float>();
        Pause();
        foreach (var utterance in said)
        {
            samples.AddRange(utterance.Signal.Samples);
            Pause();
        }

        return new(rate, [.. samples]);

        void Pause() => samples.AddRange(Enumerable.Range(0, random.Next(rate / 4)).Select(_ => 1e-3f * (float)random.NextNormal()));
    }
}
