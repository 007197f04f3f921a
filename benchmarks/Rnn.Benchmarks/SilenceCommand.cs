using System.Diagnostics;
using Rnn.Cells;
using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Measure;
using Rnn.Tensors;

namespace Rnn.Benchmarks;

/// <summary>
/// The command <c>silence [CELLS]</c>: streams of every cell after one loud input and then zeros, as sound and sensors give them. States that decay reach the
/// denormal numbers, with which many processors are a hundred times as slow; the slowest block of steps must not take much longer than usual.
/// </summary>
internal static class SilenceCommand
{
    private const int Hidden = 128;
    private const int Steps = 1200;
    private const int BlockSteps = 20;
    private const int Rounds = 15;

    public static int Run(string[] names)
    {
        Arguments.Names("cell", names, CellCatalog.Names);
        Workers.MaxThreads = 1;
        Console.WriteLine($"| stream of {Hidden} units, float | usual µs a step | slowest block, silence | ratio | slowest block, tiny inputs | ratio |");
        Console.WriteLine("|---|---|---|---|---|---|");
        var worst = 0.0;
        foreach (var name in CellCatalog.Names.Where(name => names.Length == 0 || names.Contains(name)))
        {
            foreach (var bias in new[] { true, false })
            {
                var layer = RecurrentLayer<float>.Create(name, Hidden, Hidden, new() { Seed = 1, Bias = bias });
                var random = new RandomSource(2);
                var noise = Tensor<float>.RandomNormal(random, 0, 0.3, Steps, Hidden).ToArray();
                var silence = new float[Steps * Hidden];
                noise.AsSpan(0, Hidden).CopyTo(silence);
                System.Numerics.Tensors.TensorPrimitives.Multiply(silence.AsSpan(0, Hidden), 10, silence.AsSpan(0, Hidden));
                var tiny = (float[])silence.Clone();
                tiny.AsSpan(Hidden).Fill(1e-39f);
                var usual = Blocks(layer, noise);
                Array.Sort(usual);
                var typical = usual[usual.Length / 2];
                double after = Blocks(layer, silence).Max(), withTiny = Blocks(layer, tiny).Max();
                worst = Math.Max(worst, Math.Max(after, withTiny) / typical);
                Console.WriteLine(
                    $"| {name}{(bias ? string.Empty : ", no bias")} | {typical:F2} | {after:F2} | {after / typical:F2} | {withTiny:F2} | {withTiny / typical:F2} |");
            }
        }

        Console.WriteLine($"largest ratio {worst:F2}");
        return 0;
    }

    // The shortest time of each block of steps over several rounds, in µs a step: the neighbours' load on the machine is left out.
    private static double[] Blocks(RecurrentLayer<float> layer, float[] frames)
    {
        var times = new double[Steps / BlockSteps];
        Array.Fill(times, double.MaxValue);
        var (stream, output) = (layer.CreateStream(), new float[layer.OutputSize]);
        for (var round = 0; round < Rounds; round++)
        {
            stream.Reset();
            for (var block = 0; block < times.Length; block++)
            {
                var start = Stopwatch.GetTimestamp();
                for (var step = block * BlockSteps; step < (block + 1) * BlockSteps; step++)
                {
                    stream.Step(frames.AsSpan(step * Hidden, Hidden), output);
                }

                times[block] = Math.Min(times[block], Stopwatch.GetElapsedTime(start).TotalMicroseconds / BlockSteps);
            }
        }

        return times;
    }
}
