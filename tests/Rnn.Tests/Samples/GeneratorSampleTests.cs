using System.Text;
using Captions;
using Chorales;
using Melodies;
using Rnn.Tensors;
using Rnn.Tests.Architecture;
using Samples;

namespace Rnn.Tests.Samples;

/// <summary>The data of the samples that write captions and music: what they make and what they read.</summary>
public sealed class GeneratorSampleTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("samples-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Melodies_stay_in_their_scale_and_fill_four_bars_mostly_step_by_step()
    {
        var data = MelodySet.Generate(new RandomSource(1), countOfEach: 50);
        Assert.Equal(["blues", "major", "minor", "pentatonic", "wholetone"], data.Genres);
        Assert.Equal([0, 2, 4, 5, 7, 9, 11], data.Scale("major").Order());
        Assert.Equal([0, 3, 5, 6, 7, 10], data.Scale("blues").Order());
        foreach (var (genre, words) in data.GenreOf.Zip(data.Words))
        {
            var notes = MelodySet.Notes(words);
            Assert.True(MelodySet.FillsBars(notes));
            Assert.Equal((32, 60), (notes.Sum(note => note.Length), notes[0].Pitch));

            // Within two steps of the scale, but for the way home.
            int[] scale = [.. data.Scale(genre).Order()];
            int[] degrees = [.. notes.Select(note => ((note.Pitch / 12) * scale.Length) + Array.IndexOf(scale, note.Pitch % 12))];
            Assert.All(Enumerable.Range(1, degrees.Length - 2), i => Assert.InRange(Math.Abs(degrees[i] - degrees[i - 1]), 0, 2));
        }
    }

    [Fact]
    public void Melodies_are_read_from_a_file_for_each_genre()
    {
        File.WriteAllText(Path.Combine(_folder, "waltz.txt"), "C4:2 F#4:1\n\nA3:8\n");
        var data = MelodySet.Read(_folder);
        Assert.Equal((1, 2), (data.Genres.Length, data.Words.Length));
        Assert.Equal([new(60, 0, 2), new Note(66, 2, 1)], MelodySet.Notes(data.Words[0]));
        File.WriteAllText(Path.Combine(_folder, "waltz.txt"), "C4:2 H4:1\n");
        Assert.Contains("waltz has H4:1", Assert.Throws<InputException>(() => MelodySet.Read(_folder)).Message);
    }

    [Fact]
    public void Pictures_say_what_they_show_and_are_read_from_files()
    {
        var pictures = Picture.Draw(new RandomSource(1), 200);
        Assert.All(pictures, picture => Assert.Matches("^a (large|small) (red|green|blue|yellow) (square|circle|triangle)( (above|left of) a (large|small) (red|green|blue|yellow) (square|circle|triangle))?$", picture.Caption));
        Assert.All(pictures, picture => Assert.Equal(16 * 16 * 3, picture.Pixels.Length));

        // Of one shape the number of pixels is that of its size.
        foreach (var picture in pictures.Where(picture => picture.Caption.Split(' ').Length == 4))
        {
            var expected = (picture.Caption.Contains("large", StringComparison.Ordinal), picture.Caption.Split(' ')[3]) switch
            {
                (true, "square") => 49,
                (true, "circle") => 29,
                (true, _) => 31,
                (false, "square") => 25,
                (false, "circle") => 13,
                (false, _) => 17,
            };
            Assert.Equal(expected, PictureFiles.Text(picture).Count("rgby".Contains));
        }

        byte[] red = [.. Encoding.ASCII.GetBytes("P6\n2 1\n255\n"), 255, 0, 0, 0, 0, 51];
        File.WriteAllBytes(Path.Combine(_folder, "red.ppm"), red);
        File.WriteAllText(Path.Combine(_folder, "captions.tsv"), string.Concat(Enumerable.Repeat("red.ppm\tred, then dark\n", 10)));
        var read = PictureFiles.Read(_folder);
        Assert.Equal((10, 2, "red, then dark"), (read.Length, read[0].Width, read[0].Caption));
        Assert.Equal([1, 0, 0, 0, 0, 0.2f], read[0].Pixels);
        Assert.Equal("r ·", PictureFiles.Text(read[0]));
        File.WriteAllBytes(Path.Combine(_folder, "red.ppm"), red[..^1]);
        Assert.Contains("red.ppm is none", Assert.Throws<InputException>(() => PictureFiles.Read(_folder)).Message);
        PictureFiles.WriteSvg(Path.Combine(_folder, "p.svg"), [.. pictures[..2]], ["one", "a < b"]);
        Assert.Equal(2 * 256, System.Xml.Linq.XDocument.Load(Path.Combine(_folder, "p.svg")).Descendants().Count(element => element.Name.LocalName == "rect"));
    }

    [Fact]
    public void Chorales_are_read_as_piano_rolls_and_become_notes_again()
    {
        var file = Path.Combine(_folder, "pieces.json");
        File.WriteAllText(file, """{"train": [[[60, 64], [60], []]], "valid": [], "test": [[[21, 108]], []]}""");
        var pieces = Pieces.Read(_folder);
        Assert.Equal((1, 0, 2), (pieces.Training.Length, pieces.Validation.Length, pieces.Test.Length));
        Assert.Equal([new(60, 0, 2), new Note(64, 0, 1)], Pieces.Notes(pieces.Training[0]));
        Assert.Equal([new(21, 0, 1), new Note(108, 0, 1)], Pieces.Notes(pieces.Test[0]));
        File.WriteAllText(file, """{"train": [[[20]]]}""");
        Assert.Contains("pitch 20 is not on a piano", Assert.Throws<InputException>(() => Pieces.Read(file)).Message);
    }

    [Fact]
    public void Made_pieces_have_up_to_four_voices_which_may_meet()
    {
        var pieces = Pieces.Generate(new RandomSource(1));
        Assert.Equal((200, 50, 50), (pieces.Training.Length, pieces.Validation.Length, pieces.Test.Length));
        foreach (var piece in pieces.Training)
        {
            var values = piece.ToArray();
            Assert.All(Enumerable.Range(0, piece.Shape[0]), step => Assert.InRange(values.AsSpan(step * Pieces.Keys, Pieces.Keys).ToArray().Sum(), 2, 4));
        }
    }

    [ChoralesFact]
    public void The_chorales_of_bach_have_their_known_sizes()
    {
        var pieces = Pieces.Read(ChoralesFactAttribute.Folder!);
        Assert.Equal((229, 76, 77), (pieces.Training.Length, pieces.Validation.Length, pieces.Test.Length));
        Assert.Equal((13_807, 4_602, 4_725), (Steps(pieces.Training), Steps(pieces.Validation), Steps(pieces.Test)));
        static int Steps(Tensor<float>[] part) => part.Sum(piece => piece.Shape[0]);
    }

    /// <summary>A test of data that are no part of the project: it is skipped where they are missing.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class ChoralesFactAttribute : FactAttribute
    {
        internal static readonly string? Folder = SourceTree.Root is { } root ? Path.Combine(root, "..", "shared", "data", "jsb-chorales") : null;

        public ChoralesFactAttribute() => Skip = Directory.Exists(Folder) ? null : "The data are not there: ../shared/data/jsb-chorales.";
    }
}
