using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Golden;

namespace Rnn.Tests.Layers;

/// <summary>Dropout of every kind, zoneout, residual connections and merged directions: what they compute, by value.</summary>
public sealed class RecurrentOptionTests
{
    private static readonly int[] Ragged = [3, 0, 6, 1, 5];

    [Fact]
    public void Zoneout_in_evaluation_is_the_expectation()
    {
        var layer = new Lstm<double>(4, 7, new() { HiddenZoneout = 0.3, CellZoneout = 0.6, Seed = 1 });
        var plain = new Lstm<double>(4, 7, new() { Seed = 1 });
        layer.Evaluate();
        var x = Random(1, 5, 6, 4);
        var actual = layer.Forward(x, Ragged, cellStates: true);

        // One step at a time: the plain cell's step from the mixed states, then the mixture.
        var state = plain.ZeroState(5);
        for (var step = 0; step < 6; step++)
        {
            var next = plain.Forward(x.Slice(1, step..(step + 1)), [.. Ragged.Select(length => length > step ? 1 : 0)], state).FinalState;
            var valid = Tensor<double>.From([.. Ragged.Select(length => length > step ? 1.0 : 0)], 5, 1);
            var h = (next.Hidden() * (1.0 - (0.3 * valid))) + (state.Hidden() * (0.3 * valid));
            var c = (next.Cell() * (1.0 - (0.6 * valid))) + (state.Cell() * (0.6 * valid));
            state = plain.CreateState(h, c);
            GoldenAssert.Close(h * valid, actual.Output.Select(1, step).Clone(), 1e-14, $"output {step}");
            GoldenAssert.Close(c * valid, actual.CellStates![0].Select(1, step).Clone(), 1e-14, $"cell {step}");
        }

        GoldenAssert.Close(state.Hidden(), actual.FinalState.Hidden(), 1e-14, "h");
        GoldenAssert.Close(state.Cell(), actual.FinalState.Cell(), 1e-14, "c");
    }

    [Theory]
    [InlineData("gru")]
    [InlineData("gru-before")]
    [InlineData("lstm-fullpeephole")]
    public void Zoneout_in_training_keeps_units_of_the_step_before_at_the_given_rate(string cell)
    {
        var layer = RecurrentLayer<double>.Create(cell, 4, 64, new() { HiddenZoneout = 0.25, Seed = 2 });
        var plain = RecurrentLayer<double>.Create(cell, 4, 64, new() { Seed = 2 });
        var (x, state) = (Random(3, 32, 1, 4), plain.ZeroState(32));
        foreach (var tensor in state.Tensors)
        {
            new RandomSource(4).FillNormal(tensor.AsSpan());
        }

        var (actual, fresh) = (layer.Forward(x, [], state).FinalState.Hidden(), plain.Forward(x, [], state).FinalState.Hidden());
        var kept = 0;
        for (var i = 0; i < actual.Length; i++)
        {
            var (value, old, next) = (actual.AsReadOnlySpan()[i], state.Hidden().AsReadOnlySpan()[i], fresh.AsReadOnlySpan()[i]);
            Assert.True(value == old || value == next);
            kept += value == old ? 1 : 0;
        }

        Assert.InRange(kept, 0.21 * actual.Length, 0.29 * actual.Length);
    }

    [Fact]
    public void Recurrent_dropout_has_one_mask_a_sequence_and_passes_through_in_evaluation()
    {
        // h = (m⊙h₋)/(1 − p) without input: a unit is lost at the first step or grows by the same factor at each.
        var layer = new SimpleRnn<double>(
            1, 40, new() { Activation = Activation.Identity, RecurrentDropout = 0.25, Initialization = RecurrentInitialization.Identity, Seed = 1 });
        var (x, state) = (Tensor<double>.Zeros(6, 5, 1), layer.CreateState(Tensor<double>.Ones(6, 40)));
        var output = layer.Forward(x, [], state).Output;
        var lost = 0;
        for (var row = 0; row < 6; row++)
        {
            for (var unit = 0; unit < 40; unit++)
            {
                var isLost = output[row, 0, unit] == 0;
                lost += isLost ? 1 : 0;
                for (var step = 0; step < 5; step++)
                {
                    Assert.Equal(isLost ? 0 : Math.Pow(1 / 0.75, step + 1), output[row, step, unit], 1e-12);
                }
            }
        }

        Assert.InRange(lost, 40, 80);
        Assert.NotEqual(output.Select(0, 0).ToArray(), output.Select(0, 1).ToArray());
        Assert.NotEqual(output.ToArray(), layer.Forward(x, [], state).Output.ToArray());
        layer.Evaluate();
        Assert.All(layer.Forward(x, [], state).Output.ToArray(), value => Assert.Equal(1, value));
    }

