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

    // Dense gates whose weights between different heads are zero.
    [Theory]
    [InlineData(6, 1)]
    [InlineData(6, 3)]
    [InlineData(34, 2)]
    [InlineData(5, 5)]
    public void Gates_of_heads_are_block_diagonal_ones(int size, int heads)
    {
        var (layer, dense) = (new RgLru<double>(size, new() { Heads = heads, Seed = 1 }), new RgLru<double>(size, new() { Seed = 2 }));
        var width = size / heads;
        Assert.Equal(new Shape(2 * size, width), layer.Gates.Weight.Shape);
        Assert.Equal((size, 2 * size), (layer.Gates.InputSize, layer.Gates.OutputSize));
        new RandomSource(3).FillUniform(layer.Gates.Bias!.Value.AsSpan(), -1, 1);
        layer.Gates.Bias.Value.CopyTo(dense.Gates.Bias!.Value);
        layer.Decay.Value.CopyTo(dense.Decay.Value);
        using (var edit = dense.Gates.Weight.Value.Edit())
        {
            edit.Span.Clear();
            for (var row = 0; row < 2 * size; row++)
            {
                for (var k = 0; k < width; k++)
                {
                    edit[row, (row % size / width * width) + k] = layer.Gates.Weight.Value[row, k];
                }
            }
        }

        var (x, y) = (Input(), Input());
        var weight = Tensor<double>.RandomNormal(new RandomSource(5), 0, 1, 3, 7, size);
        int[] lengths = [7, 0, 4];
        var (own, expected) = (layer.Forward(x, lengths), dense.Forward(y, lengths));
        Close(expected.Output, own.Output);
        (own.Output * weight).Sum().Backward();
        (expected.Output * weight).Sum().Backward();
        Close(y.Gradient!, x.Gradient!);
        Close(dense.Gates.Bias.Gradient!, layer.Gates.Bias.Gradient!);
        Close(dense.Decay.Gradient!, layer.Decay.Gradient!);
        for (var row = 0; row < 2 * size; row++)
        {
            for (var k = 0; k < width; k++)
            {
                Assert.Equal(dense.Gates.Weight.Gradient![row, (row % size / width * width) + k], layer.Gates.Weight.Gradient![row, k], 1e-12);
            }
        }

        var (stepper, output) = (layer.CreateStepper(3), new double[3 * size]);
        for (var step = 0; step < 4; step++)
        {
            stepper.Step(x.Select(1, step).ToArray(), output);
            Assert.Equal(own.Output.Select(1, step).Select(0, 2).ToArray(), output[(2 * size)..]);
        }

        Tensor<double> Input()
        {
            var input = Tensor<double>.RandomNormal(new RandomSource(4), 0, 1, 3, 7, size);
            input.RequiresGradient = true;
            return input;
        }

        static void Close(Tensor<double> expected, Tensor<double> actual) => Assert.Equal(expected.ToArray(), actual.ToArray(), (a, b) => Math.Abs(a - b) < 1e-12);
    }

    [Fact]
    public void Heads_of_gates_divide_the_size()
    {
        var error = Assert.Throws<ArgumentException>(() => new RgLru<float>(6, new() { Heads = 4 }));
        Assert.StartsWith("Heads: expected a number that divides the size 6 but got 4.", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new RgLruOptions { Heads = 0 });
    }
}
