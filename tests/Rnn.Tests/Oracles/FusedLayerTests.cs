using Rnn.Cells;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Cells;
using Rnn.Tests.Golden;

namespace Rnn.Tests.Oracles;

/// <summary>Every built-in cell's fused layer against its composed oracle in double: outputs, final states and the gradients of everything.</summary>
public class FusedLayerTests
{
    private const double Tolerance = 1e-12;
    private const int Inputs = 5;
    private const int Steps = 6;

    private static readonly int[] RaggedLengths = [4, 0, 6, 1, 3];

    private static readonly Dictionary<string, RecurrentOptions> Options = new()
    {
        ["plain"] = new(),
        ["ragged"] = new(),
        ["zeros"] = new(),
        ["zeros nobias ragged"] = new() { Bias = false },
        ["zeros both stacked ragged"] = new() { Bidirectional = true, Layers = 2 },
        ["nobias"] = new() { Bias = false },
        ["stacked ragged"] = new() { Layers = 3 },
        ["widths"] = new() { HiddenSizes = [17, 1, 9] },
        ["both ragged"] = new() { Bidirectional = true },
        ["both stacked ragged"] = new() { Bidirectional = true, Layers = 2 },
        ["both sum stacked"] = new() { Bidirectional = true, Layers = 2, Merge = DirectionMerge.Sum },
        ["both mean ragged"] = new() { Bidirectional = true, Merge = DirectionMerge.Mean },
        ["both separate ragged"] = new() { Bidirectional = true, Merge = DirectionMerge.Separate },
        ["reverse stacked ragged"] = new() { Layers = 2, Reverse = true },
        ["residual stacked ragged"] = new() { Layers = 3, Residual = true },
        ["residual reverse stacked ragged"] = new() { Layers = 2, Residual = true, Reverse = true },
        ["residual both stacked ragged"] = new() { Bidirectional = true, Layers = 2, Residual = true },
        ["zoneout"] = new() { HiddenZoneout = 0.4, CellZoneout = 0.3 },
        ["zoneout evaluate ragged"] = new() { HiddenZoneout = 0.4, CellZoneout = 0.3 },
        ["dropout reverse ragged"] = new() { RecurrentDropout = 0.4, Reverse = true },
        ["masks both stacked ragged"] = new() { HiddenZoneout = 0.2, CellZoneout = 0.3, RecurrentDropout = 0.4, Bidirectional = true, Layers = 2 },
        ["masks residual evaluate"] = new() { HiddenZoneout = 0.2, CellZoneout = 0.3, RecurrentDropout = 0.4, Residual = true, Layers = 2 },
        ["residual both sum stacked"] = new() { Bidirectional = true, Layers = 2, Merge = DirectionMerge.Sum, Residual = true },
    };

