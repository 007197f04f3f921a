using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Layers;

/// <summary>Sizes beyond what an array holds are named with what would mend them, before anything large is allocated.</summary>
public sealed class EngineLimitTests
{
    [Theory]
    [InlineData("lstm", 520, 2048, 512)]
    [InlineData("gru", 520, 2048, 600)]
    [InlineData("rnn-tanh", 1024, 4096, 1024)]
    [InlineData("lstm-layernorm", 520, 2048, 512)]
    public void A_recorded_batch_beyond_an_array_is_refused(string cell, int hidden, int rows, int steps)
    {
        var layer = RecurrentLayer<float>.Create(cell, 1, hidden, new() { Seed = 1 });
        var x = Tensor<float>.Zeros(rows, steps, 1);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<ArgumentException>(() => layer.Forward(x));
        Assert.Equal("input", error.ParamName);
        Assert.Contains($"[{rows}, {steps}, 1]", error.Message, StringComparison.Ordinal);
        Assert.Contains("shorter windows, fewer rows at once, or NoGradient.Enter()", error.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Lengths_count_and_not_the_padded_steps()
    {
        var layer = new Lstm<float>(1, 520, new() { Seed = 1 });
        var lengths = new int[2048];
        var x = Tensor<float>.Zeros(2048, 512, 1);
        Array.Fill(lengths, 512);
        Assert.Throws<ArgumentException>(() => layer.Forward(x, lengths));
    }

    [Fact]
    public void A_step_of_too_many_rows_is_refused_in_inference()
    {
        var layer = new Lstm<float>(1, 2048, new() { Seed = 1, Initialization = RecurrentInitialization.Uniform });
        using (NoGradient.Enter())
        {
            var error = Assert.Throws<ArgumentException>(() => layer.Forward(Tensor<float>.Zeros(300_000, 1, 1)));
            Assert.Contains("use fewer rows at once", error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(1, 600_000_000)]
    [InlineData(1, 40_000)]
    [InlineData(600_000_000, 1)]
    public void Weights_beyond_an_array_are_refused(int input, int hidden)
    {
        var error = Assert.Throws<ArgumentException>(() => new Lstm<float>(input, hidden));
        Assert.Contains("more than an array can hold", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Gradients_of_too_many_scores_are_refused()
    {
        var output = new Linear<float>(1, 100_000);
        var error = Assert.Throws<ArgumentException>(() => Loss.LinearCrossEntropy(Tensor<float>.Zeros(30_000, 1), output, new int[30_000]));
        Assert.Contains("30000 steps of 100000 scores", error.Message, StringComparison.Ordinal);
    }
}
