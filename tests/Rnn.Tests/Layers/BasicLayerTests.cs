using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Layers;

public class BasicLayerTests
{
    private static Tensor<double> Draw(params int[] shape) => Tensor<double>.RandomNormal(new RandomSource(11), 0, 1, shape);

    [Theory]
    [InlineData(new[] { 5, 7 }, 3)]
    [InlineData(new[] { 7 }, 1)]
    [InlineData(new[] { 2, 3, 1 }, 17)]
    [InlineData(new[] { 1, 129 }, 37)]
    [InlineData(new[] { 65, 37 }, 129)]
    [InlineData(new[] { 0, 4 }, 3)]
    public void Linear_is_x_times_w_transposed_plus_b(int[] shape, int outputs)
    {
        var x = Draw(shape);
        var layer = new Linear<double>(shape[^1], outputs, new() { BiasInitializer = Initializer.Normal(0, 1), Seed = 3 });
        var expected = x.MatMul(layer.Weight.Value.Detach().Transpose()) + layer.Bias!.Value.Detach();
        var y = layer.Forward(x);
        Assert.True(y.AllClose(expected, 1e-12, 1e-12));
        var single = new Linear<float>(shape[^1], outputs, new() { Bias = false, Seed = 0 });
        layer.Weight.Value.Detach().To<float>().CopyTo(single.Weight);
        Assert.True(single.Forward(x.To<float>()).AllClose((expected - layer.Bias.Value.Detach()).To<float>(), 1e-4, 1e-4));
    }

    [Theory]
    [InlineData(new[] { 5, 7 }, 3)]
    [InlineData(new[] { 2, 3, 1 }, 17)]
    [InlineData(new[] { 37 }, 1)]
    public void Linear_is_differentiated(int[] shape, int outputs)
    {
        var x = Draw(shape);
        var layer = new Linear<double>(shape[^1], outputs, new() { Seed = 0 });
        var result = GradientCheck.Run(layer, () => layer.Forward(x) * layer.Forward(x.Sigmoid()), [("x", x)], new() { Tolerance = 1e-9 });
        Assert.True(result.Passed, result.ToString());
    }

    [Fact]
    public void Linear_sees_changed_weights()
    {
        var layer = new Linear<float>(2, 1, new() { Bias = false, WeightInitializer = Initializer.Constant(1) });
        var x = Tensor<float>.From([1f, 2f]);
        Assert.Equal(3, layer.Forward(x).Item());
        layer.Weight.Value[0, 1] = 10;
        Assert.Equal(21, layer.Forward(x).Item());
    }

    [Fact]
    public void Linear_can_share_its_weights_with_an_embedding()
    {
        var embedding = new Embedding<double>(5, 3, new() { Seed = 0 });
        var head = new Linear<double>(embedding.Weight);
        Assert.Equal((3, 5), (head.InputSize, head.OutputSize));
        var result = GradientCheck.Run(head, () => head.Forward(embedding.Forward([4, 0, 4]).Tanh()), options: new() { Tolerance = 1e-9 });
        Assert.True(result.Passed, result.ToString());
        Assert.Equal(["weight", "bias"], head.NamedParameters.Select(p => p.Key));
    }

