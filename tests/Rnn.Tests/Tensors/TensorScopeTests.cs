using Rnn.Tensors;
using Rnn.Tests.Autograd;

namespace Rnn.Tests.Tensors;

[Collection(nameof(CountsBuffers))]
public class TensorScopeTests
{
    [Fact]
    public void A_scope_takes_back_what_was_made_inside_and_nothing_else()
    {
        var lent = CountsBuffers.Settled<double>();
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
    public void A_scope_ends_with_the_one_around_it_and_a_second_time_does_nothing()
    {
        var lent = CountsBuffers.Settled<double>();
        var outer = TensorScope.Enter();
        var inner = TensorScope.Enter();
        var x = Tensor<double>.Ones(3);
        outer.Dispose();
        Assert.Equal(lent, TensorPool<double>.Lent);
        Assert.Throws<ObjectDisposedException>(() => x.ToArray());

        // Old scopes that are disposed again end no later one, though its memory is used again.
        using (TensorScope.Enter())
        {
            var later = Tensor<double>.Ones(3);
            inner.Dispose();
            outer.Dispose();
            using (TensorScope.Enter())
            {
                outer.Dispose();
                Assert.Equal([2.0, 2, 2], (later + later).ToArray());
            }

            Assert.Equal([1.0, 1, 1], later.ToArray());
            Assert.Equal(lent + 1, TensorPool<double>.Lent);
        }

        Assert.Equal(lent, TensorPool<double>.Lent);
        Assert.Equal([1.0], Tensor<double>.Ones(1).ToArray());
        Assert.Equal(lent, TensorPool<double>.Lent);
    }

    [Fact]
    public void The_end_of_a_scope_hides_no_exception()
    {
        Assert.Throws<NotSupportedException>(Fail);
        Assert.Equal([1.0], Tensor<double>.Ones(1).ToArray());

        static void Fail()
        {
            using (TensorScope.Enter())
            {
                TensorScope.Enter();
                throw new NotSupportedException();
            }
        }
    }

    [Fact]
    public async Task A_scope_that_is_awaited_in_or_shared_leaves_other_work_alone()
    {
        var lent = CountsBuffers.Settled<double>();
        Tensor<double> before;
        Tensor<double> after;
        Tensor<double> inTask;
        using (TensorScope.Enter())
        {
            before = Tensor<double>.Ones(2);
            inTask = await Task.Factory.StartNew(
                () =>
                {
                    using (TensorScope.Enter())
                    {
                        _ = Tensor<double>.Ones(5);
                    }

                    return Tensor<double>.Ones(3);
                },
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default);
            await Task.Yield();
            after = Tensor<double>.Ones(4);
            Assert.Equal([1.0, 1], before.ToArray());
        }

        Assert.Throws<ObjectDisposedException>(() => before.ToArray());
        Assert.Equal([1.0, 1, 1], inTask.ToArray());
        Assert.Equal(lent, TensorPool<double>.Lent);
        _ = after;

        // Someone else's work on the thread that entered: its tensors do not end with the scope.
        TensorScope? scope = null;
        var flow = ExecutionContext.Capture()!;
        ExecutionContext.Run(flow, _ => scope = TensorScope.Enter(), null);
        var others = Tensor<double>.Ones(2);
        scope!.Dispose();
        Assert.Equal([1.0, 1], others.ToArray());
        Assert.Equal(lent, TensorPool<double>.Lent);
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
                w.ZeroGradient();
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
