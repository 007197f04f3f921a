using System.Runtime.InteropServices;
using Rnn.Cells;
using Rnn.Measure;

namespace Rnn.Benchmarks;

/// <summary>The command <c>cells</c>: the time of the element-wise step of every cell, for [32, 256] units in cache.</summary>
internal static unsafe class CellTable
{
    private const int Rows = 32;
    private const int Units = 256;

    public static int Run(string[] names)
    {
        Arguments.Names("cell", names, CellCatalog.Names);
        Console.WriteLine(Roofline.Measure());
        Console.WriteLine();
        Console.WriteLine("| pointwise step of [32, 256], float | infer µs | train µs | back µs |");
        Console.WriteLine("|---|---|---|---|");
        foreach (var name in CellCatalog.Names.Where(name => names.Length == 0 || names.Contains(name)))
        {
            var kernels = CellCatalog.Create<float>(name);
            var block = MakeBlock(kernels.Layout);
            var phases = kernels.Layout.Phases;
            var infer = Time(() => Forward(kernels, block, phases, saves: false));
            var train = Time(() => Forward(kernels, block, phases, saves: true));
            var back = Time(() => Backward(kernels, block, phases));
            Console.WriteLine($"| {name} | {infer:F1} | {train:F1} | {back:F1} |");
        }

        return 0;
    }

    private static double Time(Action action) => 1e6 * Roofline.Shortest(action);

    private static void Forward(CellKernels<float> kernels, in CellBlock<float> block, int phases, bool saves)
    {
        for (var phase = 0; phase < phases; phase++)
        {
            kernels.Forward(phase, block, saves);
        }
    }

    private static void Backward(CellKernels<float> kernels, in CellBlock<float> block, int phases)
    {
        for (var phase = phases - 1; phase >= 0; phase--)
        {
            kernels.Backward(phase, block);
        }
    }

    private static CellBlock<float> MakeBlock(CellLayout layout)
    {
        var block = new CellBlock<float>
        {
            Rows = Rows,
            Units = Units,
            Gates = Take(layout.Gates.Count),
            Saved = Take(layout.SavedValues),
            Intermediates = Take(layout.Intermediates),
            IntermediateGradient = Take(layout.Intermediates),
            UnitWeights = Take(layout.UnitWeights.Count).Start,
            OutputGradient = Take(1),
        };
        for (var state = 0; state < layout.States.Count; state++)
        {
            block.Previous[state] = Take(1);
            block.Next[state] = Take(1);
            block.Gradient[state] = Take(1);
        }

        return block;
    }

    // Never freed: the table is a process of its own.
    private static Kernels.Rows<float> Take(int blocks)
    {
        var stride = (blocks * Units) + 16;
        var memory = (float*)NativeMemory.AlignedAlloc((nuint)(Rows * stride * sizeof(float)), 64);
        for (var i = 0; i < Rows * stride; i++)
        {
            memory[i] = ((i % 97) - 48) / 60f;
        }

        return new(memory, stride);
    }
}
