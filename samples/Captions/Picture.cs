using Rnn.Tensors;

namespace Captions;

/// <summary>A little picture and what it shows.</summary>
/// <param name="Pixels">[height · width · 3]: red, green and blue of each pixel, row by row, from 0 to 1.</param>
/// <param name="Width">The pixels of a row.</param>
/// <param name="Caption">Such as "a small red circle above a large blue square".</param>
internal sealed record Picture(float[] Pixels, int Width, string Caption)
{
    private const int Size = 16;
    private const int Small = 5;
    private const int Large = 7;
    private const float Noise = 0.05f;

    private static readonly (string Name, float[] Rgb)[] Colours =
        [("red", [0.9f, 0.1f, 0.1f]), ("green", [0.1f, 0.8f, 0.2f]), ("blue", [0.2f, 0.3f, 1]), ("yellow", [0.9f, 0.9f, 0.1f])];

    // Whether a shape of a size covers a point, counted from its upper left corner.
    private static readonly (string Name, Func<int, int, int, bool> Covers)[] Shapes =
    [
        ("square", (_, _, _) => true),
        ("circle", (size, x, y) => Square(x, size) + Square(y, size) <= Square(0, size) + 0.5),
        ("triangle", (size, x, y) => Square(x, size) <= Math.Pow((y + 1) / 2.0, 2)),
    ];

    /// <summary>A picture by chance, with a little noise: one shape, or two, one above the other or side by side.</summary>
    internal static Picture Draw(RandomSource random)
    {
        var pixels = new float[Size * Size * 3];
        random.FillNormal(pixels.AsSpan(), 0, Noise);
        return new(pixels, Size, random.Next(3) switch
        {
            0 => Add(0, 0, Size, Size),
            1 => $"{Add(0, 0, Size, Size / 2)} above {Add(0, Size / 2, Size, Size / 2)}",
            _ => $"{Add(0, 0, Size / 2, Size)} left of {Add(Size / 2, 0, Size / 2, Size)}",
        });

        // About in the middle of the room that there is.
        int Place(int room) => (room / 2) + random.Next(-Math.Min(room / 2, 1), Math.Min(room - (room / 2), 1) + 1);

        // Puts a shape into a part of the picture.
        string Add(int left, int top, int width, int height)
        {
            var (colour, shape, isLarge) = (Colours[random.Next(Colours.Length)], Shapes[random.Next(Shapes.Length)], random.Next(2) == 1);
            var size = isLarge ? Large : Small;
            var (x0, y0) = (left + Place(width - size), top + Place(height - size));
            for (var i = 0; i < size * size * 3; i++)
            {
                var (x, y, channel) = (i / 3 % size, i / 3 / size, i % 3);
                pixels[((((y0 + y) * Size) + x0 + x) * 3) + channel] += shape.Covers(size, x, y) ? colour.Rgb[channel] : 0;
            }

            return $"a {(isLarge ? "large" : "small")} {colour.Name} {shape.Name}";
        }
    }

    /// <summary>Several pictures by chance.</summary>
    internal static Picture[] Draw(RandomSource random, int count) => [.. Enumerable.Range(0, count).Select(_ => Draw(random))];

    /// <summary>Pictures as a tensor [N, height · width · 3].</summary>
    internal static Tensor<float> Stack(IReadOnlyList<Picture> pictures) => Tensor<float>.FromRows([.. pictures.Select(picture => picture.Pixels)]);

    // The squared distance from the middle of a shape.
    private static double Square(int x, int size) => Math.Pow(x - ((size - 1) / 2.0), 2);
}
