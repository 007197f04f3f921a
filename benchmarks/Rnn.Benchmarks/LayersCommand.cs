using System.Diagnostics;
using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Measure;
using Rnn.Tensors;

namespace Rnn.Benchmarks;

/// <summary>
/// The command <c>layers</c>: forward and backward pass of every kind of sequence layer at equal hidden size, beside the LSTM in interleaved rounds.
/// Arguments: hidden size (256), rows (32), steps (128), threads (all), rounds (15).
/// </summary>
internal static class LayersCommand
{
    public static int Run(string[] arguments)
    {
        var numbers = Array.ConvertAll(arguments, argument => Arguments.Size("layers [HIDDEN [ROWS [STEPS [THREADS [ROUNDS]]]]]", argument));
        int At(int index, int standard) => index < numbers.Length ? numbers[index] : standard;
        var (hidden, rows, steps, rounds) = (At(0, 256), At(1, 32), At(2, 128), At(4, 15));
        Workers.MaxThreads = At(3, Environment.ProcessorCount);
        var layers = new (string Name, SequenceLayer<float> Layer)[]
        {
            ("lstm", new Lstm<float>(hidden, hidden)),
            ("lstm, 4 heads", new Lstm<float>(hidden, hidden, new() { Heads = 4 })),
            ("gru", new Gru<float>(hidden, hidden)),
            ("slstm, 4 heads", new SLstm<float>(hidden, hidden, new() { Heads = 4 })),
            ("min-gru", new MinGru<float>(hidden, hidden)),
            ("min-lstm", new MinLstm<float>(hidden, hidden)),
            ("rg-lru", new RgLru<float>(hidden)),
            ("rg-lru, 8 heads", new RgLru<float>(hidden, new() { Heads = 8 })),
        };
        var input = Tensor<float>.RandomNormal(new RandomSource(1), 0, 1, rows, steps, hidden);
        input.RequiresGradient = true;
        var times = new double[layers.Length][];
        for (var i = 0; i < layers.Length; i++)
        {
            times[i] = new double[rounds];
            Time(layers[i].Layer, input);
        }

        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < layers.Length; i++)
            {
                times[i][round] = Time(layers[i].Layer, input);
            }
        }

        Console.WriteLine(FormattableString.Invariant($"| forward and backward of [{rows}, {steps}, {hidden}] → {hidden}, float, {Workers.MaxThreads} threads | ms | LSTM's time over it |"));
        Console.WriteLine("|---|---:|---:|");
        for (var i = 0; i < layers.Length; i++)
        {
            var ratios = times[0].Zip(times[i], (lstm, own) => lstm / own);
            Console.WriteLine(FormattableString.Invariant($"| {layers[i].Name} | {1000 * Median(times[i]):F1} | {Median(ratios):F2} |"));
        }

        return 0;
    }

    private static double Time(SequenceLayer<float> layer, Tensor<float> input)
    {
        var start = Stopwatch.GetTimestamp();
        using (TensorScope.Enter())
        {
            layer.Forward(input, []).Output.Sum().Backward();
        }

        var time = Stopwatch.GetElapsedTime(start).TotalSeconds;
        layer.ZeroGradients();
        input.ZeroGradient();
        return time;
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
