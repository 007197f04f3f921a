using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Learning;

namespace Rnn.Tests.Layers;

/// <summary>Any number of threads infer with one layer: its first use, whole batches and streams, and right after its weights have changed.</summary>
public sealed class ConcurrentInferenceTests
{
    private const int Threads = 8;

    [Fact]
    public void New_layers_give_every_thread_the_same() => Run(layers: 60);

    [LongFact]
    public void Many_new_layers_give_every_thread_the_same() => Run(layers: 1000);

    private static void Run(int layers)
    {
        var x = Tensor<float>.RandomNormal(new RandomSource(1), 0, 1, 3, 4, 64);
        var frame = x.ToArray().AsSpan(0, 64).ToArray();
        for (var i = 0; i < layers; i++)
        {
            var options = new RecurrentOptions { Seed = (ulong)i };
            RecurrentLayer<float> Fresh() => (i % 3) switch
            {
                0 => new Lstm<float>(64, 200, new() { Seed = (ulong)i }),
                1 => new Gru<float>(64, 200, new() { Seed = (ulong)i }),
                _ => RecurrentLayer<float>.Create("lstm-peephole-layernorm", 64, 100, options, projectionSize: 40),
            };
            var (layer, alone) = (Fresh(), Fresh());
            for (var change = 0; change < 2; change++)
            {
                var expected = Infer(alone, x, frame);
                var results = Together(() => Infer(layer, x, frame));
                Assert.All(results, result => Assert.Equal(expected, result));

                // The weights change, and everybody infers at once again.
                foreach (var parameter in layer.Parameters.Concat(alone.Parameters))
                {
                    parameter.Value.AsSpan()[0] += 0.5f;
                }
            }
        }
    }

    // Output of a batch, then of two steps of a stream.
    private static float[] Infer(RecurrentLayer<float> layer, Tensor<float> x, float[] frame)
    {
        using var none = NoGradient.Enter();
        var stream = layer.CreateStream();
        var output = new float[2 * layer.OutputSize];
        stream.Step(frame, output.AsSpan(0, layer.OutputSize));
        var batch = layer.Forward(x).ToArray();
        stream.Step(frame, output.AsSpan(layer.OutputSize));
        return [.. batch, .. output];
    }

    private static float[][] Together(Func<float[]> infer)
    {
        var results = new float[Threads][];
        using var start = new Barrier(Threads);
        var threads = Enumerable.Range(0, Threads).Select(i => new Thread(() =>
        {
            start.SignalAndWait();
            results[i] = infer();
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        return results;
    }

    [Fact]
    public void A_lease_keeps_what_it_leased_when_weights_change()
    {
        var layer = new Lstm<float>(5, 7, new() { Seed = 1 });
        var frame = new float[] { 1, 2, 3, 4, 5 };
        float[] before = new float[7], after = new float[7], fresh = new float[7];
        var stream = layer.CreateStream();
        stream.Step(frame, before);
        foreach (var parameter in layer.Parameters)
        {
            parameter.Value.AsSpan()[0] = 3;
        }

        // The next step sees the new weights, as a new stream does.
        stream.Reset();
        stream.Step(frame, after);
        layer.CreateStream().Step(frame, fresh);
        Assert.Equal(fresh, after);
        Assert.NotEqual(before, after);
    }
}
