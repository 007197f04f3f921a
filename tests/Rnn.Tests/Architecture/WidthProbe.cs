using System.Numerics;
using System.Runtime.InteropServices;
using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Tests.Architecture;

/// <summary>
/// Runs recurrent layers with every option, and with compressed weights, forward, back and step by step, and prints all numbers that come of it, a line each:
/// <c>CASE TYPE NUMBERS</c>, the numbers in base 64. Tests compare the lines of processes with vectors of different widths.
/// </summary>
internal static class WidthProbe
{
    /// <summary>The command line's word for this probe.</summary>
    internal const string Word = "widths";

    /// <summary>The mark of numbers that are the same bits at every width.</summary>
    internal const string SameBits = "same";

    /// <summary>The mark of numbers that contain sums over rows, whose order follows the width.</summary>
    internal const string Near = "near";

    private const int Inputs = 5;

    // One more than a whole number of any vectors.
    private const int Hidden = 33;

    private static readonly int[] Lengths = [4, 0, 6, 1, 3];

    internal static void Run()
    {
        Console.WriteLine($"width {Simd.VectorBits} {(Simd.HasFusedMultiplyAdd ? "fused" : "unfused")}");
        RunAll<float>();
        RunAll<double>();
        RunCompressed();
    }

    private static void RunAll<T>()
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Run("lstm", new Lstm<T>(Inputs, Hidden, new() { Seed = 1 }));
        Run("lstm-projection", new Lstm<T>(Inputs, Hidden, new() { Seed = 1, ProjectionSize = 7, Layers = 2 }));
        Run("lstm-zoneout", new Lstm<T>(Inputs, Hidden, new() { Seed = 1, HiddenZoneout = 0.3, CellZoneout = 0.2 }));
        Run("lstm-recurrent-dropout", new Lstm<T>(Inputs, Hidden, new() { Seed = 1, RecurrentDropout = 0.4 }));
        Run("lstm-weight-drop", new Lstm<T>(Inputs, Hidden, new() { Seed = 1, WeightDrop = 0.4 }));
        Run("lstm-peepholes", new Lstm<T>(Inputs, Hidden, new() { Seed = 1, Peepholes = Peepholes.Full }));
        Run("lstm-normalized", new Lstm<T>(Inputs, Hidden, new() { Seed = 1, LayerNormalization = true }));
        Run("gru-normalized", new Gru<T>(Inputs, Hidden, new() { Seed = 1, LayerNormalization = true, HiddenZoneout = 0.3 }));
        Run("gru-dropout-stack", new Gru<T>(Inputs, Hidden, new() { Seed = 1, Layers = 2, Dropout = 0.3, Residual = true, Bidirectional = true }));
        Run("gru-mean", new Gru<T>(Inputs, Hidden, new() { Seed = 1, Layers = 2, Bidirectional = true, Merge = DirectionMerge.Mean }));
        Run("slstm-heads", new SLstm<T>(Inputs, Hidden, new() { Seed = 1, Heads = 3, RecurrentDropout = 0.4 }));
        Run("rnn", new SimpleRnn<T>(Inputs, Hidden, new() { Seed = 1, LearnedInitialState = true, ProjectionSize = 9 }));
    }

    private static void RunCompressed()
    {
        foreach (var format in new[] { WeightFormat.BFloat16, WeightFormat.Int8 })
        {
            var lstm = new Lstm<float>(Inputs, Hidden, new() { Seed = 1, ProjectionSize = 7, Layers = 2 });
            lstm.Compress(format);
            Run($"lstm-{format}", lstm);

            var gru = new Gru<float>(Inputs, Hidden, new() { Seed = 1, Layers = 2, Bidirectional = true });
            gru.Compress(format);
            Run($"gru-{format}", gru);
        }
    }

    private static void Run<T>(string name, RecurrentLayer<T> layer)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var x = Tensor<T>.RandomNormal(new RandomSource(2), 0, 1, Lengths.Length, 6, Inputs);
        x.RequiresGradient = true;
        var output = layer.Forward(x, Lengths);
        output.Output.Square().Sum().Backward();
        List<T> numbers = [.. output.Output.ToArray(), .. x.Gradient!.ToArray()];
        foreach (var (_, parameter) in layer.NamedParameters)
        {
            numbers.AddRange(parameter.Frozen ? [] : parameter.Value.Gradient!.ToArray());
        }

        // What is drawn in training is the expectation here, and steps go a way of their own.
        layer.Evaluate();
        numbers.AddRange(layer.Forward(x, Lengths).Output.ToArray());
        if (!layer.Options.Bidirectional)
        {
            AddSteps(layer, x, rows: 1, numbers);
            AddSteps(layer, x, Lengths.Length, numbers);
        }

        Console.WriteLine($"{name} {typeof(T).Name} {(layer.Options.LayerNormalization ? Near : SameBits)} {Convert.ToBase64String(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(numbers)))}");
    }

    private static void AddSteps<T>(RecurrentLayer<T> layer, Tensor<T> x, int rows, List<T> numbers)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var stepper = layer.CreateStepper(rows);
        var output = new T[rows * layer.OutputSize];
        for (var step = 0; step < x.Shape[1]; step++)
        {
            stepper.Step(x.Select(1, step).AsReadOnlySpan()[..(rows * Inputs)], output);
            numbers.AddRange(output);
        }
    }
}
