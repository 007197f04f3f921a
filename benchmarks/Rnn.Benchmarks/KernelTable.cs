using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using Rnn.Kernels;
using Rnn.Measure;

namespace Rnn.Benchmarks;

/// <summary>The command <c>kernels</c>: a table of the matrix products, each beside the machine's limit, in some seconds.</summary>
internal static unsafe class KernelTable
{
    public static int Run(string[] arguments)
    {
        var only = Arguments.Names("section", arguments, Sections).FirstOrDefault();
        var roofline = Roofline.Measure();
        Console.WriteLine(roofline);
        Console.WriteLine("best of rounds, one thread; % is of the FMA peak measured right before each line");
        if (Wanted(only, "bars"))
        {
            Products<float>("float, the bars", [(48, 512, 256), (24, 800, 400), (96, 2048, 1024)]);
        }

        if (Wanted(only, "rows"))
        {
            Products<float>("float, rows", [.. RowCounts.Select(r => (r, 1024, 256))]);
        }

        if (Wanted(only, "shapes"))
        {
            Products<float>(
                "float, shapes of layers",
                [(50, 512, 128), (2500, 512, 128), (20, 800, 200), (20, 2600, 650), (700, 2600, 650), (64, 2048, 512), (4096, 2048, 512), (32, 768, 256), (3200, 768, 64), (32, 256, 64), (3072, 256, 7), (16, 400, 100), (32, 100, 37), (32, 40, 37), (20, 100, 400), (20, 650, 2600), (700, 10000, 650), (96, 2048, 1024), (96, 4096, 2048), (20, 4096, 1024), (20, 4096, 2048)]);
        }

        if (Wanted(only, "double"))
        {
            Products<double>("double", [(48, 512, 256), (24, 800, 400), (96, 2048, 1024), (20, 800, 200), (32, 1024, 512), (64, 2048, 512), (32, 4096, 1024)]);
        }

        if (Wanted(only, "gradients"))
        {
            Gradients<float>("float, weight gradients", [(512, 128, 2500), (2600, 650, 700), (2048, 512, 4096), (256, 7, 3072), (256, 64, 3072), (768, 64, 3200), (400, 100, 640), (65, 128, 2500), (1024, 256, 3072), (1024, 64, 3072), (4096, 1024, 640)]);
            Gradients<double>("double, weight gradients", [(512, 128, 2500), (500, 128, 2500), (1024, 256, 2048)]);
        }

        if (Wanted(only, "once"))
        {
            Once<float>([(32, 512, 128), (20, 64, 20), (100, 100, 100), (700, 2600, 650), (700, 10000, 650), (8, 1024, 256), (2048, 64, 64), (1024, 1024, 1024)]);
        }

        if (Wanted(only, "packing"))
        {
            Packing<float>("float, packing", [(256, 1024), (650, 2600), (512, 2048), (100, 400)]);
        }

        if (Wanted(only, "streams"))
        {
            Streams();
        }

        return 0;
    }

    private static readonly string[] Sections = ["bars", "rows", "shapes", "double", "gradients", "once", "packing", "streams"];

