using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.UserTests.Cells;

/// <summary>A cell that a user has written runs over the same engine: <see cref="LeakyCell"/> against plain loops.</summary>
public sealed class OwnCellTests
{
    [Theory]
    [InlineData(1, 1, 1, 1)]
    [InlineData(3, 5, 7, 17)]
    [InlineData(2, 4, 3, 37)]
    [InlineData(5, 2, 129, 33)]
    public void It_computes_its_equation(int batch, int steps, int input, int hidden)
    {
        Check<double>(batch, steps, input, hidden, 1e-13);
        Check<float>(batch, steps, input, hidden, 1e-5);
    }

    [Fact]
    public void It_learns()
    {
        var layer = RecurrentLayer<double>.Create<LeakyCell>(2, 8, new() { Seed = 1 });
        var x = Tensor<double>.RandomNormal(new RandomSource(2), 0, 1, 4, 6, 2);
        double Loss() => layer.Forward(x, []).Last.Square().Sum().Item();
        var before = Loss();
        for (var i = 0; i < 60; i++)
        {
            layer.ZeroGradients();
            layer.Forward(x, []).Last.Square().Sum().Backward();
            foreach (var parameter in layer.Parameters)
            {
                using var edit = parameter.Value.Edit();
                for (var j = 0; j < edit.Span.Length; j++)
                {
                    edit.Span[j] -= 0.05 * parameter.Gradient!.AsReadOnlySpan()[j];
                }
            }
        }

        Assert.True(Loss() < before / 4, $"{before} → {Loss()}");
    }

    private static void Check<T>(int batch, int steps, int input, int hidden, double tolerance)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var layer = RecurrentLayer<T>.Create<LeakyCell>(input, hidden, new() { Seed = 3 });
        var x = Tensor<T>.RandomNormal(new RandomSource(4), 0, 1, batch, steps, input);
        var output = layer.Forward(x);
        var w = layer.NamedParameters.ToDictionary(pair => pair.Key, pair => pair.Value.Value.Detach().To<double>());
        for (var row = 0; row < batch; row++)
        {
            var h = new double[hidden];
            for (var step = 0; step < steps; step++)
            {
                var next = new double[hidden];
                for (var unit = 0; unit < hidden; unit++)
                {
                    var sum = w["bias_l0"][unit];
                    for (var i = 0; i < input; i++)
                    {
                        sum += w["weight_ih_l0"][unit, i] * double.CreateTruncating(x[row, step, i]);
                    }

                    for (var i = 0; i < hidden; i++)
                    {
                        sum += w["weight_hh_l0"][unit, i] * h[i];
                    }

                    next[unit] = (0.7 * h[unit]) + (0.3 * Math.Tanh(sum));
                    Assert.Equal(next[unit], double.CreateTruncating(output[row, step, unit]), tolerance);
                }

                h = next;
            }
        }
    }
}
