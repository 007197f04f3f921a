using System.Text.Json;
using Rnn.Tensors;
using Samples;

namespace Chorales;

/// <summary>Pieces of music as piano rolls [steps, keys]: 1 where a key of the piano sounds in a step, a quarter note.</summary>
internal sealed record Pieces(Tensor<float>[] Training, Tensor<float>[] Validation, Tensor<float>[] Test)
{
    /// <summary>The keys of a piano.</summary>
    internal const int Keys = 88;

    private const int LowestPitch = 21;

    // Chords of C major by their pitch classes, the root first, and which of them may follow each.
    private static readonly (int[] Tones, int[] Next)[] Chords =
    [
        ([0, 4, 7], [0, 1, 2, 3, 4, 4, 5, 5]),     // I
        ([2, 5, 9], [4, 4, 4, 6]),                 // ii
        ([4, 7, 11], [3, 5, 5]),                   // iii
        ([5, 9, 0], [0, 1, 4, 4, 3]),              // IV
        ([7, 11, 2], [0, 0, 0, 4, 5]),             // V
        ([9, 0, 4], [1, 1, 3, 3, 4]),              // vi
        ([11, 2, 5], [0, 0, 2]),                   // vii°
    ];

    /// <summary>Progressions of chords for four voices, from the tonic to the tonic.</summary>
    internal static Pieces Generate(RandomSource random)
    {
        Tensor<float>[] pieces = [.. Enumerable.Range(0, 300).Select(_ => Piece(random, 24 + (8 * random.Next(5))))];
        return new(pieces[..200], pieces[200..250], pieces[250..]);
    }

    /// <summary>A JSON file with lists of pieces under train, valid and test: a piece is a list of steps, a step a list of MIDI pitches.</summary>
    /// <param name="path">The file, or the folder that it is the only one in.</param>
    internal static Pieces Read(string path) => InputFiles.Guard("--data", path, () =>
    {
        var file = Directory.Exists(path) && Directory.GetFiles(path, "*.json") is [var only] ? only : path;
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            return new Pieces(Part("train"), Part("valid"), Part("test"));
            Tensor<float>[] Part(string name) => [.. document.RootElement.GetProperty(name).EnumerateArray().Select(Roll)];
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new InputException($"--data: expected lists of pieces under train, valid and test, of steps that are lists of pitches, but {file} has something else. {error.Message}", error);
        }
    });

    /// <summary>The notes of a piece; a key that sounds on is one note.</summary>
    internal static IReadOnlyList<Note> Notes(Tensor<float> piece)
    {
        var notes = new List<Note>();
        for (var key = 0; key < Keys; key++)
        {
            for (var step = 0; step < piece.Shape[0]; step++)
            {
                if (piece[step, key] > 0.5f)
                {
                    var start = step;
                    while (step + 1 < piece.Shape[0] && piece[step + 1, key] > 0.5f)
                    {
                        step++;
                    }

                    notes.Add(new(key + LowestPitch, start, step + 1 - start));
                }
            }
        }

        return notes;
    }

    private static Tensor<float> Roll(JsonElement piece)
    {
        var roll = Tensor<float>.Zeros(piece.GetArrayLength(), Keys);
        foreach (var (step, pitches) in piece.EnumerateArray().Index())
        {
            foreach (var pitch in pitches.EnumerateArray())
            {
                var key = pitch.GetInt32() - LowestPitch;
                roll[step, key is >= 0 and < Keys ? key : throw new JsonException($"the pitch {key + LowestPitch} is not on a piano ({LowestPitch} to {LowestPitch + Keys - 1})")] = 1;
            }
        }

        return roll;
    }

    private static Tensor<float> Piece(RandomSource random, int steps)
    {
        var (roll, chord, voices) = (Tensor<float>.Zeros(steps, Keys), 0, new[] { 48, 55, 64, 72 });
        for (var step = 0; step < steps; step++)
        {
            var next = Chords[chord].Next;

            // A cadence at the end; else the chord changes three times of four.
            chord = step == steps - 1 || step == 0 ? 0 : step == steps - 2 ? 4 : random.Next(4) == 0 ? chord : next[random.Next(next.Length)];
            var tones = Chords[chord].Tones;
            voices[0] = Nearest(voices[0], 40, 57, tones[..1]);
            for (var voice = 1; voice < voices.Length; voice++)
            {
                voices[voice] = Nearest(voices[voice] + random.Next(-1, 2), 45 + (7 * voice), 59 + (7 * voice), tones);
            }

            foreach (var pitch in voices)
            {
                roll[step, pitch - LowestPitch] = 1;
            }
        }

        return roll;
    }

    // The pitch of some tones within a voice's range that is nearest to the one before.
    private static int Nearest(int before, int low, int high, int[] tones) =>
        Enumerable.Range(low, high - low + 1).Where(pitch => Array.IndexOf(tones, pitch % 12) >= 0).MinBy(pitch => Math.Abs(pitch - before));
}
