using Rnn.Cells;
using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Layers.Engine;
using Rnn.Tensors;
using Rnn.Tests.Cells;

namespace Rnn.Tests.Layers;

/// <summary>Steppers keep what they have looked up only while it is true: of the weights, the rows and the memory of now.</summary>
public sealed class PreparedStepTests
{
    private const int Size = 9;

    public static TheoryData<string> Cells => [.. TestCells.All];

    // Rows that steps are prepared for, and more.
    private static int ManyRows => MatrixKernels<float>.Current.MostPreparedRows + 2;

    [Theory]
    [MemberData(nameof(Cells))]
    public void Rows_that_are_selected_go_on_as_in_a_fresh_stepper(string cell)
    {
        foreach (var (options, projection) in Options(cell))
        {
            var layer = Layer(cell, options, projection);
            var random = new RandomSource(3);
            var stepper = layer.CreateEngineStepper(2);
            Step(stepper, layer, Input(random, 2));

            // Up to rows that are not prepared and to more memory, down again, one and many in turn.
            foreach (var count in new[] { 1, 3, ManyRows, 2, 1, ManyRows, 3, 1, 2 * ManyRows, 1 })
            {
                int[] selection = [.. Enumerable.Range(0, count).Select(row => (row * 2) % stepper.Rows)];
                stepper.SelectRows(selection);
                var fresh = Fresh(stepper, layer);
                for (var step = 0; step < 3; step++)
                {
                    var input = Input(random, count);
                    Assert.Equal(Step(fresh, layer, input), Step(stepper, layer, input));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void Weights_that_change_count_from_the_next_step(string cell)
    {
        foreach (var (options, projection) in Options(cell))
        {
            var layer = Layer(cell, options, projection);
            var random = new RandomSource(4);
            var stepper = layer.CreateEngineStepper(ManyRows);
            foreach (var rows in new[] { 3, 1, ManyRows })
            {
                stepper.SelectRows(new int[rows]);
                Step(stepper, layer, Input(random, rows));
                foreach (var parameter in layer.Parameters)
                {
                    // Changed between the two blocks of states, which have each a step of their own, and while another number of rows was at work.
                    parameter.Value.AsSpan()[0] += 0.5f;
                    var fresh = Fresh(stepper, layer);
                    for (var step = 0; step < 2; step++)
                    {
                        var input = Input(random, rows);
                        Assert.Equal(Step(fresh, layer, input), Step(stepper, layer, input));
                    }
                }
            }
        }
    }

    [Fact]
    public void Weights_that_change_while_more_rows_run_count_when_few_run_again()
    {
        var layer = Layer("lstm-peephole", new() { LayerNormalization = true }, 0);
        var random = new RandomSource(5);
        var stepper = layer.CreateEngineStepper(1);
        Step(stepper, layer, Input(random, 1));
        Step(stepper, layer, Input(random, 1));
        stepper.SelectRows(new int[ManyRows]);
        stepper.SelectRows([0]);
        Step(stepper, layer, Input(random, 1));
        stepper.SelectRows(new int[ManyRows]);
        foreach (var parameter in layer.Parameters)
        {
            parameter.Value.AsSpan().Reverse();
        }

        Step(stepper, layer, Input(random, ManyRows));
        stepper.SelectRows([1]);
        var fresh = Fresh(stepper, layer);
        for (var step = 0; step < 2; step++)
        {
            var input = Input(random, 1);
            Assert.Equal(Step(fresh, layer, input), Step(stepper, layer, input));
        }
    }

    [Fact]
    public void Addresses_hold_while_memory_is_collected_and_other_steppers_work()
    {
        var layer = Layer("lstm", new() { Layers = 2 }, 0);
        var random = new RandomSource(6);
        var first = layer.CreateEngineStepper(1);
        Step(first, layer, Input(random, 1));
        for (var round = 0; round < 5; round++)
        {
            // A second stepper renews the weights, which the first still has leased; what it had goes back to memory.
            layer.Parameters.First().Value.AsSpan()[round] += 0.25f;
            var second = Fresh(first, layer);
            var input = Input(random, 1);
            var expected = Step(second, layer, input);
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
            Assert.Equal(expected, Step(first, layer, input));
        }
    }

    [Theory]
    [InlineData(WeightFormat.BFloat16)]
    [InlineData(WeightFormat.Int8)]
    public void Compression_counts_from_the_next_step_of_any_rows(WeightFormat format)
    {
        foreach (var rows in new[] { 1, 3, ManyRows })
        {
            var layer = Layer("lstm-peephole", new() { Layers = 2, LayerNormalization = true, HiddenZoneout = 0.2 }, 0);
            var random = new RandomSource(7);
            var stepper = layer.CreateEngineStepper(rows);
            Step(stepper, layer, Input(random, rows));
            foreach (var next in new[] { format, WeightFormat.Single, format })
            {
                layer.Compress(next);
                var fresh = Fresh(stepper, layer);
                for (var step = 0; step < 3; step++)
                {
                    var input = Input(random, rows);
                    Assert.Equal(Step(fresh, layer, input), Step(stepper, layer, input));
                }
            }
        }
    }

    private static IEnumerable<(RecurrentOptions Options, int Projection)> Options(string cell)
    {
        var layout = CellCatalog.Layout(cell);
        yield return (new() { Seed = 1 }, 0);
        yield return (new() { Bias = false, Residual = true, HiddenZoneout = 0.3 }, 0);
        yield return (new() { Layers = 2, LayerNormalization = layout.Products.Count > 0, LearnedInitialState = true }, 0);
        if (layout.States.Count > 1)
        {
            yield return (new() { HiddenZoneout = 0.3 }, 5);
        }

        if (layout.Products.Count > 0)
        {
            yield return (new() { Heads = 3 }, 0);
        }
    }

    private static RecurrentLayer<float> Layer(string cell, RecurrentOptions options, int projection)
    {
        var layer = RecurrentLayer<float>.Create(cell, Size, Size, options, projection);
        TestCells.FillParameters(new RandomSource(6), layer, 0.7);
        layer.Evaluate();
        return layer;
    }

    private static float[] Input(RandomSource random, int rows) => Tensor<float>.RandomNormal(random, 0, 1, rows, Size).ToArray();

    private static float[] Step(Stepper<float> stepper, RecurrentLayer<float> layer, float[] input)
    {
        var output = new float[stepper.Rows * layer.OutputSize];
        stepper.Step(input, output);
        return output;
    }

    // Another stepper with the states of now, which has looked nothing up yet.
    private static Stepper<float> Fresh(Stepper<float> stepper, RecurrentLayer<float> layer)
    {
        var fresh = layer.CreateEngineStepper(stepper.Rows);
        for (var i = 0; i < stepper.Layers * stepper.States; i++)
        {
            var (index, state) = (i / stepper.States, i % stepper.States);
            var values = new float[stepper.Rows * stepper.StateSize(index, state)];
            stepper.CopyStateTo(index, state, values);
            fresh.CopyStateFrom(index, state, values);
        }

        return fresh;
    }
}
