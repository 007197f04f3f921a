using Rnn.Cells;
using Rnn.Layers;
using Rnn.Layers.Engine;
using Rnn.Tensors;
using Rnn.Tests.Cells;

namespace Rnn.Tests.Layers;

/// <summary>A stepper of N rows computes bit for bit what a run over the sequences does: one program, the same chains of sums.</summary>
public sealed class StepperTests
{
    private const int Size = 9;
    private const int Steps = 6;

    public static TheoryData<string> Cells => [.. TestCells.All];

    [Theory]
    [MemberData(nameof(Cells))]
    public void Steps_of_rows_have_the_bits_of_the_sequences(string cell)
    {
        foreach (var (options, projection) in Options(cell))
        {
            foreach (var rows in new[] { 1, 3, 17 })
            {
                var layer = Layer<double>(cell, options, projection);
                var x = Tensor<double>.RandomNormal(new RandomSource(2), 0, 1, rows, Steps, Size);
                var stepper = layer.CreateEngineStepper(rows);
                for (var round = 0; round < 2; round++)
                {
                    Assert.Equal(layer.Forward(x).ToArray(), Run(stepper, layer, x));
                    stepper.Reset();
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void Selected_rows_go_on_from_their_states(string cell)
    {
        foreach (var (options, projection) in Options(cell))
        {
            var layer = Layer<float>(cell, options, projection);
            var random = new RandomSource(3);
            var stepper = layer.CreateEngineStepper(3);
            var history = Tensor<float>.RandomNormal(random, 0, 1, 3, 2, Size);
            Run(stepper, layer, history);

            // Repeated and reordered to more rows than there were, then fewer, then as many again.
            foreach (var selection in new int[][] { [2, 0, 0, 1, 2], [4, 1], [1, 1], [0], [0, 0, 0] })
            {
                stepper.SelectRows(selection);
                Assert.Equal(selection.Length, stepper.Rows);
                var next = Tensor<float>.RandomNormal(random, 0, 1, selection.Length, 2, Size);
                history = Tensor<float>.Concat([Tensor<float>.Stack([.. selection.Select(row => history.Select(0, row))]), next], 1);
                Assert.Equal(Last(layer.Forward(history), 2), Run(stepper, layer, next));
            }
        }
    }

    [Fact]
    public void Reset_rows_begin_anew_and_others_go_on()
    {
        var layer = Layer<double>("lstm-peephole", new() { Layers = 2, LearnedInitialState = true }, 0);
        var random = new RandomSource(4);
        var stepper = layer.CreateEngineStepper(4);
        var before = Tensor<double>.RandomNormal(random, 0, 1, 4, 3, Size);
        var after = Tensor<double>.RandomNormal(random, 0, 1, 4, 2, Size);
        Run(stepper, layer, before);
        stepper.ResetRows([1, 3]);
        var output = Run(stepper, layer, after);
        var whole = Last(layer.Forward(Tensor<double>.Concat([before, after], 1)), 2);
        var anew = layer.Forward(after).ToArray();
        var width = 2 * layer.OutputSize;
        for (var row = 0; row < 4; row++)
        {
            Assert.Equal((row is 1 or 3 ? anew : whole)[(row * width)..((row + 1) * width)], output[(row * width)..((row + 1) * width)]);
        }
    }

    [Theory]
    [InlineData("lstm")]
    [InlineData("gru-before")]
    public void States_that_are_copied_go_on_in_another_stepper(string cell)
    {
        var layer = Layer<float>(cell, new() { Layers = 2 }, 0);
        var random = new RandomSource(5);
        var first = layer.CreateEngineStepper(3);
        Run(first, layer, Tensor<float>.RandomNormal(random, 0, 1, 3, 3, Size));
        var second = layer.CreateEngineStepper(3);
        for (var i = 0; i < first.Layers * first.States; i++)
        {
            var (index, state) = (i / first.States, i % first.States);
            var values = new float[3 * first.StateSize(index, state)];
            first.CopyStateTo(index, state, values);
            second.CopyStateFrom(index, state, values);
        }

        var next = Tensor<float>.RandomNormal(random, 0, 1, 3, 2, Size);
        Assert.Equal(Run(first, layer, next), Run(second, layer, next));
    }

    [Fact]
    public void No_rows_are_no_work()
    {
        var layer = Layer<double>("gru", new(), 0);
        var stepper = layer.CreateEngineStepper(0);
        stepper.Step([], []);
        stepper.SelectRows([]);
        Assert.Equal(0, stepper.Rows);
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void Steps_and_selections_allocate_nothing(string cell)
    {
        foreach (var (options, projection) in Options(cell))
        {
            var layer = Layer<float>(cell, options, projection);
            var stepper = layer.CreateEngineStepper(3);
            var input = new float[3 * Size];
            var output = new float[3 * layer.OutputSize];
            int[] selection = [2, 0, 0];
            stepper.Step(input, output);
            stepper.SelectRows(selection);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var step = 0; step < 5; step++)
            {
                stepper.Step(input, output);
                stepper.SelectRows(selection);
                stepper.ResetRows([1]);
            }

            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        }
    }

    private static IEnumerable<(RecurrentOptions Options, int Projection)> Options(string cell)
    {
        var layout = CellCatalog.Layout(cell);
        var cellZoneout = layout.HasCellZoneout ? 0.2 : 0;
        yield return (new() { Seed = 1 }, 0);
        yield return (new() { Bias = false, Layers = 2 }, 0);
        yield return (new() { Residual = true, Layers = 2, LearnedInitialState = true, HiddenZoneout = 0.3, CellZoneout = cellZoneout }, 0);
        if (layout.States.Count > 1)
        {
            yield return (new() { Layers = 2, HiddenZoneout = 0.3 }, 5);
        }

        if (layout.Products.Count > 0)
        {
            yield return (new() { RecurrentDropout = 0.4 }, 0);
        }
    }

    private static RecurrentLayer<T> Layer<T>(string cell, RecurrentOptions options, int projection)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var layer = RecurrentLayer<T>.Create(cell, Size, Size, options, projection);
        var random = new RandomSource(6);
        TestCells.FillParameters(random, layer, 0.7);

        layer.Evaluate();
        return layer;
    }

    // Every step's output as [N, T, O].
    private static T[] Run<T>(Stepper<T> stepper, RecurrentLayer<T> layer, Tensor<T> x)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var (rows, steps) = (x.Shape[0], x.Shape[1]);
        var outputs = new Tensor<T>[steps];
        for (var step = 0; step < steps; step++)
        {
            outputs[step] = Tensor<T>.Zeros(rows, layer.OutputSize);
            stepper.Step(x.Select(1, step).ToArray(), outputs[step].AsSpan());
        }

        return Tensor<T>.Stack(outputs, 1).ToArray();
    }

    private static T[] Last<T>(Tensor<T> output, int steps)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T> => output.Slice(1, ^steps..).ToArray();
}