    [Fact]
    public void A_wrong_input_is_named()
    {
        var error = Assert.Throws<ArgumentException>(() => new Linear<float>(40, 3).Forward(Tensor<float>.Zeros(32, 100, 41)));
        Assert.StartsWith(
            "input: expected [..., 40] but got [32, 100, 41]; the last dimension must be InputSize (40).", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new LayerNorm<float>(4).Forward(Tensor<float>.Zeros(3)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Linear<float>(0, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Dropout<float>(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Embedding<float>(3, 2, new() { PaddingIndex = 3 }));
        error = Assert.Throws<ArgumentException>(() => new Embedding<float>(3, 2).Forward([0, 3]));
        Assert.StartsWith("indices: expected 0 to 2 for the shape [3, 2] but got 3.", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new Embedding<float>(3, 2).Forward(Tensor<float>.From([0.5f])));
    }

    [Fact]
    public void Embedding_looks_rows_up_in_every_form_and_leaves_padding_alone()
    {
        var layer = new Embedding<double>(4, 3, new() { PaddingIndex = 1, Seed = 2 });
        Assert.Equal([0.0, 0, 0], layer.Weight.Value.Row(1).ToArray());
        var y = layer.Forward(new[,] { { 0, 1 }, { 3, 3 } });
        Assert.Equal([2, 2, 3], y.Shape);
        Assert.Equal(layer.Weight.Value.Row(3).ToArray(), y.Row(1, 0).ToArray());
        Assert.True(y.AllClose(layer.Forward(Tensor<double>.From([0.0, 1, 3, 3], 2, 2)), 0, 0));
        y.Sum().Backward();
        Assert.Equal([1.0, 1, 1, 0, 0, 0, 0, 0, 0, 2, 2, 2], layer.Weight.Gradient!.ToArray());
    }

    [Fact]
    public void Layer_norm_normalises_rows()
    {
        var layer = new LayerNorm<double>(17);
        Assert.Equal(["weight", "bias"], layer.NamedParameters.Select(p => p.Key));
        var y = layer.Forward((Draw(3, 17) * 5.0) + 100.0);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(0, y.Row(i).ToArray().Average(), 1e-12);
            Assert.Equal(1, y.Row(i).ToArray().Select(v => v * v).Average(), 1e-5);
        }

        var x = Draw(2, 3, 17);
        var result = GradientCheck.Run(layer, () => layer.Forward(x), [("x", x)], new() { Tolerance = 1e-9 });
        Assert.True(result.Passed, result.ToString());
    }

    [Fact]
    public void Dropout_acts_in_training_only_and_keeps_the_mean()
    {
        var layer = new Dropout<float>(0.25, seed: 1);
        var x = Tensor<float>.Ones(200, 100);
        var y = layer.Forward(x).ToArray();
        Assert.All(y, v => Assert.True(v is 0 or 1 / 0.75f));
        Assert.Equal(0.25, y.Count(v => v == 0) / 20_000.0, 0.01);
        Assert.NotEqual(y, layer.Forward(x).ToArray());
        layer.Evaluate();
        Assert.Same(x, layer.Forward(x));
    }

    [Fact]
    public void Sequential_chains_layers_and_names_them_by_number()
    {
        var chain = new Sequential<double>(new Linear<double>(3, 4, new() { Seed = 0 }), new Dropout<double>(0.5, seed: 1), new LayerNorm<double>(4), new Linear<double>(4, 2, new() { Seed = 2 }));
        Assert.Equal(["0.weight", "0.bias", "2.weight", "2.bias", "3.weight", "3.bias"], chain.NamedParameters.Select(p => p.Key));
        chain.Evaluate();
        var x = Draw(5, 3);
        Assert.True(chain.Forward(x).AllClose(chain[3].Forward(chain[2].Forward(chain[0].Forward(x))), 0, 0));
        Assert.Same(x, new Sequential<double>().Forward(x));
        Assert.Contains("2: LayerNorm(4) 8 parameters", chain.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_padding_row_stays_zero_where_an_output_layer_shares_the_table(bool fused)
    {
        var embedding = new Embedding<double>(5, 3, new() { PaddingIndex = 2, Seed = 1 });
        var head = new Linear<double>(embedding.Weight, new() { Seed = 2 });
        int[] tokens = [0, 2, 4, 1, 2, 3], targets = [1, 3, 2, 0, 4, 2];
        var before = embedding.Weight.Value.ToArray();
        var optimizer = new Adam<double>([embedding.Weight, head.Bias!]) { LearningRate = 0.1 };
        for (var step = 0; step < 5; step++)
        {
            optimizer.ZeroGradients();
            var hidden = embedding.Forward(tokens);
            var loss = fused ? Loss.LinearCrossEntropy(hidden, head, targets) : Loss.CrossEntropy(head.Forward(hidden), targets);
            loss.Backward();
            if (step == 0)
            {
                // All other rows have the gradient of two tables that are the same.
                var (table, weight) = (Tensor<double>.From(before, 5, 3), Tensor<double>.From(before, 5, 3));
                (table.RequiresGradient, weight.RequiresGradient) = (true, true);
                Loss.CrossEntropy(table.Embedding(tokens).MatMul(weight.Transpose()), targets).Backward();
                var expected = (table.Gradient! + weight.Gradient!).ToArray();
                expected.AsSpan(6, 3).Clear();
                Assert.Equal(expected, embedding.Weight.Gradient!.ToArray(), (a, b) => Math.Abs(a - b) < 1e-14);
            }

            optimizer.Step();
        }

        var after = embedding.Weight.Value.ToArray();
        Assert.Equal([0, 0, 0], after[6..9]);
        Assert.All(Enumerable.Range(0, 5).Where(row => row != 2), row => Assert.NotEqual(before[3 * row], after[3 * row]));
    }
}
