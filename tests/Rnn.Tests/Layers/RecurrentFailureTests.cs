using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Autograd;
using Rnn.Tests.Cells;

namespace Rnn.Tests.Layers;

/// <summary>An exception in a part of the work, on whatever thread, leaves nothing behind.</summary>
[Collection(nameof(CountsBuffers))]
public sealed class RecurrentFailureTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Buffers_come_back_from_a_pass_that_fails_and_the_next_one_is_right(int threads)
    {
        var before = Workers.MaxThreads;
        Workers.MaxThreads = threads;
        try
        {
            var layer = RecurrentLayer<float>.Create<FailingCell>(8, 64, new() { Layers = 2, Seed = 1 });
            var x = Tensor<float>.RandomNormal(new RandomSource(2), 0, 1, 64, 20, 8);
            x.RequiresGradient = true;
            var (output, gradients) = Run();
            var lent = CountsBuffers.Settled<float>();

            FailingCell.FailsBackward = true;
            var loss = layer.Forward(x).Square().Sum();
            Assert.Throws<NotSupportedException>(() => loss.Backward(keepGraph: true));
            Assert.Equal(lent, TensorPool<float>.Lent);
            FailingCell.FailsBackward = false;
            Assert.Contains("already freed", Assert.Throws<InvalidOperationException>(() => loss.Backward()).Message, StringComparison.Ordinal);
            Assert.Equal(lent, TensorPool<float>.Lent);
            Check();

            FailingCell.FailsForward = true;
            Assert.Throws<NotSupportedException>(() => layer.Forward(x));
            FailingCell.FailsForward = false;
            Assert.Equal(lent, TensorPool<float>.Lent);
            Check();

            void Check()
            {
                var (again, gradientsAgain) = Run();
                Assert.Equal(output, again);
                Assert.Equal(gradients, gradientsAgain);
                Assert.Equal(lent, TensorPool<float>.Lent);
            }

            (float[] Output, float[][] Gradients) Run()
            {
                layer.ZeroGradients();
                x.ZeroGradient();
                var y = layer.Forward(x);
                y.Square().Sum().Backward();
                return (y.ToArray(), [x.Gradient!.ToArray(), .. layer.Parameters.Select(parameter => parameter.Gradient!.ToArray())]);
            }
        }
        finally
        {
            (FailingCell.FailsForward, FailingCell.FailsBackward) = (false, false);
            Workers.MaxThreads = before;
        }
    }
}
