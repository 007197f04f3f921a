using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Layers;

/// <summary>Block-diagonal recurrent matrices: the option <see cref="RecurrentOptions.Heads"/>.</summary>
public sealed class HeadTests
{
    [Fact]
    public void Heads_divide_the_recurrent_weights()
    {
        var layer = new Lstm<double>(5, 12, new() { Heads = 4, Layers = 2, Bidirectional = true, Seed = 1 });
        Assert.Equal(new Shape(48, 3), layer.NamedParameters.Single(pair => pair.Key == "weight_hh_l0").Value.Shape);
        Assert.Equal(new Shape(48, 3), layer.NamedParameters.Single(pair => pair.Key == "weight_hh_l1_reverse").Value.Shape);
        Assert.Equal(new Shape(48, 24), layer.NamedParameters.Single(pair => pair.Key == "weight_ih_l1").Value.Shape);
    }

    [Fact]
    public void Each_head_of_each_gate_starts_orthogonal()
    {
        var weights = new Gru<double>(5, 12, new() { Heads = 3, Seed = 1 }).NamedParameters.Single(pair => pair.Key == "weight_hh_l0").Value.Value;
        for (var block = 0; block < 9; block++)
        {
            var matrix = weights.Slice(0, (block * 4)..((block + 1) * 4));
            var product = matrix.MatMul(matrix.Transpose());
            for (var i = 0; i < 16; i++)
            {
                Assert.Equal(i / 4 == i % 4 ? 1 : 0, product[i / 4, i % 4], 1e-12);
            }
        }
    }

    [Fact]
    public void A_unit_reads_its_own_head_alone()
    {
        var layer = new SimpleRnn<double>(1, 6, new() { Heads = 2, Seed = 3 });
        var initial = layer.ZeroState(1);
        initial.Hidden().RequiresGradient = true;
        layer.Forward(Tensor<double>.Zeros(1, 3, 1), [], initial).Last.Slice(1, 3..).Sum().Backward();
        Assert.All(initial.Hidden().Gradient!.ToArray()[..3], gradient => Assert.Equal(0, gradient));
        Assert.All(initial.Hidden().Gradient!.ToArray()[3..], gradient => Assert.NotEqual(0, gradient));
    }

    [Theory]
    [InlineData("lstm-fullpeephole", 2, 0)]
    [InlineData("lstm-layernorm", 4, 4)]
    [InlineData("gru-before", 8, 0)]
    [InlineData("slstm", 2, 0)]
    public void Layers_with_heads_stream_save_and_open(string cell, int heads, int projection)
    {
        var layer = RecurrentLayer<float>.Create(cell, 3, 8, new() { Heads = heads, Layers = 2, Seed = 5 }, projection);
        var x = Tensor<float>.RandomNormal(new RandomSource(6), 0, 1, 2, 7, 3);
        var expected = layer.Forward(x, []).Output;
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid()}.safetensors");
        try
        {
            layer.Save(path);
            var opened = (RecurrentLayer<float>)Module<float>.Open(path);
            Assert.Equal(heads, opened.Options.Heads);
            Assert.Equal(expected.ToArray(), opened.Forward(x, []).Output.ToArray());
            var stepper = opened.CreateStepper(2);
            var output = new float[2 * opened.OutputSize];
            for (var step = 0; step < 7; step++)
            {
                stepper.Step(x.Select(1, step).ToArray(), output);
                Assert.Equal(expected.Select(1, step).ToArray(), output);
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Radius_and_norm_are_those_of_the_block_diagonal_matrix()
    {
        var layer = new SimpleRnn<double>(1, 4, new() { Heads = 2, Seed = 1 });
        var weights = layer.NamedParameters.Single(pair => pair.Key == "weight_hh_l0").Value.Value;
        Tensor<double>.From([0.5, 0, 0, -0.25, 0, 3, 0, 0], 4, 2).CopyTo(weights);
        var spectrum = Assert.Single(RecurrentSpectrum.Of(layer, wanted: true));
        Assert.Equal(0.5, spectrum.SpectralRadius!.Value, 1e-9);
        Assert.Equal(3, spectrum.Norm, 1e-9);
    }
}