    [Fact]
    public void Weight_drop_drops_the_recurrent_matrix_alone_for_a_whole_batch()
    {
        var layer = new SimpleRnn<double>(30, 30, new() { Activation = Activation.Identity, WeightDrop = 0.5, Seed = 3 });
        var hh = layer.NamedParameters.Single(pair => pair.Key == "weight_hh_l0").Value.Value;

        // A unit vector as the state and no input: the output is a column of the dropped matrix.
        var state = layer.CreateState(Tensor<double>.Identity(30));
        var output = layer.Forward(Tensor<double>.Zeros(30, 1, 30), [], state).Output;
        var dropped = 0;
        for (var row = 0; row < 30; row++)
        {
            for (var unit = 0; unit < 30; unit++)
            {
                dropped += output[row, 0, unit] == 0 ? 1 : 0;
                Assert.True(output[row, 0, unit] == 0 || output[row, 0, unit] == hh[unit, row] * 2);
            }
        }

        Assert.InRange(dropped, 380, 520);
        var eyes = Tensor<double>.Identity(30).Reshape(30, 1, 30);
        Assert.Equal(layer.Forward(eyes).ToArray(), layer.Forward(eyes).ToArray());
        layer.Evaluate();
        Assert.Equal(hh.Transpose().ToArray(), layer.Forward(Tensor<double>.Zeros(30, 1, 30), [], state).Output.ToArray());
    }

    [Fact]
    public void Dropout_stands_between_layers_and_not_in_evaluation()
    {
        var layer = new Lstm<double>(3, 20, new() { Layers = 2, Dropout = 0.4, Seed = 4 });
        var x = Random(5, 4, 3, 3);
        var (first, second) = (layer.Forward(x, []), layer.Forward(x, []));
        Assert.Equal(first.FinalState.Hidden(0).ToArray(), second.FinalState.Hidden(0).ToArray());
        Assert.NotEqual(first.Output.ToArray(), second.Output.ToArray());
        layer.Evaluate();
        var plain = new Lstm<double>(3, 20, new() { Layers = 2, Seed = 4 });
        Assert.Equal(plain.Forward(x).ToArray(), layer.Forward(x).ToArray());
    }

    [Fact]
    public void Masks_follow_from_the_seed_alone_and_not_from_the_threads()
    {
        var options = new RecurrentOptions
        {
            Layers = 2,
            Bidirectional = true,
            Dropout = 0.1,
            HiddenZoneout = 0.2,
            CellZoneout = 0.3,
            RecurrentDropout = 0.2,
            WeightDrop = 0.1,
            Seed = 9,
        };
        var lengths = Enumerable.Range(0, 61).Select(row => row * 7 % 18).ToArray();
        var threads = Workers.MaxThreads;
        var results = new List<float[]>();
        try
        {
            foreach (var count in new[] { 1, 2, 3 })
            {
                Workers.MaxThreads = count;
                foreach (var cell in new[] { "lstm-peephole-layernorm", "gru-before-layernorm" })
                {
                    var layer = RecurrentLayer<float>.Create(cell, 20, 40, options with { CellZoneout = cell.StartsWith('l') ? 0.3 : 0 });
                    var x = Tensor<float>.RandomNormal(new RandomSource(6), 0, 1, 61, 17, 20);
                    x.RequiresGradient = true;
                    var output = layer.Forward(x, lengths);
                    (output.Output.Square().Sum() + output.Last.Sum()).Backward();
                    results.Add([.. output.Output.ToArray(), .. x.Gradient!.ToArray(), .. layer.Parameters.SelectMany(parameter => parameter.Gradient!.ToArray())]);
                }
            }
        }
        finally
        {
            Workers.MaxThreads = threads;
        }

        Assert.Equal(results[0], results[2]);
        Assert.Equal(results[0], results[4]);
        Assert.Equal(results[1], results[3]);
        Assert.Equal(results[1], results[5]);
    }

