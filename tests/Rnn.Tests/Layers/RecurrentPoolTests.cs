using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Autograd;

namespace Rnn.Tests.Layers;

/// <summary>Workspaces of the sequence engine come back, with and without a backward pass, and after failures.</summary>
[Collection(nameof(CountsBuffers))]
public sealed class RecurrentPoolTests
{
    [Theory]
    [InlineData("lstm")]
    [InlineData("lstm-fullpeephole-layernorm")]
    [InlineData("gru-before-layernorm")]
    public void Workspaces_come_back(string cell)
    {
        var options = new RecurrentOptions
        {
            Layers = 2,
            Bidirectional = true,
            Merge = DirectionMerge.Mean,
            Residual = true,
            Dropout = 0.1,
            HiddenZoneout = 0.1,
            RecurrentDropout = 0.1,
            WeightDrop = 0.1,
            Seed = 1,
        };
        var lent = CountsBuffers.Settled<float>();
        var layer = RecurrentLayer<float>.Create(cell, 5, 5, options);
        var x = Tensor<float>.RandomNormal(new RandomSource(1), 0, 1, 3, 4, 5);
        var output = layer.Forward(x, [2, 0, 4], cellStates: true);
        (output.Output.Sum() + output.Last.Sum()).Backward();
        Assert.Equal(lent, TensorPool<float>.Lent);

        using (NoGradient.Enter())
        {
            layer.Forward(x);
        }

        Assert.Equal(lent, TensorPool<float>.Lent);
        Assert.Throws<ArgumentOutOfRangeException>(() => layer.Forward(x, [2, 5, 4]));
        Assert.Equal(lent, TensorPool<float>.Lent);
    }

    [Fact]
    public void A_training_step_in_a_scope_allocates_little()
    {
        var layer = new Lstm<float>(40, 40, new() { Layers = 2, LayerNormalization = true, HiddenZoneout = 0.1, RecurrentDropout = 0.1, WeightDrop = 0.2, Residual = true, Seed = 1 });
        var x = Tensor<float>.RandomNormal(new RandomSource(1), 0, 1, 8, 10, 40);
        var seed = Tensor<float>.Ones(8, 10, 40);
        for (var i = 0; i < 20; i++)
        {
            Step();
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10; i++)
        {
            Step();
        }

        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 10, 0, 16384);

        void Step()
        {
            using var scope = TensorScope.Enter();
            layer.ZeroGradients();
            layer.Forward(x).Backward(seed);
        }
    }
}
