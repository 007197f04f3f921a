using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Autograd;

namespace Rnn.Tests.Tensors;

/// <summary>Memory that is kept for reuse follows the need: what a large batch took goes again, what every step takes stays.</summary>
[Collection(nameof(CountsBuffers))]
public sealed class TensorMemoryTests
{
    [Fact]
    public void What_a_large_batch_needed_goes_with_a_collection()
    {
        var layer = new Lstm<float>(16, 32, new() { Seed = 1, Layers = 2, Bidirectional = true });
        TensorMemory.Trim();
        Steps(layer, 5, rows: 4, steps: 6);
        var usual = TensorMemory.IdleBytes;
        Steps(layer, 1, rows: 100, steps: 150);
        Steps(layer, 5, rows: 4, steps: 6);
        Assert.True(TensorMemory.IdleBytes > 20 * usual);
        Collect();
        Collect();
        Assert.InRange(TensorMemory.IdleBytes, 1, usual * 3 / 2);

        // What is left is what a step uses.
        var idle = TensorMemory.IdleBytes;
        Steps(layer, 1, rows: 4, steps: 6);
        Assert.InRange(TensorMemory.IdleBytes, idle, idle + (idle / 10));
    }

    [Fact]
    public void Ragged_batches_leave_no_tables()
    {
        var layer = new Gru<double>(3, 4, new() { Seed = 1 });
        TensorMemory.Trim();
        int[] few = [2, 1];
        int[] many = [.. Enumerable.Range(0, 300).Select(row => row % 200)];
        Ragged(few, 2);
        var usual = TensorMemory.IdleBytes;
        Ragged(many, 200);
        for (var i = 0; i < 5; i++)
        {
            Ragged(few, 2);
        }

        Collect();
        Collect();
        Assert.InRange(TensorMemory.IdleBytes, 0, usual * 3 / 2);

        void Ragged(int[] lengths, int steps) => layer.Forward(Tensor<double>.Ones(lengths.Length, steps, 3), lengths).Output.Sum().Backward();
    }

    [Fact]
    public void A_call_frees_all_that_is_not_in_use()
    {
        var layer = new Lstm<double>(5, 7, new() { Seed = 1 });
        Steps(layer, 2, rows: 8, steps: 9);
        Assert.True(TensorMemory.IdleBytes > 0);
        TensorMemory.Trim();
        Assert.Equal(0, TensorMemory.IdleBytes);
        Steps(layer, 1, rows: 8, steps: 9);
        Assert.True(TensorMemory.IdleBytes > 0);
    }

    [Fact]
    public void Collections_within_a_step_in_steady_state_take_nothing_away()
    {
        var layer = new Lstm<float>(40, 40, new() { Seed = 1, Layers = 3 });
        var x = Tensor<float>.Ones(8, 20, 40);
        var seed = Tensor<float>.Ones(8, 20, 40);
        for (var i = 0; i < 10; i++)
        {
            Step(collects: i > 4);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 5; i++)
        {
            Step(collects: true);
        }

        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 5, 0, 32 << 10);

        void Step(bool collects)
        {
            using var scope = TensorScope.Enter();
            layer.ZeroGradients();
            var output = layer.Forward(x);
            for (var i = 0; i < 4 && collects; i++)
            {
                Collect();
            }

            output.Backward(seed);
        }
    }

    [Fact]
    public void An_array_stays_for_as_long_as_arrays_are_used_to_rest()
    {
        TensorMemory.Trim();
        var large = TensorPool<double>.Rent(100_000);
        TensorPool<double>.Return(large);

        // It is wanted again after every thirty loans: so it is kept through fifty, and not through two hundred.
        Loans(30);
        Assert.Same(large, TensorPool<double>.Rent(100_000));
        TensorPool<double>.Return(large);
        Loans(50);
        Collect();
        Assert.Same(large, TensorPool<double>.Rent(100_000));
        TensorPool<double>.Return(large);
        Loans(400);
        Collect();
        var other = TensorPool<double>.Rent(100_000);
        Assert.NotSame(large, other);
        TensorPool<double>.Return(other);

        static void Loans(int count)
        {
            for (var i = 0; i < count; i++)
            {
                TensorPool<double>.Return(TensorPool<double>.Rent(10));
            }
        }
    }

    private static void Steps<T>(RecurrentLayer<T> layer, int count, int rows, int steps)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        for (var i = 0; i < count; i++)
        {
            layer.ZeroGradients();
            layer.Forward(Tensor<T>.Ones(rows, steps, layer.InputSize)).Sum().Backward();
        }
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}
