using Rnn.Tensors;

namespace VideoClassifier;

/// <summary>Films of a small shape that moves in one of eight directions before a noisy ground, each a tensor [frames, pixels], with their directions.</summary>
internal sealed record Films(IReadOnlyList<Tensor<float>> Frames, int[] Labels)
{
    private const int Size = 12;
    private const string Shades = " .:-=+*#%@";
    private static readonly string[][] Shapes = [["##", "##"], ["# ", "##"], ["###"], [" # ", "###"], ["#", "#", "#"], ["# #", " # "]];

    /// <summary>The numbers of a frame.</summary>
    internal const int Pixels = Size * Size;

    /// <summary>The directions, clockwise.</summary>
    internal static readonly string[] Directions = ["up", "up right", "right", "down right", "down", "down left", "left", "up left"];

    /// <summary>Films of random shapes, places, directions and lengths. What leaves the picture comes back on the other side, so that a single frame tells nothing.</summary>
    internal static Films Generate(RandomSource random, int count)
    {
        var (films, labels) = (new Tensor<float>[count], new int[count]);
        for (var i = 0; i < count; i++)
        {
            var (shape, row, column, frames) = (Shapes[random.Next(Shapes.Length)], random.Next(Size), random.Next(Size), 6 + random.Next(7));
            labels[i] = random.Next(Directions.Length);
            var angle = labels[i] * Math.PI / 4;
            var (down, right) = (-(int)Math.Round(Math.Cos(angle)), (int)Math.Round(Math.Sin(angle)));
            var pixels = new float[frames * Pixels];
            for (var t = 0; t < frames; t++)
            {
                for (var y = 0; y < shape.Length; y++)
                {
                    for (var x = 0; x < shape[y].Length; x++)
                    {
                        pixels[(t * Pixels) + (Wrap(row + (t * down) + y) * Size) + Wrap(column + (t * right) + x)] = shape[y][x] == '#' ? 1 : 0;
                    }
                }
            }

            foreach (ref var pixel in pixels.AsSpan())
            {
                pixel += 0.25f * (float)random.NextNormal();
            }

            films[i] = Tensor<float>.From(pixels, frames, Pixels);
        }

        return new(films, labels);

        static int Wrap(int place) => ((place % Size) + Size) % Size;
    }

    /// <summary>The first frames of a film as text, side by side.</summary>
    internal static string Draw(Tensor<float> film) => string.Join('\n', Enumerable.Range(0, Size).Select(
        row => string.Join(" | ", Enumerable.Range(0, Math.Min(6, film.Shape[0])).Select(
            frame => string.Concat(Enumerable.Range(0, Size).Select(column => Shades[(int)Math.Clamp(film[frame, (row * Size) + column] * (Shades.Length - 1), 0, Shades.Length - 1)]))))));
}
