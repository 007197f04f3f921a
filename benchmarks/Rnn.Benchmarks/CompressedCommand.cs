using System.Diagnostics;
using System.Globalization;
using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Benchmarks;

/// <summary>
/// The command <c>compressed [CELL] [SIZE]</c>: steps of one layer (SIZE → SIZE) with weights of 32, 16 and 8 bits in turn, for 1 to 20 rows, and how fast the weights are read beside what
/// one thread reads from the third-level cache.
/// </summary>
internal static class CompressedCommand
{
    private const int Rounds = 41;

    private static readonly WeightFormat[] Formats = [WeightFormat.Single, WeightFormat.BFloat16, WeightFormat.Int8];

    public static int Run(string[] arguments)
    {
        Workers.MaxThreads = 1;
        var cell = arguments.Length > 0 ? arguments[0] : "lstm";
        var size = arguments.Length > 1 ? int.Parse(arguments[1], CultureInfo.InvariantCulture) : 256;
        var roofline = Roofline.Measure();
        Console.WriteLine(roofline);
        Console.WriteLine($"| {cell} {size} → {size}, rows | " + string.Join(" | ", Formats.Select(format => $"{format}: µs a step | GB/s of weights | of the third-level cache's | times as fast")) + " |");
        Console.WriteLine($"|---|{string.Concat(Enumerable.Repeat("---|---|---|---|", Formats.Length))}");
        foreach (var rows in new[] { 1, 2, 3, 4, 6, 8, 12, 20 })
        {
            Console.WriteLine($"| {rows} | {string.Join(" | ", Measure(cell, size, rows, roofline.L3Bytes))} |");
        }

        return 0;
    }

    // Layers of the same weights take turns, so that what else the machine does meets all of them.
    private static List<string> Measure(string cell, int size, int rows, double bandwidth)
    {
        var layers = Formats.Select(format =>
        {
            var layer = RecurrentLayer<float>.Create(cell, size, size, new() { Seed = 1 });
            layer.Compress(format);
            return layer;
        }).ToArray();
        var steppers = layers.Select(layer => layer.CreateStepper(rows)).ToArray();
        var input = Tensor<float>.RandomNormal(new RandomSource(2), 0, 1, rows, size).ToArray();
        var output = new float[rows * size];
        var steps = Math.Max(10, 800 / rows);
        var times = Formats.Select(_ => new double[Rounds]).ToArray();
        for (var round = -10; round < Rounds; round++)
        {
            for (var i = 0; i < steppers.Length; i++)
            {
                var start = Stopwatch.GetTimestamp();
                for (var step = 0; step < steps; step++)
                {
                    steppers[i].Step(input, output);
                }

                if (round >= 0)
                {
                    times[i][round] = Stopwatch.GetElapsedTime(start).TotalSeconds / steps;
                }
            }
        }

        var weights = layers[0].Parameters.Where(parameter => parameter.Shape.Rank == 2).Sum(parameter => (double)parameter.Length);
        return [.. Formats.Select((format, i) =>
        {
            var ratios = times[0].Zip(times[i], (full, other) => full / other).Order().ToArray();
            var time = times[i].Order().ElementAt(Rounds / 2);
            var rate = weights * Bytes(format) / time;
            return $"{time * 1e6:F2} | {rate / 1e9:F0} | {rate / bandwidth:P0} | {ratios[Rounds / 2]:F2}";
        })];
    }

    private static int Bytes(WeightFormat format) => format switch
    {
        WeightFormat.BFloat16 => 2,
        WeightFormat.Int8 => 1,
        _ => 4,
    };
}
