using Rnn.Kernels;
using Rnn.Tensors;
using Rnn.Tests.Autograd;
using Rnn.Training;

namespace Rnn.Tests.Training;

// Buffers are counted and threads set for the whole process: apart from all other tests.
[Collection(nameof(CountsBuffers))]
public class SharedResourceTests
{
    // Large vocabularies, rows over both threads: the same bits, and nothing but the node left on the heap.
    [Fact]
    public void Threads_do_not_change_a_bit()
    {
        var before = Workers.MaxThreads;
        try
        {
            var random = new RandomSource(5);
            var logits = Tensor<float>.RandomNormal(random, 0, 3, 13, 5003);
            logits.RequiresGradient = true;
            var targets = Enumerable.Range(0, 13).Select(_ => random.Next(5003)).ToArray();
            var results = Enumerable.Range(1, 3).Select(threads =>
            {
                Workers.MaxThreads = threads;
                logits.ZeroGradient();
                var loss = Loss.CrossEntropy(logits, targets, options: new() { LabelSmoothing = 0.1 });
                loss.Backward();
                return (loss.Item(), logits.Gradient!.ToArray());
            }).ToList();
            Assert.All(results, result => Assert.Equal(results[0].Item1, result.Item1));
            Assert.All(results, result => Assert.Equal(results[0].Item2, result.Item2));
        }
        finally
        {
            Workers.MaxThreads = before;
        }
    }

    [Fact]
    public void Nothing_rented_is_kept()
    {
        var logits = Tensor<double>.Ones(3, 7);
        logits.RequiresGradient = true;
        var lent = CountsBuffers.Settled<double>();
        Loss.CrossEntropy(logits, [1, 2, 3], options: new() { ClassWeights = [1, 1, 1, 1, 1, 1, 1] }).Backward();
        using (NoGradient.Enter())
        {
            Loss.CrossEntropy(logits, [1, 2, 3]);
        }

        Assert.Equal(lent, TensorPool<double>.Lent);
    }

    [Fact]
    public void An_output_layer_with_its_loss_keeps_nothing_where_nothing_is_recorded()
    {
        var (input, layer, targets) = LinearCrossEntropyTests.Problem(40, 3, 50);
        var lent = CountsBuffers.Settled<double>();
        using (NoGradient.Enter())
        {
            Assert.False(Loss.LinearCrossEntropy(input, layer, targets).RequiresGradient);
        }

        Loss.LinearCrossEntropy(input, layer, targets).Backward();
        Assert.Equal(lent, TensorPool<double>.Lent);
    }

    // A block that is shared by threads, with an end that fills no vector.
    [Fact]
    public void Threads_do_not_change_a_bit_of_an_update()
    {
        const int Length = (3 << 19) + 13;
        var before = Workers.MaxThreads;
        try
        {
            var results = Enumerable.Range(1, 3).Select(threads =>
            {
                Workers.MaxThreads = threads;
                var module = new TestModule<float>([1, 2, 3], [.. Enumerable.Range(0, Length).Select(i => (i % 1001) * 1e-3)]);
                var optimizer = new Adam<float>(module);
                var parameter = module.Parameters.Last();
                var gradient = parameter.Gradient!.AsSpan();
                for (var i = 0; i < Length; i++)
                {
                    gradient[i] = (i % 77) - 35.5f;
                }

                var norm = GradientClipping.GlobalNorm(optimizer);
                optimizer.Step(0.5, clearGradients: true);
                return (norm, Values: parameter.Value.ToArray(), Cleared: !parameter.Gradient!.AsReadOnlySpan().ContainsAnyExcept(0f));
            }).ToList();
            Assert.Equal(Math.Sqrt(Enumerable.Range(0, Length).Sum(i => ((i % 77) - 35.5) * ((i % 77) - 35.5))), results[0].norm, 1e-3);
            Assert.All(results, result => Assert.Equal(results[0].norm, result.norm));
            Assert.All(results, result => Assert.True(result.Values.AsSpan().SequenceEqual(results[0].Values) && result.Cleared));

            // The first step of Adam goes as far as the learning rate, away from the gradient.
            for (var i = 0; i < Length; i += 1013)
            {
                Assert.Equal(((i % 1001) * 1e-3) - (1e-3 * Math.Sign((i % 77) - 35.5)), results[0].Values[i], 1e-6);
            }
        }
        finally
        {
            Workers.MaxThreads = before;
        }
    }
}
