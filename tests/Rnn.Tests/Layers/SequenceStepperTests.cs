using Rnn.Cells;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Cells;
using Rnn.UserTests.Layers;

namespace Rnn.Tests.Layers;

/// <summary>Steps, with a graph and without, give what the layer gives for the whole sequence.</summary>
public sealed class SequenceStepperTests
{
    public static TheoryData<string> Cells => [.. CellCatalog.Names];

    [Theory]
    [MemberData(nameof(Cells))]
    public void Rows_step_as_the_sequence_runs(string cell)
    {
        foreach (var layer in Layers(cell))
        {
            layer.IsTraining = false;
            var x = Tensor<double>.RandomNormal(new RandomSource(2), 0, 1, 3, 5, layer.InputSize);
            var expected = layer.Forward(x, layer.InitialState(3));
            var stepper = layer.CreateStepper(3);
            for (var round = 0; round < 2; round++)
            {
                for (var step = 0; step < 5; step++)
                {
                    Close(expected.Output.Select(1, step), Step(stepper, x.Select(1, step)));
                }

                var state = stepper.GetState();
                Assert.All(expected.FinalState.Names, name => Close(expected.FinalState[name], state[name].ToArray()));
                stepper.Reset();
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void Chosen_rows_go_on_exactly(string cell)
    {
        foreach (var layer in Layers(cell))
        {
            var x = Tensor<double>.RandomNormal(new RandomSource(3), 0, 1, 4, 2, layer.InputSize);
            var (stepper, other) = (layer.CreateStepper(4), layer.CreateStepper(1));
            Step(stepper, x.Select(1, 0));
            var saved = stepper.GetState();
            stepper.SelectRows(3, 1, 1, 0, 3);
            Assert.Equal(5, stepper.Rows);
            var next = Tensor<double>.From([.. Enumerable.Repeat(x.Row(2, 1).ToArray(), 5).SelectMany(row => row)], 5, layer.InputSize);
            var output = Step(stepper, next);
            int[] rows = [3, 1, 1, 0, 3];
            for (var row = 0; row < 5; row++)
            {
                other.SetState(saved.SelectRows(rows[row]));
                Assert.Equal(Step(other, next.Slice(0, row..(row + 1))), output.AsSpan(row * layer.OutputSize, layer.OutputSize).ToArray());
            }

            // One row begins anew, the others go on.
            stepper.SetState(saved);
            stepper.ResetRows([false, true, false, false]);
            var state = stepper.GetState();
            Assert.All(saved.ResetRows([false, true, false, false], layer.InitialState(4)).Tensors.Zip(state.Tensors), pair => Assert.Equal(pair.First.ToArray(), pair.Second.ToArray()));
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void Recorded_steps_have_the_gradients_of_the_sequence(string cell)
    {
        foreach (var layer in Layers(cell))
        {
            layer.IsTraining = false;
            var random = new RandomSource(4);
            var x = Tensor<double>.RandomNormal(random, 0, 1, 3, 6, layer.InputSize);
            var initial = layer.ZeroState(3);
            TestCells.FillStates(random, initial);
            Tensor<double>[] leaves = [x, .. initial.Tensors, .. layer.Parameters.Select(parameter => parameter.Value)];
            Array.ForEach(leaves, leaf => leaf.RequiresGradient = true);
            var whole = layer.Forward(x, initial);
            var weight = Tensor<double>.RandomNormal(random, 0, 1, whole.Output.Shape);
            ((whole.Output * weight).Sum() + whole.FinalState.Tensors[^1].Square().Sum()).Backward();
            var expected = Take(leaves);

            var (state, outputs) = (initial, new List<Tensor<double>>());
            for (var step = 0; step < 6; step++)
            {
                (var y, state) = layer.Step(x.Select(1, step), state);
                outputs.Add(y);
            }

            var joined = Tensor<double>.Stack([.. outputs], 1);
            Close(whole.Output, joined.ToArray());
            ((joined * weight).Sum() + state.Tensors[^1].Square().Sum()).Backward();
            foreach (var (wanted, actual) in expected.Zip(Take(leaves)))
            {
                var largest = Math.Max(1, wanted.Max(Math.Abs));
                Assert.Equal(wanted, actual, (a, b) => Math.Abs(a - b) <= 1e-12 * largest);
            }
        }
    }

    [Theory]
    [InlineData("lstm")]
    [InlineData("gru-before")]
    public void Steps_allocate_nothing(string cell)
    {
        var layer = RecurrentLayer<float>.Create(cell, 5, 17, new() { Layers = 2, Seed = 1 });
        foreach (var stepper in new[] { layer.CreateStepper(3), new SequenceChain<float>(layer, new Dropout<float>(0.5), new Linear<float>(17, 4)).CreateStepper(3) })
        {
            var (input, output) = (new float[15], new float[3 * stepper.OutputSize]);
            for (var step = 0; step < 3; step++)
            {
                stepper.Step(input, output);
            }

            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var step = 0; step < 20; step++)
            {
                stepper.Step(input, output);
            }

            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        }
    }

    [Fact]
    public void Mistakes_are_named()
    {
        var layer = new Gru<float>(3, 4);
        var stepper = layer.CreateStepper(2);
        Assert.Equal("input", Assert.Throws<ArgumentException>(() => stepper.Step(new float[3], new float[8])).ParamName);
        Assert.Equal("output", Assert.Throws<ArgumentException>(() => stepper.Step(new float[6], new float[4])).ParamName);
        Assert.Equal("rows", Assert.Throws<ArgumentException>(() => stepper.ResetRows([true])).ParamName);
        Assert.Throws<ArgumentOutOfRangeException>(() => stepper.SelectRows(2));
        Assert.Throws<ArgumentException>(() => stepper.SelectRows());
        Assert.Throws<ArgumentException>(() => stepper.SetState(new Gru<float>(3, 5).ZeroState(2)));
        Assert.Throws<ArgumentException>(() => stepper.SetState(new Lstm<float>(3, 4).ZeroState(2)));
        Assert.Throws<ArgumentOutOfRangeException>(() => layer.CreateStepper(0));
        Assert.Equal("input", Assert.Throws<ArgumentException>(() => layer.Step(Tensor<float>.Zeros(2, 1, 3), null)).ParamName);
        Assert.Equal("initialState", Assert.Throws<ArgumentException>(() => layer.Step(Tensor<float>.Zeros(2, 3), layer.ZeroState(3))).ParamName);
        var both = new Gru<float>(3, 4, new() { Bidirectional = true });
        Assert.False(both.IsCausal);
        Assert.Throws<InvalidOperationException>(() => both.CreateStepper());
        Assert.Throws<InvalidOperationException>(() => both.Step(Tensor<float>.Zeros(2, 3), null));
        Assert.Throws<InvalidOperationException>(() => new SequenceChain<float>(both, new Linear<float>(8, 3)).CreateStepper());
    }

    // The cell with several options, alone and in a chain.
    private static IEnumerable<SequenceLayer<double>> Layers(string cell)
    {
        var random = new RandomSource(1);
        var zoned = CellCatalog.Layout(cell).HasCellZoneout ? 0.2 : 0;
        var projected = CellCatalog.Layout(cell).States[0].CarriesGradient ? 0 : 3;
        SequenceLayer<double>[] layers =
        [
            RecurrentLayer<double>.Create(cell, 3, 5, new() { Seed = 3, Layers = 2, HiddenZoneout = 0.2 }, projected),
            RecurrentLayer<double>.Create(cell, 3, 5, new() { Seed = 1 }),
            RecurrentLayer<double>.Create(cell, 4, 4, new() { Seed = 1, Layers = 2, Residual = true, LearnedInitialState = true, HiddenZoneout = 0.3, CellZoneout = zoned, Bias = false }),
            new SequenceChain<double>(
                new Linear<double>(3, 4), new Dropout<double>(0.5), RecurrentLayer<double>.Create(cell, 4, 5, new() { Seed = 2 }), new LayerNorm<double>(5), new MovingAverage<double>(5, 3)),
            new Residual<double>(new RmsNorm<double>(6, new() { Groups = 2 }), RecurrentLayer<double>.Create(cell, 6, 6, new() { Seed = 4 })),
        ];
        foreach (var layer in layers)
        {
            TestCells.FillParameters(random, layer, 0.7);

            yield return layer;
        }
    }

    private static double[] Step(SequenceStepper<double> stepper, Tensor<double> input)
    {
        var output = new double[stepper.Rows * stepper.OutputSize];
        stepper.Step(input.AsReadOnlySpan(), output);
        return output;
    }

    private static List<double[]> Take(Tensor<double>[] leaves)
    {
        var gradients = leaves.Select(leaf => leaf.Gradient?.ToArray() ?? new double[leaf.Length]).ToList();
        Array.ForEach(leaves, leaf => leaf.ZeroGradient());
        return gradients;
    }

    private static void Close(Tensor<double> expected, double[] actual) => Assert.Equal(expected.ToArray(), actual, (a, b) => Math.Abs(a - b) < 1e-13);
}
