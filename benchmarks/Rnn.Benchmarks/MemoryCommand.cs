using System.Diagnostics;
using System.Globalization;
using Rnn.Layers;
using Rnn.Measure;
using Rnn.Tensors;

namespace Rnn.Benchmarks;

/// <summary>
/// How much memory a process holds, one scenario for each process: <c>small</c> trains on small batches, <c>large</c> on a single large one before them,
/// <c>forwards</c> runs forward passes in training mode without a backward pass.
/// </summary>
internal static class MemoryCommand
{
    private const string Usage = "memory [small|large|forwards [COUNT]]";
    private const int Hidden = 256;
    private const int Input = 64;

    internal static int Run(string[] arguments)
    {
        var scenario = arguments is [var name, ..] ? name : "small";
        var count = arguments.Length > 1 ? Arguments.Size(Usage, arguments[1]) : 20;
        var layer = new Lstm<float>(Input, Hidden);
        Action run = scenario switch
        {
            "small" => () => Repeat(count, () => Train(layer, 16, 20)),
            "large" => () => Large(layer, count),
            "forwards" => () => Repeat(count, () => layer.Forward(Tensor<float>.Zeros(16, 10, Input))),
            _ => throw new UsageException($"expected small, large or forwards but got '{scenario}'; usage: {Usage}"),
        };
        Train(layer, 16, 20);
        run();
        Report(scenario);
        for (var i = 0; i < 5; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Report("after five collections");
        return 0;
    }

    private static void Large(Lstm<float> layer, int count)
    {
        Train(layer, 400, 400);
        Report("after the large batch");
        Repeat(count, () => Train(layer, 16, 20));
    }

    private static void Repeat(int count, Action step)
    {
        for (var i = 0; i < count; i++)
        {
            step();
            if (count >= 1000 && (i + 1) % (count / 5) == 0)
            {
                Report($"after {i + 1}");
            }
        }
    }

    private static void Train(Lstm<float> layer, int rows, int steps)
    {
        layer.ZeroGradients();
        layer.Forward(Tensor<float>.Zeros(rows, steps, Input)).Sum().Backward();
    }

    private static void Report(string what)
    {
        using var process = Process.GetCurrentProcess();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{what,-24} managed {GC.GetTotalMemory(false) / 1e6,8:F1} MB   working set {process.WorkingSet64 / 1e6,8:F1} MB   peak {process.PeakWorkingSet64 / 1e6,8:F1} MB   collections {GC.CollectionCount(0)}/{GC.CollectionCount(1)}/{GC.CollectionCount(2)}"));
    }
}
