using Rnn.Autograd;
using Rnn.Tensors;
using Rnn.Tests.Autograd;

namespace Rnn.Tests.Tensors;

[Collection(nameof(CountsBuffers))]
public class TensorScopeTests
{
    [Fact]
    public void A_scope_takes_back_what_was_made_inside_and_nothing_else()
    {
        var lent = TensorPool<double>.Lent;
        var before = Tensor<double>.Ones(3);
        before.RequiresGradient = true;
        Tensor<double> inside;
        using (TensorScope.Enter())
        {
            inside = before * 2.0;
            using (TensorScope.Enter())
            {
                inside.Square().Sum().Backward();
            }

            Assert.Equal([2.0, 2, 2], inside.ToArray());
            Assert.True(TensorPool<double>.Lent > lent);
        }

        Assert.Equal(lent, TensorPool<double>.Lent);
        var error = Assert.Throws<ObjectDisposedException>(() => inside.ToArray());
        Assert.Contains("TensorScope that has ended", error.Message, StringComparison.Ordinal);
        Assert.Equal([8.0, 8, 8], before.Gradient!.ToArray());
        Assert.Equal([1.0, 1, 1], before.ToArray());
    }

    [Fact]
    public void Scopes_end_innermost_first()
    {
        var outer = TensorScope.Enter();
        var inner = TensorScope.Enter();
        Assert.Throws<InvalidOperationException>(outer.Dispose);
        inner.Dispose();
        outer.Dispose();
        Assert.Throws<InvalidOperationException>(outer.Dispose);
    }

    [Fact]
    public void A_training_step_inside_a_scope_allocates_little()
    {
        var w = Tensor<float>.RandomNormal(new RandomSource(1), 0, 0.1, 64, 64);
        w.RequiresGradient = true;
        var x = Tensor<float>.RandomNormal(new RandomSource(2), 0, 1, 32, 64);
        for (var i = 0; i < 5; i++)
        {
            Step();
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        Step();
        var bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.InRange(bytes, 0, 16 * 1024);

        void Step()
        {
            using (TensorScope.Enter())
            {
                w.ClearGradient();
                var h = x;
                for (var layer = 0; layer < 8; layer++)
                {
                    h = (h.MatMul(w) + x).Tanh();
                }

                h.Square().Mean().Backward();
            }
        }
    }
}