    [Theory]
    [InlineData(DirectionMerge.Sum)]
    [InlineData(DirectionMerge.Mean)]
    [InlineData(DirectionMerge.Separate)]
    public void Directions_merge_as_they_say(DirectionMerge merge)
    {
        var both = new Gru<double>(4, 6, new() { Bidirectional = true, Seed = 5 });
        var merged = new Gru<double>(4, 6, new() { Bidirectional = true, Merge = merge, Seed = 5 });
        var x = Random(7, 5, 6, 4);
        var (expected, actual) = (both.Forward(x, Ragged), merged.Forward(x, Ragged));
        if (merge == DirectionMerge.Separate)
        {
            Assert.Equal(12, merged.OutputSize);
            Assert.Equal(expected.Output.ToArray(), actual.Output.ToArray());
            Assert.Equal(expected.Last.ToArray(), actual.Last.ToArray());
            Assert.Equal(expected.Output.Slice(2, ..6).ToArray(), actual.Directions![0].ToArray());
            Assert.Equal(expected.Output.Slice(2, 6..).ToArray(), actual.Directions[1].ToArray());
            return;
        }

        var scale = merge == DirectionMerge.Mean ? 0.5 : 1;
        Assert.Equal(6, merged.OutputSize);
        Assert.Null(actual.Directions);
        GoldenAssert.Close((expected.Output.Slice(2, ..6) + expected.Output.Slice(2, 6..)) * scale, actual.Output, 1e-15, "output");
        GoldenAssert.Close((expected.Last.Slice(1, ..6) + expected.Last.Slice(1, 6..)) * scale, actual.Last, 1e-15, "last");
    }

    [Fact]
    public void Last_is_the_output_where_each_direction_ends()
    {
        var x = Random(8, 5, 6, 6);
        foreach (var (bidirectional, reverse, residual, size) in new[] { (false, false, false, 6), (false, false, true, 6), (false, true, true, 6), (true, false, false, 6), (true, false, true, 3) })
        {
            var layer = new Lstm<double>(6, size, new() { Bidirectional = bidirectional, Reverse = reverse, Residual = residual, Seed = 6 });
            var result = layer.Forward(x, Ragged);
            for (var row = 0; row < 5; row++)
            {
                for (var unit = 0; unit < layer.OutputSize; unit++)
                {
                    var isBackward = reverse || (bidirectional && unit >= size);
                    var expected = Ragged[row] == 0 ? 0 : result.Output[row, isBackward ? 0 : Ragged[row] - 1, unit];
                    Assert.Equal(expected, result.Last[row, unit], 1e-15);
                }
            }
        }
    }

    [Fact]
    public void Residual_connections_add_the_input_of_equal_size_and_leave_zeros_past_the_ends()
    {
        var options = new RecurrentOptions { HiddenSizes = [5, 5, 4], Seed = 7 };
        var (plain, residual) = (RecurrentLayer<double>.Create("gru", 5, 5, options), RecurrentLayer<double>.Create("gru", 5, 5, options with { Residual = true }));
        var bottom = RecurrentLayer<double>.Create("gru", 5, 5, options with { HiddenSizes = [5] });
        var x = Random(9, 5, 6, 5);
        var first = bottom.Forward(x, Ragged).Output;
        var sum = RecurrentLayer<double>.Create("gru", 5, 5, options with { HiddenSizes = [5], Residual = true }).Forward(x, Ragged).Output;
        for (var row = 0; row < 5; row++)
        {
            for (var step = 0; step < 6; step++)
            {
                for (var unit = 0; unit < 5; unit++)
                {
                    Assert.Equal(step < Ragged[row] ? first[row, step, unit] + x[row, step, unit] : 0, sum[row, step, unit]);
                }
            }
        }

        Assert.Equal(4, residual.OutputSize);
        Assert.NotEqual(plain.Forward(x, Ragged).Output.ToArray(), residual.Forward(x, Ragged).Output.ToArray());
    }

    private static Tensor<double> Random(ulong seed, params int[] shape) => Tensor<double>.RandomNormal(new RandomSource(seed), 0, 1, new Shape(shape));
}