    private static readonly int[] RowCounts = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 20, 25, 32, 50, 64];

    private static bool Wanted(string? only, string section) => only is null || only == section;

    private static void Products<T>(string title, (int Rows, int Outputs, int Inner)[] shapes)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Console.WriteLine();
        Console.WriteLine($"| {title}: rows × outputs, K | µs | GFLOP/s | of peak | GB/s of weights |");
        Console.WriteLine("|---|---|---|---|---|");
        var kernels = MatrixKernels<T>.Current;
        foreach (var (rows, outputs, inner) in shapes)
        {
            var a = Allocate<T>((nint)rows * inner);
            var b = Allocate<T>((nint)outputs * inner);
            var c = Allocate<T>((nint)rows * outputs);
            var packed = Allocate<T>(kernels.PackedLength(inner, outputs));
            var scratch = Allocate<T>(kernels.MultiplyScratch(rows, inner));
            kernels.Pack(b, inner, false, inner, outputs, packed, 0, kernels.PanelCount(outputs));
            var (seconds, peak) = Time<T>(() => kernels.Multiply(
                new(a, inner), rows, packed, inner, outputs, new(c, outputs), false, null, 0, kernels.PanelCount(outputs), scratch));
            var flops = 2.0 * rows * outputs * inner / seconds;
            Print($"{rows} × {outputs}, {inner}", seconds, flops, peak, $"{(double)outputs * inner * sizeof(T) / seconds / 1e9:F0}");
            Free((nint)a, (nint)b, (nint)c, (nint)packed, (nint)scratch);
        }
    }

    private static void Gradients<T>(string title, (int M, int N, int Count)[] shapes)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Console.WriteLine();
        Console.WriteLine($"| {title}: M × N, K | µs | GFLOP/s | of peak | |");
        Console.WriteLine("|---|---|---|---|---|");
        var kernels = MatrixKernels<T>.Current;
        foreach (var (m, n, count) in shapes)
        {
            var a = Allocate<T>((nint)count * m);
            var b = Allocate<T>((nint)count * n);
            var c = Allocate<T>((nint)m * n);
            var scratch = Allocate<T>(kernels.TransposedScratch(count, m, n));
            var (seconds, peak) = Time<T>(() => kernels.MultiplyTransposedA(new(a, m), new(b, n), count, m, n, c, n, 0, m, scratch));
            Print($"{m} × {n}, {count}", seconds, 2.0 * m * n * count / seconds, peak, string.Empty);
            Free((nint)a, (nint)b, (nint)c, (nint)scratch);
        }
    }

    /// <summary>Products of unpacked matrices, in each form of transposition, and by packing first.</summary>
    private static void Once<T>((int M, int N, int Inner)[] shapes)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Console.WriteLine();
        Console.WriteLine("| matrices as they lie: M × N, K, form | µs | GFLOP/s | of peak | packed first: µs |");
        Console.WriteLine("|---|---|---|---|---|");
        var kernels = MatrixKernels<T>.Current;
        foreach (var (m, n, inner) in shapes)
        {
            var a = Allocate<T>((nint)m * inner);
            var b = Allocate<T>((nint)n * inner);
            var c = Allocate<T>((nint)m * n);
            var packed = Allocate<T>(kernels.PackedLength(inner, n));
            var scratch = Allocate<T>(kernels.ProductScratch(n, inner) + kernels.MultiplyScratch(m, inner));
            foreach (var (transposeA, transposeB) in new[] { (false, false), (false, true), (true, false), (true, true) })
            {
                var (seconds, peak) = Time<T>(() => kernels.Product(
                    transposeA, transposeB, m, n, inner, a, transposeA ? m : inner, b, transposeB ? inner : n, c, n, false, null, scratch));
                var (byPacking, _) = transposeA ? default : Time<T>(() =>
                {
                    kernels.Pack(b, transposeB ? inner : n, !transposeB, inner, n, packed, 0, kernels.PanelCount(n));
                    kernels.Multiply(new(a, inner), m, packed, inner, n, new(c, n), false, null, 0, kernels.PanelCount(n), scratch);
                });
                var form = $"A{(transposeA ? "ᵀ" : string.Empty)} B{(transposeB ? "ᵀ" : string.Empty)}";
                Print($"{m} × {n}, {inner}, {form}", seconds, 2.0 * m * n * inner / seconds, peak, transposeA ? string.Empty : $"{byPacking * 1e6:F1}");
            }

            Free((nint)a, (nint)b, (nint)c, (nint)packed, (nint)scratch);
        }
    }

    private static void Packing<T>(string title, (int Inner, int Outputs)[] shapes)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Console.WriteLine();
        Console.WriteLine($"| {title}: K × outputs | µs W | GB/s | µs Wᵀ | GB/s |");
        Console.WriteLine("|---|---|---|---|---|");
        var kernels = MatrixKernels<T>.Current;
        foreach (var (inner, outputs) in shapes)
        {
            var b = Allocate<T>((nint)outputs * inner);
            var packed = Allocate<T>(kernels.PackedLength(inner, outputs));
            var (straight, _) = Time<T>(() => kernels.Pack(b, inner, false, inner, outputs, packed, 0, kernels.PanelCount(outputs)));
            var (transposed, _) = Time<T>(() => kernels.Pack(b, outputs, true, inner, outputs, packed, 0, kernels.PanelCount(outputs)));
            var bytes = (double)inner * outputs * sizeof(T) / 1e9;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"| {inner} × {outputs} | {straight * 1e6:F1} | {bytes / straight:F1} | {transposed * 1e6:F1} | {bytes / transposed:F1} |"));
            Free((nint)b, (nint)packed);
        }
    }

    /// <summary>One row through all gate products of a streaming step, in turn, as a stack of layers runs them.</summary>
    private static void Streams()
    {
        Console.WriteLine();
        Console.WriteLine("| float, one row, several products in turn: outputs, K, products | µs | GFLOP/s | of peak | GB/s of weights |");
        Console.WriteLine("|---|---|---|---|---|");
        var kernels = MatrixKernels<float>.Current;
        foreach (var (rows, outputs, inner, products) in new[]
            {
                (1, 192, 40, 1), (1, 192, 64, 2), (1, 400, 100, 1), (1, 400, 100, 2), (1, 512, 128, 1), (1, 512, 128, 2), (1, 512, 128, 4), (1, 512, 256, 1), (1, 512, 256, 2),
                (1, 1024, 256, 1), (1, 1024, 256, 2), (1, 2048, 512, 1), (1, 2048, 512, 2), (2, 1024, 256, 2), (3, 1024, 256, 2), (2, 512, 128, 2), (3, 512, 128, 2), (4, 512, 128, 2),
            })
        {
            var length = kernels.PackedLength(inner, outputs);
            var packed = Allocate<float>(length * products);
            var a = Allocate<float>(rows * inner);
            var c = Allocate<float>(rows * outputs);
            var scratch = Allocate<float>(kernels.MultiplyScratch(rows, inner));
            var (seconds, peak) = Time<float>(() =>
            {
                for (var p = 0; p < products; p++)
                {
                    kernels.Multiply(new(a, inner), rows, packed + (p * length), inner, outputs, new(c, outputs), false, null, 0, kernels.PanelCount(outputs), scratch);
                }
            });
            Print($"{rows} × {outputs}, {inner}, {products}", seconds, 2.0 * rows * outputs * inner * products / seconds, peak, $"{4.0 * outputs * inner * products / seconds / 1e9:F0}");
            Free((nint)packed, (nint)a, (nint)c, (nint)scratch);
        }
    }

    private static (double Seconds, double Peak) Time<T>(Action action)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // The machine may be shared: rounds of work and of peak in turn, the best of each.
        double seconds = double.MaxValue, peak = 0;
        for (var round = 0; round < 3; round++)
        {
            peak = Math.Max(peak, Roofline.MeasureFlops<T>());
            seconds = Math.Min(seconds, Roofline.Shortest(action));
        }

        return (seconds, peak);
    }

    private static void Print(string shape, double seconds, double flops, double peak, string more) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"| {shape} | {seconds * 1e6:F1} | {flops / 1e9:F1} | {flops / peak:P0} | {more} |"));

    private static T* Allocate<T>(nint length)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var memory = (T*)NativeMemory.AlignedAlloc((nuint)((length * sizeof(T)) + 64), 64);
        var random = new Random(1);
        for (nint i = 0; i < length; i++)
        {
            memory[i] = T.CreateTruncating(random.NextSingle() - 0.5f);
        }

        return memory;
    }

    private static void Free(params ReadOnlySpan<nint> memory)
    {
        foreach (var one in memory)
        {
            NativeMemory.AlignedFree((void*)one);
        }
    }
}
