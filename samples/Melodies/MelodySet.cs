using Rnn.Tensors;
using Samples;

namespace Melodies;

/// <summary>Melodies with their genres. A melody is a list of words PITCH:LENGTH, such as <c>F#4:2</c>; lengths are eighths.</summary>
internal sealed record MelodySet(string[] Genres, string[] GenreOf, string[][] Words)
{
    private const int EighthsOfBar = 8;
    private const int Bars = 4;

    // The steps of each scale above C, and how likely its notes last one, two, three and four eighths.
    private static readonly (string Genre, int[] Scale, int[] Rhythm)[] Kinds =
    [
        ("blues", [0, 3, 5, 6, 7, 10], [3, 1, 4, 1]),
        ("major", [0, 2, 4, 5, 7, 9, 11], [2, 5, 0, 1]),
        ("minor", [0, 2, 3, 5, 7, 8, 10], [1, 5, 1, 2]),
        ("pentatonic", [0, 2, 4, 7, 9], [5, 3, 0, 1]),
        ("wholetone", [0, 2, 4, 6, 8, 10], [0, 2, 1, 4]),
    ];

    /// <summary>Melodies that go up and down their scale, mostly step by step: four bars that begin with C and mostly end with it.</summary>
    internal static MelodySet Generate(RandomSource random, int countOfEach)
    {
        var melodies = Enumerable.Range(0, countOfEach).SelectMany(_ => Kinds).Select(kind => (kind.Genre, Words: Melody(random, kind.Scale, kind.Rhythm))).ToArray();
        return new([.. Kinds.Select(kind => kind.Genre)], [.. melodies.Select(melody => melody.Genre)], [.. melodies.Select(melody => melody.Words)]);
    }

    /// <summary>A folder of melodies: one file for each genre, named after it, with one melody on each line.</summary>
    internal static MelodySet Read(string folder)
    {
        var files = InputFiles.Guard("--data", folder, () => Directory.GetFiles(folder, "*.txt"));
        Array.Sort(files, StringComparer.Ordinal);
        var melodies = files.SelectMany(file => File.ReadLines(file).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(words => words.Length > 0)
            .Select(words => (Genre: Path.GetFileNameWithoutExtension(file), Words: words))).ToArray();
        if (melodies.Length == 0)
        {
            throw new InputException($"--data: expected a folder with a .txt file for each genre, one melody on each line, but {folder} has none.");
        }

        foreach (var (genre, words) in melodies)
        {
            if (words.FirstOrDefault(word => !TryParse(word, out _, out _)) is { } wrong)
            {
                throw new InputException($"--data: expected notes such as F#4:2 (pitch and eighths, 1 to 64) but a melody of {genre} has {wrong}.");
            }
        }

        return new([.. melodies.Select(melody => melody.Genre).Distinct()], [.. melodies.Select(melody => melody.Genre)], [.. melodies.Select(melody => melody.Words)]);
    }

    /// <summary>The pitch classes that the melodies of a genre have: its scale.</summary>
    internal HashSet<int> Scale(string genre) => [.. Words.Where((_, i) => GenreOf[i] == genre).SelectMany(Notes).Select(note => note.Pitch % 12)];

    /// <summary>The notes of a melody; what is no note is left out.</summary>
    internal static IReadOnlyList<Note> Notes(IEnumerable<string> words)
    {
        var (notes, time) = (new List<Note>(), 0);
        foreach (var word in words)
        {
            if (TryParse(word, out var pitch, out var length))
            {
                notes.Add(new(pitch, time, length));
                time += length;
            }
        }

        return notes;
    }

    /// <summary>Whether a melody fills whole bars, to the end of its last note.</summary>
    internal static bool FillsBars(IReadOnlyList<Note> notes) => notes is [.., var last] && (last.Start + last.Length) % EighthsOfBar == 0;

    private static string[] Melody(RandomSource random, int[] scale, int[] rhythm)
    {
        // Degrees are counted from C4 in steps of the scale.
        var (words, degree) = (new List<string>(), 0);
        for (var time = 0; time < Bars * EighthsOfBar;)
        {
            var left = EighthsOfBar - (time % EighthsOfBar);
            var isLast = time >= (Bars * EighthsOfBar) - 2;
            var length = isLast ? left : Math.Min(left, Draw(random, rhythm) + 1);
            var octave = Math.DivRem(degree, scale.Length, out var step);
            words.Add($"{Note.Name(60 + (12 * octave) + scale[step])}:{length}");
            time += length;
            degree += random.Next(6) switch { 0 => -2, 1 or 2 => -1, 3 or 4 => 1, _ => 2 };

            // Home for a short last note; else within two octaves.
            var last = scale.Length * 2;
            degree = time >= (Bars * EighthsOfBar) - 2 ? 0 : degree < 0 ? 1 : degree > last ? last - 1 : degree;
        }

        return [.. words];
    }

    private static int Draw(RandomSource random, int[] weights)
    {
        var point = random.Next(weights.Sum());
        var index = 0;
        for (; point >= weights[index]; index++)
        {
            point -= weights[index];
        }

        return index;
    }

    private static bool TryParse(string word, out int pitch, out int length)
    {
        var colon = word.IndexOf(':', StringComparison.Ordinal);
        (pitch, length) = (colon > 0 ? Note.ParsePitch(word.AsSpan(0, colon)) ?? -1 : -1, 0);
        return pitch >= 0 && int.TryParse(word.AsSpan(colon + 1), out length) && length is >= 1 and <= 64;
    }
}
