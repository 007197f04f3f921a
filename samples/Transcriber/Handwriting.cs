using Rnn.Tensors;

namespace Transcriber;

/// <summary>Digits drawn with a pen in a row, slanted, stretched and shaky, some of them touching; a step is a column of the picture.</summary>
internal static class Handwriting
{
    /// <summary>The rows of a picture, the features of a step.</summary>
    internal const int Height = 16;

    private const string Shades = " .:-=+*#%@";

    // The corners of each digit's strokes in a box of 4 by 6: column and row, from the top left.
    private static readonly string[] Strokes =
    [
        "20 10 02 04 16 26 35 43 41 30 20", "12 20 26", "01 10 30 41 42 06 46", "01 10 30 41 32 23 33 44 45 36 16 05", "30 04 44,31 36", "40 10 02 22 33 44 35 26 06",
        "30 11 03 05 16 36 45 44 33 13 04", "00 40 16", "20 10 01 13 33 44 45 36 16 05 04 13 33 42 41 30 20", "42 33 13 02 01 10 30 41 43 26",
    ];

    /// <summary>Strings of three to six digits.</summary>
    internal static Strings Generate(RandomSource random, int count)
    {
        string[] texts = [.. Enumerable.Range(0, count).Select(_ => string.Concat(Enumerable.Range(0, 3 + random.Next(4)).Select(_ => (char)('0' + random.Next(10)))))];
        return new(Array.ConvertAll(texts, text => Write(random, text)), texts);
    }

    /// <summary>A picture as text.</summary>
    internal static string Draw(Tensor<float> picture) => string.Join('\n', Enumerable.Range(0, Height).Select(
        row => string.Concat(Enumerable.Range(0, picture.Shape[0]).Select(column => Shades[(int)Math.Clamp(picture[column, row] * (Shades.Length - 1), 0, Shades.Length - 1)])).TrimEnd()));

    private static Tensor<float> Write(RandomSource random, string text)
    {
        var (lines, x, slant, pen) = (new List<(double X0, double Y0, double X1, double Y1)>(), 2.0, Between(-0.1, 0.3), Between(0.5, 0.9));
        foreach (var digit in text)
        {
            var (width, height, top) = (Between(1, 1.7), Between(1.5, 2), Between(1, 3));
            var right = x;
            foreach (var stroke in Strokes[digit - '0'].Split(','))
            {
                var corners = stroke.Split(' ').Select(corner => Place(corner[0] - '0', corner[1] - '0')).ToArray();
                lines.AddRange(corners.Zip(corners.Skip(1), (from, to) => (from.X, from.Y, to.X, to.Y)));
                right = Math.Max(right, corners.Max(corner => corner.X));
            }

            x = right + Between(0, 4);

            (double X, double Y) Place(int column, int row) =>
                (x + (width * column) + (slant * height * (6 - row) / 2) + (0.3 * random.NextNormal()), top + (height * row) + (0.3 * random.NextNormal()));
        }

        var columns = (int)x + 2;
        var pixels = new float[columns * Height];
        for (var i = 0; i < pixels.Length; i++)
        {
            var distance = lines.Min(line => Distance(line, i / Height, i % Height));
            pixels[i] = (float)(Math.Clamp(1 + pen - distance, 0, 1) + (0.15 * random.NextNormal()));
        }

        return Tensor<float>.From(pixels, columns, Height);

        double Between(double low, double high) => low + ((high - low) * random.NextDouble());
    }

    private static double Distance((double X0, double Y0, double X1, double Y1) line, double x, double y)
    {
        var (dx, dy) = (line.X1 - line.X0, line.Y1 - line.Y0);
        var along = Math.Clamp((((x - line.X0) * dx) + ((y - line.Y0) * dy)) / Math.Max(1e-9, (dx * dx) + (dy * dy)), 0, 1);
        return Math.Sqrt(Math.Pow(x - line.X0 - (along * dx), 2) + Math.Pow(y - line.Y0 - (along * dy), 2));
    }
}
