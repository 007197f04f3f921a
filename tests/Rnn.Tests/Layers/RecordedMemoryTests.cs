using System.Runtime.CompilerServices;
using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Autograd;
using Rnn.Tests.Cells;
using Rnn.Training;

namespace Rnn.Tests.Layers;

/// <summary>What a recorded operation keeps for a backward pass that never comes is taken back.</summary>
[Collection(nameof(CountsBuffers))]
public sealed class RecordedMemoryTests
{
    // What may wait for a backward pass before the library looks whether one can still come.
    private const long Limit = 64 << 20;

    [Fact]
    public void Forward_passes_in_training_mode_do_not_grow()
    {
        var lent = CountsBuffers.Settled<float>();
        var layer = new Lstm<float>(8, 16, new() { Seed = 1 });
        var x = Tensor<float>.Ones(2, 3, 8);
        var most = 0;
        for (var i = 0; i < 10_000; i++)
        {
            Forget(layer, x);
            most = Math.Max(most, TensorPool<float>.Lent - lent);
        }

        Assert.InRange(most, 1, 5_000);
        Assert.InRange(RecordedMemory.Bytes, 0, Limit);
        Collect();
        Assert.Equal(lent, TensorPool<float>.Lent);
        Assert.Equal(0, RecordedMemory.Bytes);
    }

    [Fact]
    public void Large_ones_do_not_grow_either()
    {
        Collect();
        TensorMemory.Trim();
        var layer = new Lstm<float>(16, 128, new() { Seed = 1 });
        var x = Tensor<float>.Ones(16, 40, 16);
        var (recorded, idle) = (0L, 0L);
        for (var i = 0; i < 300; i++)
        {
            Forget(layer, x);
            recorded = Math.Max(recorded, RecordedMemory.Bytes);
            idle = Math.Max(idle, TensorMemory.IdleBytes);
        }

        // 300 passes of 2 MB, of which no more than the limit is ever there.
        Assert.InRange(recorded, Limit / 4, Limit + (8 << 20));
        Assert.InRange(idle, 0, Limit + (16 << 20));
    }

    [Fact]
    public void Memory_of_layers_that_are_gone_comes_back_too()
    {
        var lent = CountsBuffers.Settled<float>();
        for (var i = 0; i < 20; i++)
        {
            Forget(new Gru<float>(3, 4, new() { Seed = 1, Layers = 2, HiddenZoneout = 0.1 }), Tensor<float>.Ones(2, 3, 3));
        }

        Collect();
        Assert.Equal(lent, TensorPool<float>.Lent);
    }

    [Fact]
    public void A_loss_without_a_backward_pass_gives_its_memory_back()
    {
        var (floats, doubles) = (CountsBuffers.Settled<float>(), CountsBuffers.Settled<double>());
        for (var i = 0; i < 50; i++)
        {
            Forget<float>();
            Forget<double>();
        }

        Collect();
        Assert.Equal(floats, TensorPool<float>.Lent);
        Assert.Equal(doubles, TensorPool<double>.Lent);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static void Forget<T>()
            where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
        {
            var layer = new Lstm<T>(3, 4, new() { Seed = 1 });
            var head = new Linear<T>(4, 5);
            var x = Tensor<T>.Ones(2, 3, 3);
            int[] targets = [0, 1, 2, 3, 4, 0];
            Loss.LinearCrossEntropy(layer.Forward(x), head, targets);
            Loss.CrossEntropy(head.Forward(layer.Forward(x)), targets, options: new() { ClassWeights = [1, 2, 3, 4, 5] });
            Assert.ThrowsAny<ArgumentException>(() => Loss.CrossEntropy(head.Forward(layer.Forward(x)), [9, 9, 9, 9, 9, 9]));
        }
    }

    [Fact]
    public void A_graph_that_is_still_there_keeps_its_memory()
    {
        var layer = new Lstm<double>(3, 4, new() { Seed = 1 });
        var x = Tensor<double>.RandomNormal(new RandomSource(1), 0, 1, 2, 3, 3);
        layer.Forward(x).Sum().Backward();
        var expected = layer.Parameters.Select(parameter => parameter.Gradient!.ToArray()).ToList();
        layer.ZeroGradients();
        var loss = layer.Forward(x).Sum();
        Collect();
        for (var i = 0; i < 20; i++)
        {
            Forget(layer, x);
        }

        Collect();
        layer.ZeroGradients();
        loss.Backward();
        Assert.Equal(expected, layer.Parameters.Select(parameter => parameter.Gradient!.ToArray()));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void After_a_failure_on_a_worker_memory_comes_back_and_the_layer_works_on(int threads)
    {
        var before = Workers.MaxThreads;
        try
        {
            Workers.MaxThreads = threads;
            var layer = RecurrentLayer<double>.Create<FailingCell>(32, 32, new() { Seed = 1 });
            var x = Tensor<double>.RandomNormal(new RandomSource(1), 0, 1, 64, 12, 32);
            layer.Forward(x).Sum().Backward();
            var expected = layer.Parameters.Select(parameter => parameter.Gradient!.ToArray()).ToList();
            var lent = CountsBuffers.Settled<double>();
            for (var i = 0; i < 3; i++)
            {
                Fail(layer, x);
                Collect();
                Assert.Equal(lent, TensorPool<double>.Lent);
                layer.ZeroGradients();
                layer.Forward(x).Sum().Backward();
                Assert.Equal(expected, layer.Parameters.Select(parameter => parameter.Gradient!.ToArray()));
                Assert.Equal(lent, TensorPool<double>.Lent);
            }
        }
        finally
        {
            Workers.MaxThreads = before;
            (FailingCell.FailsForward, FailingCell.FailsBackward) = (false, false);
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        static void Fail(RecurrentLayer<double> layer, Tensor<double> x)
        {
            var lent = CountsBuffers.Settled<double>();
            FailingCell.FailsForward = true;
            Assert.Throws<NotSupportedException>(() => layer.Forward(x));
            FailingCell.FailsForward = false;
            Assert.Equal(lent, TensorPool<double>.Lent);
            FailingCell.FailsBackward = true;
            Assert.Throws<NotSupportedException>(() => layer.Forward(x).Sum().Backward());
            FailingCell.FailsBackward = false;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Forget<T>(RecurrentLayer<T> layer, Tensor<T> x)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T> => layer.Forward(x);

    // A graph that hangs on another's memory is found by the second collection.
    private static void Collect()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }
}
