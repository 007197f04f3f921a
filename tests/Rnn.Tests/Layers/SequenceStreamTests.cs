using Rnn.Cells;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Cells;

namespace Rnn.Tests.Layers;

/// <summary>A stream of steps gives what the layer gives for the whole sequence, for every cell and with every option.</summary>
public sealed class SequenceStreamTests
{
    public static TheoryData<string> Cells => [.. TestCells.All];

    [Theory]
    [MemberData(nameof(Cells))]
    public void Steps_are_the_sequence(string cell)
    {
        var zoned = CellCatalog.Layout(cell).HasCellZoneout ? 0.2 : 0;
        foreach (var options in new RecurrentOptions[]
        {
            new() { Seed = 1 },
            new() { Bias = false, Layers = 2 },
            new() { Residual = true, Layers = 3, LearnedInitialState = true, HiddenZoneout = 0.3, CellZoneout = zoned, Dropout = 0.1 },
        })
        {
            var layer = RecurrentLayer<double>.Create(cell, 9, 9, options);
            var random = new RandomSource(2);
            TestCells.FillParameters(random, layer, 0.7);

            layer.Evaluate();
            var x = Tensor<double>.RandomNormal(random, 0, 1, 1, 7, 9);
            var expected = layer.Forward(x, []);
            var stream = layer.CreateStream();
            var output = new double[9];
            for (var round = 0; round < 2; round++)
            {
                for (var step = 0; step < 7; step++)
                {
                    stream.Step(x.Row(0, step), output);
                    Assert.Equal(expected.Output.Row(0, step).ToArray(), output, (a, b) => Math.Abs(a - b) < 1e-13);
                }

                for (var i = 0; i < expected.FinalState.Tensors.Count; i++)
                {
                    Assert.True(expected.FinalState.Tensors[i].AllClose(stream.GetState().Tensors[i], 1e-13, 1e-14));
                }

                stream.Reset();
            }
        }
    }

    [Fact]
    public void Changed_weights_count_from_the_next_step()
    {
        var layer = new Lstm<double>(3, 5, new() { LayerNormalization = true, Peepholes = Peepholes.Diagonal, Seed = 1 });
        var stream = layer.CreateStream();
        var output = new double[5];
        var x = Tensor<double>.RandomNormal(new RandomSource(1), 0, 1, 1, 1, 3);
        stream.Step(x.Row(0, 0), output);
        foreach (var parameter in layer.Parameters)
        {
            foreach (ref var value in parameter.Value.AsSpan())
            {
                value = (value * 1.5) + 0.1;
            }

            stream.Reset();
            stream.Step(x.Row(0, 0), output);
            Assert.Equal(layer.Forward(x).ToArray(), output, (a, b) => Math.Abs(a - b) < 1e-13);
        }
    }

    [Fact]
    public void Projected_states_stream_too()
    {
        var layer = new Lstm<double>(4, 9, new() { ProjectionSize = 3, Layers = 2, LayerNormalization = true, HiddenZoneout = 0.4, Seed = 1 });
        layer.Evaluate();
        var stream = layer.CreateStream();
        var output = new double[3];
        var x = Tensor<double>.RandomNormal(new RandomSource(1), 0, 1, 1, 5, 4);
        var expected = layer.Forward(x);
        for (var step = 0; step < 5; step++)
        {
            stream.Step(x.Row(0, step), output);
            Assert.Equal(expected.Row(0, step).ToArray(), output, (a, b) => Math.Abs(a - b) < 1e-13);
        }
    }
}
