using System.Diagnostics;
using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Benchmarks;

/// <summary>One measured phase of one shape.</summary>
internal sealed record Measurement(string Peer, string Shape, int Threads, string Phase, double Ms, double Flop, long Bytes);

/// <summary>Times a recurrent layer of one shape, doing the same work as the peers.</summary>
internal static class ShapeRunner
{
    /// <summary>
    /// Times inference, and a training step: forward and backward with the gradients of input, weights and biases, the weights packed anew each time.
    /// </summary>
    public static IEnumerable<Measurement> Run(RecurrentShape shape, int threads, string? phase = null)
    {
        Workers.MaxThreads = threads;
        var options = new RecurrentOptions { Layers = shape.Layers, Bidirectional = shape.Bidirectional, Seed = 1 };
        var layer = RecurrentLayer<float>.Create(shape.CellName, shape.Input, shape.Hidden, options, shape.Projection);
        var random = new RandomSource(2);
        var input = Tensor<float>.RandomNormal(random, 0, 1, shape.Batch, shape.Steps, shape.Input);
        var lengths = shape.Lengths;
        layer.Evaluate();
        if (phase is null or "infer")
        {
            yield return shape.IsStream
                ? Stream(shape, threads, layer, input)
                : Measure(shape, threads, "infer", shape.Flop, () =>
                {
                    using var off = NoGradient.Enter();
                    using var scope = TensorScope.Enter();
                    layer.Forward(input, lengths);
                });
        }

        if (phase is "infer")
        {
            yield break;
        }

        layer.Train();
        using var outer = TensorScope.Enter();
        var seed = Tensor<float>.Ones(shape.Batch, shape.Steps, layer.OutputSize);
        input.RequiresGradient = true;
        var parameters = layer.Parameters.ToArray();
        yield return Measure(shape, threads, "train", 3 * shape.Flop, () =>
        {
            using var scope = TensorScope.Enter();
            foreach (var parameter in parameters)
            {
                // As after an optimiser's step: the weights are packed anew.
                parameter.Value.Memory.MarkUpdated();
                parameter.Value.ZeroGradient();
            }

            input.ZeroGradient();
            layer.Forward(input, lengths).Output.Backward(seed);
        });
    }

    private static Measurement Stream(RecurrentShape shape, int threads, RecurrentLayer<float> layer, Tensor<float> input)
    {
        var stream = layer.CreateStream();
        var frame = input.ToArray();
        var output = new float[layer.OutputSize];
        return Measure(shape, threads, "infer", shape.Flop, () => stream.Step(frame, output));
    }

    private static Measurement Measure(RecurrentShape shape, int threads, string phase, double flop, Action action)
    {
        // A second of warm-up lets the runtime finish its optimised code, as in any program that runs for longer.
        var warm = Stopwatch.StartNew();
        var calls = 0;
        do
        {
            action();
        }
        while (++calls < 3 || warm.ElapsedMilliseconds < 1000);

        var count = (int)Math.Clamp(2e10 / flop, 7, 2000);
        var times = new double[count];
        var before = GC.GetTotalAllocatedBytes(precise: true);
        for (var i = 0; i < count; i++)
        {
            var start = Stopwatch.GetTimestamp();
            action();
            times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        var bytes = (GC.GetTotalAllocatedBytes(precise: true) - before) / count;
        Array.Sort(times);
        return new("rnn", shape.Name, threads, phase, times[count / 2], flop, bytes);
    }
}