    public static TheoryData<string, string> Cases()
    {
        var cases = new TheoryData<string, string>();
        foreach (var cell in TestCells.All)
        {
            // Cells that differ in their activation alone need not meet every option.
            var variant = !TestCells.IsDistinct(cell);
            foreach (var option in variant ? ["both stacked ragged", "masks both stacked ragged"] : Options.Keys.ToArray())
            {
                cases.Add(cell, option);
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
    public void FusedIsComposed(string cell, string option) =>
        Check(RecurrentLayer<double>.Create(cell, Inputs, hiddenSize: 7, OptionsOf(cell, option) with { Seed = 0 }), CellOracle.Named(cell), option);

    [Theory]
    [MemberData(nameof(ProjectedCases))]
    public void FusedIsComposedWithProjection(string cell, string option) => Check(
        RecurrentLayer<double>.Create(cell, Inputs, hiddenSize: 7, Options[option] with { Seed = 0 }, projectionSize: 3),
        (LstmOracle)CellOracle.Named(cell) with { Projected = true }, option);

    // One unit, one row, one step, and widths around the vectors' widths.
    [Theory]
    [InlineData("lstm", 1, 1, 1)]
    [InlineData("lstm", 37, 3, 2)]
    [InlineData("lstm-fullpeephole-coupled", 33, 17, 3)]
    [InlineData("gru", 16, 1, 9)]
    [InlineData("gru", 129, 2, 2)]
    public void FusedIsComposedAtOddSizes(string cell, int hidden, int batch, int steps) =>
        Check(RecurrentLayer<double>.Create(cell, Inputs, hidden, new() { Seed = 0 }), CellOracle.Named(cell), "plain", batch, steps);

    // Enough work for several threads, with rows of all lengths: parts of unequal height.
    [Theory]
    [InlineData("lstm")]
    [InlineData("lstm-fullpeephole")]
    [InlineData("gru")]
    public void FusedIsComposedOverThreads(string cell) =>
        Check(RecurrentLayer<double>.Create(cell, Inputs, hiddenSize: 48, new() { Seed = 0 }), CellOracle.Named(cell), "ragged", batch: 61, steps: 17);

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
    public void FusedIsComposedOverChunksOfSteps(string cell, string option, int batch, int steps) =>
        Check(RecurrentLayer<double>.Create(cell, Inputs, hiddenSize: 129, Options[option] with { Seed = 0 }), CellOracle.Named(cell), option, batch, steps);

    // Some rows and more weights than a near cache holds: threads share products by panels instead of rows.
    [Theory]
    [InlineData("lstm", "plain", 13, 7)]
    [InlineData("lstm", "ragged", 19, 7)]
    [InlineData("gru-before", "zeros", 8, 5)]
    [InlineData("lstm-layernorm", "reverse stacked ragged", 9, 5)]
    public void FusedIsComposedWithSharedProducts(string cell, string option, int batch, int steps) =>
        Check(RecurrentLayer<double>.Create(cell, Inputs, hiddenSize: 230, Options[option] with { Seed = 0 }), CellOracle.Named(cell), option, batch, steps);

    // Normalised over one unit, or of one unit, values do not depend on anything, and gradients are rounding alone.
    private static RecurrentOptions OptionsOf(string cell, string option)
    {
        // What a cell refuses since it would do nothing is left out.
        var layout = CellCatalog.Layout(cell);
        var options = Options[option] with
        {
            CellZoneout = layout.States.Count > 1 ? Options[option].CellZoneout : 0,
            RecurrentDropout = layout.Products.Any(product => product.Source == Operand.Previous(0)) ? Options[option].RecurrentDropout : 0,
        };
        return option == "widths" && CellOracle.Named(cell).Normalized ? new() { HiddenSizes = [17, 4, 9] } : options;
    }

    private static void Check(RecurrentLayer<double> layer, CellOracle cell, string option, int batch = 5, int steps = Steps)
    {
        var random = new RandomSource(20);
        int[]? lengths = !option.Contains("ragged", StringComparison.Ordinal) ? null
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
        var given = !option.Contains("zeros", StringComparison.Ordinal);
        foreach (var tensor in given ? state.Tensors : [])
        {
            random.FillNormal(tensor.AsSpan());
            Leaf(tensor);
        }

        Tensor<double>[] initial = [.. state.Tensors.Select(tensor => Leaf(tensor.Detach().Clone()))];

        var merge = layer.Options.Merge switch { DirectionMerge.Sum => Merging.Sum, DirectionMerge.Mean => Merging.Mean, _ => Merging.Concat };
        if (option.Contains("evaluate", StringComparison.Ordinal))
        {
            layer.Evaluate();
        }

        var oracle = new LayerOracle(cell, layer.LayerCount, layer.Directions == 2, merge, layer.Options.Residual, layer.Options.Reverse) { Masks = OracleMasks.Of(layer) };
        var expected = oracle.Run(parameters.GetValueOrDefault, xCopy, lengths, initial);
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

    private static Tensor<double> Leaf(Tensor<double> tensor)
    {
        tensor.RequiresGradient = true;
        return tensor;
    }
}
