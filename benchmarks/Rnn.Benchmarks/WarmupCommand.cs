using System.Diagnostics;
using System.Globalization;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Benchmarks;

/// <summary>
/// The command <c>warmup</c>: how long after the process's start the first training step of char-lm ends, and how fast the steps of the first two
/// seconds are. Run it under the runtime's default settings, as a consumer's program has them.
/// </summary>
internal static class WarmupCommand
{
    public static int Run()
    {
        var start = Process.GetCurrentProcess().StartTime;
        var layer = new Lstm<float>(128, 128, new() { Layers = 2 });
        var input = Tensor<float>.RandomNormal(new RandomSource(1), 0, 1, 50, 50, 128);
        input.RequiresGradient = true;
        using var outer = TensorScope.Enter();
        var seed = Tensor<float>.Ones(50, 50, 128);
        Step(layer, input, seed);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"first training step of char-lm ended {(DateTime.Now - start).TotalMilliseconds:F0} ms after the process's start"));
        var watch = Stopwatch.StartNew();
        var next = 100;
        while (watch.ElapsedMilliseconds < 2000)
        {
            var before = watch.Elapsed.TotalMilliseconds;
            Step(layer, input, seed);
            if (watch.ElapsedMilliseconds >= next)
            {
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"after {watch.ElapsedMilliseconds,5} ms: {watch.Elapsed.TotalMilliseconds - before:F2} ms a step"));
                next = (int)watch.ElapsedMilliseconds + 150;
            }
        }

        return 0;
    }

    private static void Step(Lstm<float> layer, Tensor<float> input, Tensor<float> seed)
    {
        using var scope = TensorScope.Enter();
        foreach (var parameter in layer.Parameters)
        {
            parameter.Value.Memory.MarkUpdated();
            parameter.Value.ZeroGradient();
        }

        input.ZeroGradient();
        layer.Forward(input).Backward(seed);
    }
}
