using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Tests.Layers;

/// <summary>Sizes that are powers of two, where the rows of a step lie a multiple of a page apart: each row has the bits that it has alone.</summary>
public sealed class CollidingRowTests
{
    [Theory]
    [InlineData(64, 16, 16)]
    [InlineData(32, 128, 64)]
    [InlineData(16, 64, 128)]
    public void Rows_of_a_batch_have_the_bits_of_single_rows(int steps, int input, int hidden)
    {
        const int Rows = 19;
        var layer = new Lstm<float>(input, hidden, new() { Seed = 1, Bidirectional = true });
        var x = Tensor<float>.RandomNormal(new RandomSource(2), 0, 1, Rows, steps, input);
        var (output, gradient) = Run(layer, x);
        for (var row = 0; row < Rows; row++)
        {
            var (alone, gradientAlone) = Run(layer, x.Slice(0, row..(row + 1)).Detach());
            Assert.Equal(alone, output.AsSpan(row * alone.Length, alone.Length).ToArray());
            Assert.Equal(gradientAlone, gradient.AsSpan(row * gradientAlone.Length, gradientAlone.Length).ToArray());
        }
    }

    [Fact]
    public void Weight_gradients_are_those_of_rows_in_another_order_of_memory()
    {
        // Double precision: sums over rows in another order differ by rounding alone.
        const int Rows = 16, Steps = 32, Size = 64;
        var layer = new Gru<double>(Size, Size, new() { Seed = 1 });
        var x = Tensor<double>.RandomNormal(new RandomSource(2), 0, 1, Rows, Steps, Size);
        var together = Gradients(() => layer.Forward(x).Sum().Backward());
        var inTurn = Gradients(() =>
        {
            for (var row = 0; row < Rows; row++)
            {
                layer.Forward(x.Slice(0, row..(row + 1)).Detach()).Sum().Backward();
            }
        });

        for (var i = 0; i < together.Length; i++)
        {
            Assert.Equal(inTurn[i], together[i], (a, b) => Math.Abs(a - b) <= 1e-11 * Math.Max(1, Math.Abs(a)));
        }

        double[][] Gradients(Action run)
        {
            run();
            double[][] gradients = [.. layer.Parameters.Select(parameter => parameter.Gradient!.ToArray())];
            foreach (var parameter in layer.Parameters)
            {
                parameter.Value.ZeroGradient();
            }

            return gradients;
        }
    }

    private static (float[] Output, float[] Gradient) Run(Lstm<float> layer, Tensor<float> x)
    {
        x.RequiresGradient = true;
        x.ZeroGradient();
        var output = layer.Forward(x);
        (output * output).Sum().Backward();
        return (output.ToArray(), x.Gradient!.ToArray());
    }
}
