using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Layers;

public sealed class StandardizationTests
{
    [Fact]
    public void Statistics_are_those_of_plain_sums()
    {
        var random = new RandomSource(1);
        Tensor<double>[] data = [Tensor<double>.RandomNormal(random, 3, 2, 7, 3), Tensor<double>.RandomNormal(random, -1, 5, 2, 4, 3), Tensor<double>.Zeros(0, 3)];
        var layer = Standardization<double>.Fit(data);
        Assert.Equal(3, layer.Size);
        for (var feature = 0; feature < 3; feature++)
        {
            var column = data.SelectMany(tensor => tensor.ToArray()).Where((_, i) => i % 3 == feature).ToArray();
            Assert.Equal(15, column.Length);
            var mean = column.Average();
            Assert.Equal(mean, layer.Mean[feature], 12);
            Assert.Equal(Math.Sqrt(column.Average(value => (value - mean) * (value - mean))), layer.Deviation[feature], 12);
        }

        var outputs = data.SelectMany(tensor => layer.Forward(tensor).ToArray()).Where((_, i) => i % 3 == 1).ToArray();
        Assert.Equal(0, outputs.Average(), 12);
        Assert.Equal(1, outputs.Average(value => value * value), 12);
    }

    [Fact]
    public void Far_from_zero_no_digits_are_lost()
    {
        var layer = Standardization<double>.Fit([Tensor<double>.From([1e9, 1e9 + 1, 1e9 + 2], 3, 1)]);
        Assert.Equal(1e9 + 1, layer.Mean[0]);
        Assert.Equal(Math.Sqrt(2.0 / 3), layer.Deviation[0], 12);
    }

    [Fact]
    public void A_feature_that_never_changes_is_only_shifted()
    {
        var layer = Standardization<float>.Fit([Tensor<float>.From([5, 1, 5, 3], 2, 2)]);
        Assert.Equal([0, -1, 2, 1], layer.Forward(Tensor<float>.From([5, 1, 7, 3], 2, 2)).ToArray());
    }

    [Fact]
    public void It_is_differentiated_and_has_nothing_to_train()
    {
        var x = Tensor<double>.RandomNormal(new RandomSource(2), 0, 1, 2, 3, 2);
        var layer = new Sequential<double>(new Standardization<double>(Tensor<double>.From([1, -2]), Tensor<double>.From([0.5, 3])), new Linear<double>(2, 2, new() { Seed = 1 }));
        var check = GradientCheck.Run(layer, () => layer.Forward(x).Tanh(), [("x", x)]);
        Assert.True(check.Passed, check.ToString());
        Assert.Equal(["1.weight", "1.bias"], layer.NamedParameters.Select(pair => pair.Key));
        Assert.Equal(["0.mean", "0.deviation"], layer.NamedBuffers.Select(pair => pair.Key));
    }

    [Fact]
    public void In_a_chain_it_tells_the_input_size_and_steps_like_a_sequence_without_allocating()
    {
        var x = Tensor<float>.RandomNormal(new RandomSource(3), 4, 2, 1, 6, 3);
        var chain = new SequenceChain<float>(Standardization<float>.Fit([x]), new Gru<float>(3, 5, new() { Seed = 1 }));
        Assert.Equal(3, chain.InputSize);
        var (expected, stepper, output) = (chain.Forward(x), chain.CreateStepper(), new float[5]);
        for (var t = 0; t < 6; t++)
        {
            stepper.Step(x.Select(1, t).ToArray(), output);
            Assert.Equal(expected.Select(1, t).ToArray(), output);
        }

        var input = x.Select(1, 0).ToArray();
        var before = GC.GetAllocatedBytesForCurrentThread();
        stepper.Step(input, output);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void It_is_saved_with_its_statistics()
    {
        var layer = new Standardization<float>(Tensor<float>.From([1, 2]), Tensor<float>.From([3, 4]));
        using var stream = new MemoryStream();
        layer.Save(stream);
        stream.Position = 0;
        var opened = Assert.IsType<Standardization<float>>(Module<float>.Open(stream));
        Assert.Equal([1, 2], opened.Mean.ToArray());
        Assert.Equal([3, 4], opened.Deviation.ToArray());
    }

    [Fact]
    public void Wrong_inputs_are_named()
    {
        var ones = Tensor<float>.Ones(2);
        Assert.Contains("the shape of mean", Assert.Throws<ArgumentException>(() => new Standardization<float>(ones, Tensor<float>.Ones(3))).Message, StringComparison.Ordinal);
        Assert.Contains("one number for each feature", Assert.Throws<ArgumentException>(() => new Standardization<float>(Tensor<float>.Ones(1, 2), ones)).Message, StringComparison.Ordinal);
        Assert.Contains("feature 1 has mean 1 and deviation 0", Assert.Throws<ArgumentException>(() => new Standardization<float>(ones, Tensor<float>.From([1, 0]))).Message, StringComparison.Ordinal);
        Assert.Contains("Size (2)", Assert.Throws<ArgumentException>(() => new Standardization<float>(ones, ones).Forward(Tensor<float>.Ones(4, 3))).Message, StringComparison.Ordinal);
        Assert.Contains("got none", Assert.Throws<ArgumentException>(() => Standardization<float>.Fit([])).Message, StringComparison.Ordinal);
        Assert.Contains("one is [2, 3]", Assert.Throws<ArgumentException>(() => Standardization<float>.Fit([Tensor<float>.Ones(2, 2), Tensor<float>.Ones(2, 3)])).Message, StringComparison.Ordinal);
        Assert.Contains("feature 1 has others", Assert.Throws<ArgumentException>(() => Standardization<float>.Fit([Tensor<float>.From([1, float.NaN], 1, 2)])).Message, StringComparison.Ordinal);
    }
}
