using Rnn.Cells;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Cells;
using Rnn.Tests.Golden;
using Rnn.Tests.Layers;

namespace Rnn.Tests.Oracles;

/// <summary>Every built-in cell's fused layer against its composed oracle in double: outputs, final states and the gradients of everything.</summary>
public class FusedLayerTests
{
    private const double Tolerance = 1e-12;
    private const int Inputs = 5;
    private const int Steps = 6;

    private static readonly int[] RaggedLengths = [4, 0, 6, 1, 3];

    private static readonly Dictionary<string, LayerCase> Runs = new()
    {
        ["plain"] = new(),
        ["ragged"] = new() { IsRagged = true },
        ["zeros"] = new() { StartsFromZeros = true },
        ["zeros nobias ragged"] = new(new() { Bias = false }) { IsRagged = true, StartsFromZeros = true },
        ["zeros both stacked ragged"] = new(new() { Bidirectional = true, Layers = 2 }) { IsRagged = true, StartsFromZeros = true },
        ["nobias"] = new(new() { Bias = false }),
        ["stacked ragged"] = new(new() { Layers = 3 }) { IsRagged = true },
        ["widths"] = new(new() { HiddenSizes = [17, 1, 9] }),
        ["both ragged"] = new(new() { Bidirectional = true }) { IsRagged = true },
        ["both stacked ragged"] = new(new() { Bidirectional = true, Layers = 2 }) { IsRagged = true },
        ["both sum stacked"] = new(new() { Bidirectional = true, Layers = 2, Merge = DirectionMerge.Sum }),
        ["both mean ragged"] = new(new() { Bidirectional = true, Merge = DirectionMerge.Mean }) { IsRagged = true },
        ["both separate ragged"] = new(new() { Bidirectional = true, Merge = DirectionMerge.Separate }) { IsRagged = true },
        ["reverse stacked ragged"] = new(new() { Layers = 2, Reverse = true }) { IsRagged = true },
        ["residual stacked ragged"] = new(new() { Layers = 3, Residual = true }) { IsRagged = true },
        ["residual reverse stacked ragged"] = new(new() { Layers = 2, Residual = true, Reverse = true }) { IsRagged = true },
        ["residual both stacked ragged"] = new(new() { Bidirectional = true, Layers = 2, Residual = true }) { IsRagged = true },
        ["residual both sum stacked"] = new(new() { Bidirectional = true, Layers = 2, Merge = DirectionMerge.Sum, Residual = true }),
        ["zoneout"] = new(new() { HiddenZoneout = 0.4, CellZoneout = 0.3 }),
        ["zoneout evaluate ragged"] = new(new() { HiddenZoneout = 0.4, CellZoneout = 0.3 }) { IsRagged = true, IsEvaluated = true },
        ["dropout reverse ragged"] = new(new() { RecurrentDropout = 0.4, Reverse = true }) { IsRagged = true },
        ["masks both stacked ragged"] = new(new() { HiddenZoneout = 0.2, CellZoneout = 0.3, RecurrentDropout = 0.4, Bidirectional = true, Layers = 2 }) { IsRagged = true },
        ["heads ragged"] = new(new() { HiddenSizes = [6, 9], Heads = 3 }) { IsRagged = true },
        ["heads zeros"] = new(new() { HiddenSizes = [8], Heads = 2 }) { StartsFromZeros = true },
        ["heads of one unit"] = new(new() { HiddenSizes = [5], Heads = 5, Bias = false }),
        ["heads masks both ragged"] = new(new() { HiddenSizes = [34, 4], Heads = 2, HiddenZoneout = 0.2, RecurrentDropout = 0.4, Bidirectional = true }) { IsRagged = true },
        ["masks residual evaluate"] = new(new() { HiddenZoneout = 0.2, CellZoneout = 0.3, RecurrentDropout = 0.4, Residual = true, Layers = 2 }) { IsEvaluated = true },
    };

    public static TheoryData<string, string> Cases()
    {
        var cases = new TheoryData<string, string>();
        foreach (var cell in TestCells.All)
        {
            // Cells that differ in their activation alone need not meet every option.
            var variant = !TestCells.IsDistinct(cell);
            foreach (var run in variant ? ["both stacked ragged", "masks both stacked ragged"] : Runs.Keys.ToArray())
            {
                cases.Add(cell, run);
            }
        }

        return cases;
    }

