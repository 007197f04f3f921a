using System.Globalization;
using System.Security;
using System.Text;
using Samples;

namespace Captions;

/// <summary>Pictures read from files and drawn for people.</summary>
internal static class PictureFiles
{
    /// <summary>A folder with pictures of one size in the format PPM (P6) and a file captions.tsv: on each line the name of a picture, a tabulator, its caption.</summary>
    internal static Picture[] Read(string folder) => InputFiles.Guard("--data", folder, () =>
    {
        var pictures = File.ReadLines(InputFiles.Find("--data", folder, "captions.tsv")).Select(line => line.Split('\t')).Where(parts => parts.Length == 2)
            .Select(parts => ReadPpm(Path.Combine(folder, parts[0]), parts[1])).ToArray();
        return pictures.Length >= 10 && pictures.All(picture => (picture.Width, picture.Pixels.Length) == (pictures[0].Width, pictures[0].Pixels.Length))
            ? pictures
            : throw new InputException($"--data: expected ten pictures or more of one size in {folder} but there are {pictures.Length}.");
    });

    /// <summary>A picture as text: a letter for each pixel, r, g, b, y for yellow and so on, a point where it is dark.</summary>
    internal static string Text(Picture picture)
    {
        var text = new StringBuilder();
        for (var i = 0; i < picture.Pixels.Length; i += 3)
        {
            var (red, green, blue) = (picture.Pixels[i] > 0.5f, picture.Pixels[i + 1] > 0.5f, picture.Pixels[i + 2] > 0.5f);
            text.Append("·rgybmcw"[(red, green, blue) switch
            {
                (false, false, false) => 0,
                (true, false, false) => 1,
                (false, true, false) => 2,
                (true, true, false) => 3,
                (false, false, true) => 4,
                (true, false, true) => 5,
                (false, true, true) => 6,
                _ => 7,
            }]).Append((i / 3) + 1 == picture.Pixels.Length / 3 ? string.Empty : ((i / 3) + 1) % picture.Width == 0 ? "\n" : " ");
        }

        return text.ToString();
    }

    /// <summary>Writes pictures with captions below them as an SVG file.</summary>
    internal static void WriteSvg(string path, IReadOnlyList<Picture> pictures, IReadOnlyList<string> captions)
    {
        const int Columns = 3;
        const int CellWidth = 320;
        const int CellHeight = 220;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns='http://www.w3.org/2000/svg' width='{CellWidth * Columns}' height='{(pictures.Count + Columns - 1) / Columns * CellHeight}'>\n");
        for (var n = 0; n < pictures.Count; n++)
        {
            var (left, top, pixel, pixels) = (n % Columns * CellWidth, n / Columns * CellHeight, 180.0 / pictures[n].Width, pictures[n].Pixels);
            for (var i = 0; i < pixels.Length; i += 3)
            {
                svg.Append(CultureInfo.InvariantCulture, $"<rect x='{left + 70 + (i / 3 % pictures[n].Width * pixel)}' y='{top + 10 + (i / 3 / pictures[n].Width * pixel)}' width='{pixel}' height='{pixel}' fill='#")
                    .Append($"{Channel(pixels[i]):x2}{Channel(pixels[i + 1]):x2}{Channel(pixels[i + 2]):x2}'/>\n");
            }

            svg.Append(CultureInfo.InvariantCulture, $"<text x='{left + (CellWidth / 2)}' y='{top + 210}' font-family='sans-serif' font-size='12' text-anchor='middle'>")
                .Append(SecurityElement.Escape(captions[n])).Append("</text>\n");
        }

        File.WriteAllText(path, svg.Append("</svg>\n").ToString());
    }

    private static int Channel(float value) => (int)Math.Round(Math.Clamp(value, 0, 1) * 255);

    // "P6", width, height and 255, apart by white space; one more, then three bytes for each pixel.
    private static Picture ReadPpm(string path, string caption)
    {
        var bytes = File.ReadAllBytes(path);
        var (numbers, position) = (new List<int>(), 2);
        while (bytes.AsSpan().StartsWith("P6"u8) && numbers.Count < 3 && position < bytes.Length)
        {
            var start = ++position;
            while (position < bytes.Length && char.IsAsciiDigit((char)bytes[position]))
            {
                position++;
            }

            if (position > start)
            {
                numbers.Add(int.Parse(bytes.AsSpan(start, position - start), CultureInfo.InvariantCulture));
            }
        }

        return numbers is [var width, var height, 255] && bytes.Length - position - 1 == (long)width * height * 3
            ? new([.. bytes.Skip(position + 1).Select(value => value / 255f)], width, caption)
            : throw new InputException($"--data: expected a picture in the format P6, without comments, but {path} is none.");
    }
}
