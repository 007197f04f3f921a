using Rnn.Tensors;

namespace Rnn.Tests.Autograd;

/// <summary>Tests that count lent buffers run by themselves: the count is of the whole process.</summary>
[CollectionDefinition(nameof(CountsBuffers), DisableParallelization = true)]
public class CountsBuffers
{
    /// <summary>The buffers that are out once everything has come back that graphs of earlier tests, which nobody can reach any more, had kept.</summary>
    internal static int Settled<T>()
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        RecordedMemory.TakeBack();
        return TensorPool<T>.Lent;
    }
}

[Collection(nameof(CountsBuffers))]
public class PoolTests
{
    [Fact]
    public void All_lent_buffers_come_back_after_a_backward_pass()
    {
        var lent = CountsBuffers.Settled<double>();
        var x = Tensor<double>.RandomNormal(new RandomSource(1), 0, 1, 37, 17);
        x.RequiresGradient = true;
        ((x * x).Tanh().Sum(1, keepDimensions: true) * x).Mean().Backward();
        Assert.Equal(lent, TensorPool<double>.Lent);
    }

    [Fact]
    public void Buffers_come_back_from_a_long_chain_and_from_a_backward_pass_that_fails()
    {
        var lent = CountsBuffers.Settled<double>();
        var x = Tensor<double>.Scalar(1);
        x.RequiresGradient = true;
        var y = x * x;
        for (var i = 0; i < 1000; i++)
        {
            y = y + x;
        }

        y.Backward();
        Assert.Equal(lent, TensorPool<double>.Lent);
        Assert.Throws<InvalidOperationException>(() => (y * x).Backward());
        Assert.Equal(lent, TensorPool<double>.Lent);
        var broken = (x * x).Exp();
        Assert.Throws<NotSupportedException>(() => new FailingNode(broken).Attach(Tensor<double>.Scalar(1)).Backward());
        Assert.Equal(lent, TensorPool<double>.Lent);
    }

    private sealed class FailingNode(Tensor<double> input) : GraphNode<double>([input])
    {
        internal override void Backward()
        {
            InputGradient(0)[0] = 1;
            throw new NotSupportedException();
        }
    }
}
