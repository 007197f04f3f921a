using System.Globalization;
using Rnn.Tensors;
using Samples;

namespace AudioClassifier;

/// <summary>Recordings as sequences of feature vectors [frames, features], with their classes.</summary>
internal sealed record Recordings(IReadOnlyList<Tensor<float>> Features, int[] Labels, IReadOnlyList<string> Classes)
{
    // A recording as slower and faster speakers would make it: training has few speakers, and each speaks once as fast.
    private static readonly double[] Speeds = [1, 0.9, 1.1];

    /// <summary>What a folder holds: recordings of vowels (ae.train, ae.test) or wav files.</summary>
    internal static (Recordings Training, Recordings Test) Read(string folder) =>
        File.Exists(Path.Combine(folder, "ae.train")) ? ReadVowels(folder) : ReadSounds(folder);

    /// <summary>Files <c>LABEL_SPEAKER_TAKE.wav</c>; takes 0 to 4 are for the test, as in the Free Spoken Digit Dataset.</summary>
    private static (Recordings Training, Recordings Test) ReadSounds(string folder)
    {
        var utterances = Utterance.Read(folder);
        string[] classes = [.. utterances.Select(utterance => utterance.Label).Distinct(StringComparer.Ordinal)];
        if (classes.Length < 2)
        {
            throw new InputException($"--data: expected a folder with ae.train and ae.test, or with files LABEL_SPEAKER_TAKE.wav of two labels or more, but {folder} has {classes.Length} labels.");
        }

        return (Load(false, Speeds), Load(true, [1]));

        Recordings Load(bool test, double[] speeds)
        {
            var (features, labels) = (new List<Tensor<float>>(), new List<int>());
            foreach (var utterance in utterances.Where(utterance => utterance.IsTest == test))
            {
                foreach (var speed in speeds)
                {
                    features.Add(LogMel.Of(utterance.At(speed)));
                    labels.Add(Array.IndexOf(classes, utterance.Label));
                }
            }

            return new(features, [.. labels], classes);
        }
    }

    /// <summary>The Japanese Vowels of UCI: nine men say a vowel; a block of lines is a recording, a line a frame of 12 cepstral coefficients.</summary>
    private static (Recordings Training, Recordings Test) ReadVowels(string folder)
    {
        string[] classes = [.. Enumerable.Range(1, 9).Select(speaker => $"speaker {speaker}")];
        return (Load("ae.train", [30, 30, 30, 30, 30, 30, 30, 30, 30]), Load("ae.test", [31, 35, 88, 44, 29, 24, 40, 50, 29]));

        Recordings Load(string file, int[] counts)
        {
            var path = InputFiles.Find("--data", folder, file);
            var blocks = InputFiles.ReadText("--data", path).ReplaceLineEndings("\n").Split("\n\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            int[] labels = [.. counts.SelectMany((count, speaker) => Enumerable.Repeat(speaker, count))];
            return blocks.Length == labels.Length
                ? new(InputFiles.Guard("--data", path, () => blocks.Select(Parse).ToArray()), labels, classes)
                : throw new InputException($"--data: expected {labels.Length} blocks of lines in {path} but it has {blocks.Length}.");
        }

        static Tensor<float> Parse(string block)
        {
            var frames = block.Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToArray();
            return Tensor<float>.From([.. frames.SelectMany(frame => frame.Select(value => float.Parse(value, CultureInfo.InvariantCulture)))], frames.Length, frames[0].Length);
        }
    }
}
