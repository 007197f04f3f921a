using Rnn.Autograd;
using Rnn.Kernels;
using Rnn.Tensors;
using Rnn.Tests.Autograd;
using Rnn.Training;

namespace Rnn.Tests.Training;

// Buffers are counted and threads set for the whole process: apart from all other tests.
[Collection(nameof(CountsBuffers))]
public class LossResourceTests
{
    // Large vocabularies, rows over both threads: the same bits, and nothing but the node left on the heap.
    [Fact]
    public void ThreadsDoNotChangeABit()
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
                logits.ClearGradient();
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
    public void NothingRentedIsKept()
    {
        var logits = Tensor<double>.Ones(3, 7);
        logits.RequiresGradient = true;
        var lent = TensorPool<double>.Lent;
        Loss.CrossEntropy(logits, [1, 2, 3], options: new() { ClassWeights = [1, 1, 1, 1, 1, 1, 1] }).Backward();
        using (NoGradient.Scope())
        {
            Loss.CrossEntropy(logits, [1, 2, 3]);
        }

        Assert.Equal(lent, TensorPool<double>.Lent);
    }
}