    public static TheoryData<string, string> ProjectedCases()
    {
        var cases = new TheoryData<string, string>();
        foreach (var cell in TestCells.All.Where(name => CellOracle.Named(name) is LstmOracle))
        {
            cases.Add(cell, "plain");
            cases.Add(cell, "both stacked ragged");
            cases.Add(cell, "zeros");
            cases.Add(cell, "zoneout evaluate ragged");
            cases.Add(cell, "masks both stacked ragged");
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Fused_layers_agree_with_composed_ones(string cell, string run) =>
        Check(RecurrentLayer<double>.Create(cell, Inputs, hiddenSize: 7, OptionsOf(cell, run) with { Seed = 0 }), CellOracle.Named(cell), Runs[run]);

    [Theory]
    [MemberData(nameof(ProjectedCases))]
    public void Fused_layers_with_projection_agree_with_composed_ones(string cell, string run) => Check(
        RecurrentLayer<double>.Create(cell, Inputs, hiddenSize: 7, Runs[run].Options with { Seed = 0 }, projectionSize: 3),
        (LstmOracle)CellOracle.Named(cell) with { Projected = true }, Runs[run]);

    // One unit, one row, one step, and widths around the vectors' widths.
    [Theory]
    [InlineData("lstm", 1, 1, 1)]
    [InlineData("lstm", 37, 3, 2)]
    [InlineData("lstm-fullpeephole-coupled", 33, 17, 3)]
    [InlineData("gru", 16, 1, 9)]
    [InlineData("gru", 129, 2, 2)]
    public void Fused_layers_of_odd_sizes_agree_with_composed_ones(string cell, int hidden, int batch, int steps) =>
        Check(RecurrentLayer<double>.Create(cell, Inputs, hidden, new() { Seed = 0 }), CellOracle.Named(cell), new(), batch, steps);

    // Enough work for several threads, with rows of all lengths: parts of unequal height.
    [Theory]
    [InlineData("lstm")]
    [InlineData("lstm-fullpeephole")]
    [InlineData("gru")]
    public void Fused_layers_over_threads_agree_with_composed_ones(string cell) =>
        Check(RecurrentLayer<double>.Create(cell, Inputs, hiddenSize: 48, new() { Seed = 0 }), CellOracle.Named(cell), new() { IsRagged = true }, batch: 61, steps: 17);

    // The input's product and gradient run over several steps at a time: many chunks of them, of rows that fill tiles and of rows that do not,
    // on one thread's share of the rows and shared by panels.
    [Theory]
    [InlineData("lstm", "plain", 61, 9)]
    [InlineData("lstm", "ragged", 37, 21)]
    [InlineData("lstm", "zeros", 20, 35)]
    [InlineData("lstm", "zeros", 3, 90)]
    [InlineData("lstm", "ragged", 3, 90)]
    [InlineData("lstm", "reverse stacked ragged", 7, 40)]
    [InlineData("lstm", "both sum stacked", 13, 23)]
    [InlineData("lstm", "both ragged", 29, 23)]
    [InlineData("gru", "plain", 1, 300)]
    [InlineData("gru-before", "zeros", 25, 12)]
    [InlineData("lstm-fullpeephole", "zeros", 5, 1)]
    [InlineData("lstm-fullpeephole", "plain", 5, 1)]
    [InlineData("gru-before", "zeros both stacked ragged", 6, 1)]
    [InlineData("lstm-layernorm", "zeros", 1, 1)]
    public void Fused_layers_over_chunks_of_steps_agree_with_composed_ones(string cell, string run, int batch, int steps) =>
        Check(RecurrentLayer<double>.Create(cell, Inputs, hiddenSize: 129, Runs[run].Options with { Seed = 0 }), CellOracle.Named(cell), Runs[run], batch, steps);

    // Some rows and more weights than a near cache holds: threads share products by panels instead of rows.
    [Theory]
    [InlineData("lstm", "plain", 13, 7)]
    [InlineData("lstm", "ragged", 19, 7)]
    [InlineData("gru-before", "zeros", 8, 5)]
    [InlineData("lstm-layernorm", "reverse stacked ragged", 9, 5)]
    public void Fused_layers_with_shared_products_agree_with_composed_ones(string cell, string run, int batch, int steps) =>
        Check(RecurrentLayer<double>.Create(cell, Inputs, hiddenSize: 230, Runs[run].Options with { Seed = 0 }), CellOracle.Named(cell), Runs[run], batch, steps);

    // Normalised over one unit, or of one unit, values do not depend on anything, and gradients are rounding alone.
    private static RecurrentOptions OptionsOf(string cell, string run)
    {
        // What a cell refuses since it would do nothing is left out.
        var (layout, given) = (CellCatalog.Layout(cell), Runs[run].Options);
        var options = given with
        {
            CellZoneout = layout.HasCellZoneout ? given.CellZoneout : 0,
            RecurrentDropout = layout.Products.Any(product => product.Source == Operand.Previous(0)) ? given.RecurrentDropout : 0,
            Heads = layout.Products.Count > 0 ? given.Heads : 1,
        };
        return CellOracle.Named(cell).Normalized && options.HiddenSizes is [17, 1, 9] ? new() { HiddenSizes = [17, 4, 9] } : options;
    }

    internal static void Check(RecurrentLayer<double> layer, CellOracle cell, LayerCase run, int batch = 5, int steps = Steps)
    {
        var random = new RandomSource(20);
        int[]? lengths = !run.IsRagged ? null
            : batch == RaggedLengths.Length ? RaggedLengths
            : [.. Enumerable.Range(0, batch).Select(row => row * 5 % (steps + 1))];

        // Weights that keep large layers from chaos, where the last digit of a state is all of it some hundred steps later.
        var largest = Math.Min(0.7, 2 / Math.Sqrt(layer.HiddenSize));
        foreach (var parameter in layer.Parameters)
        {
            random.FillUniform(parameter.Value.AsSpan(), -largest, largest);
        }

        var parameters = layer.NamedParameters.ToDictionary(p => p.Key, p => Leaf(p.Value.Value.Detach().Clone()));
        var x = Leaf(Tensor<double>.RandomNormal(random, 0, 1, batch, steps, Inputs));
        var xCopy = Leaf(x.Detach().Clone());
        var state = layer.ZeroState(batch);
        var given = !run.StartsFromZeros;
        if (given)
        {
            TestCells.FillStates(random, state);
            foreach (var tensor in state.Tensors)
            {
                Leaf(tensor);
            }
        }

        Tensor<double>[] initial = [.. state.Tensors.Select(tensor => Leaf(tensor.Detach().Clone()))];

        var merge = layer.Options.Merge switch { DirectionMerge.Sum => Merging.Sum, DirectionMerge.Mean => Merging.Mean, _ => Merging.Concat };
        if (run.IsEvaluated)
        {
            layer.Evaluate();
        }

        var oracle = new LayerOracle(cell, layer.LayerCount, layer.Directions == 2, merge, layer.Options.Residual, layer.Options.Reverse) { Masks = OracleMasks.Of(layer) };
        var expected = oracle.Run(name => parameters.TryGetValue(name, out var value) ? BlockDiagonal(name, value, layer.Options.Heads) : null, xCopy, lengths, initial);
        var actual = layer.Forward(x, lengths, given ? state : null, cellStates: true);

        // The loss weighs everything that the layer gives at random.
        var (expectedLoss, actualLoss) = (Tensor<double>.Scalar(0), Tensor<double>.Scalar(0));
        void Compare(Tensor<double> from, Tensor<double> to, string name)
        {
            GoldenAssert.Close(from, to, Tolerance, name);
            var weight = Tensor<double>.RandomNormal(random, 0, 1, from.Shape);
            expectedLoss += (from * weight).Sum();
            actualLoss += (to * weight).Sum();
        }

        Compare(expected.Output, actual.Output, "output");
        Compare(expected.Last, actual.Last, "last");
        for (var i = 0; i < expected.Final.Length; i++)
        {
            Compare(expected.Final[i], actual.FinalState.Tensors[i], $"final state {i}");
        }

        for (var i = 0; i < expected.CellStates.Length; i++)
        {
            Compare(expected.CellStates[i], actual.CellStates![i], $"cell states of layer {i}");
        }

        expectedLoss.Backward();
        actualLoss.Backward();
        GoldenAssert.Close(xCopy.Gradient, x.Gradient, Tolerance, "gradient of x");
        for (var i = 0; i < initial.Length && given; i++)
        {
            GoldenAssert.Close(initial[i].Gradient, state.Tensors[i].Gradient, Tolerance, $"gradient of initial state {i}");
        }

        foreach (var (name, parameter) in layer.NamedParameters)
        {
            GoldenAssert.Close(parameters[name].Gradient, parameter.Gradient, Tolerance, $"gradient of {name}");
        }
    }

    // The recurrent matrix of several heads [G·H, H/K] as the whole one, with zeros between units of different heads.
    private static Tensor<double> BlockDiagonal(string name, Tensor<double> weights, int heads)
    {
        if (heads == 1 || !name.StartsWith("weight_hh", StringComparison.Ordinal) && !name.StartsWith("weight_ch", StringComparison.Ordinal))
        {
            return weights;
        }

        var columns = weights.Shape[1];
        Tensor<double> Zeros(int count) => Tensor<double>.Zeros(columns, count * columns);
        return Tensor<double>.Concat(
            [
                .. Enumerable.Range(0, weights.Shape[0] / columns).Select(block => Tensor<double>.Concat(
                    [Zeros(block % heads), weights.Slice(0, (block * columns)..((block + 1) * columns)), Zeros(heads - 1 - (block % heads))], 1)),
            ],
            0);
    }

    private static Tensor<double> Leaf(Tensor<double> tensor)
    {
        tensor.RequiresGradient = true;
        return tensor;
    }
}
