using Rnn.Cells;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Cells;
using Rnn.Training;

namespace Rnn.Tests.Layers;

/// <summary>Every cell with every option against finite differences in double, by samples of each parameter, the input and the states.</summary>
public sealed class RecurrentGradientTests
{
    private const int Hidden = 5;

    private static readonly Dictionary<string, RecurrentOptions> Options = new()
    {
        ["plain"] = new(),
        ["stacked"] = new() { Layers = 2, Dropout = 0.3 },
        ["widths"] = new() { HiddenSizes = [5, 3] },
        ["nobias reverse ragged"] = new() { Bias = false, Reverse = true },
        ["learned ragged"] = new() { LearnedInitialState = true },
        ["concatenate ragged cells"] = new() { Bidirectional = true },
        ["sum ragged"] = new() { Bidirectional = true, Merge = DirectionMerge.Sum, Layers = 2 },
        ["mean residual ragged"] = new() { Bidirectional = true, Merge = DirectionMerge.Mean, Residual = true },
        ["separate"] = new() { Bidirectional = true, Merge = DirectionMerge.Separate },
        ["residual ragged"] = new() { Residual = true, Layers = 2 },
        ["residual concatenate ragged"] = new() { Bidirectional = true, Residual = true, HiddenSizes = [3, 3] },
        ["zoneout"] = new() { HiddenZoneout = 0.4, CellZoneout = 0.3 },
        ["zoneout cells evaluate ragged"] = new() { HiddenZoneout = 0.4, CellZoneout = 0.3 },
        ["recurrent dropout ragged"] = new() { RecurrentDropout = 0.4 },
        ["weight-drop"] = new() { WeightDrop = 0.4 },
        ["everything ragged cells"] = new()
        {
            Layers = 2,
            Bidirectional = true,
            Residual = true,
            Merge = DirectionMerge.Sum,
            Dropout = 0.2,
            HiddenZoneout = 0.2,
            CellZoneout = 0.3,
            RecurrentDropout = 0.3,
            WeightDrop = 0.2,
        },
        ["projection"] = new(),
        ["projection everything ragged"] = new()
        {
            Layers = 2,
            Bidirectional = true,
            Dropout = 0.2,
            HiddenZoneout = 0.2,
            CellZoneout = 0.3,
            RecurrentDropout = 0.3,
            WeightDrop = 0.2,
        },
    };

    public static TheoryData<string, string> Cases()
    {
        var data = new TheoryData<string, string>();
        foreach (var cell in TestCells.All)
        {
            // Cells that differ in the activation only share all the rest.
            var isShort = cell.Contains("rnn-", StringComparison.Ordinal) && !cell.Contains("tanh", StringComparison.Ordinal) && !cell.Contains("gelu", StringComparison.Ordinal);
            foreach (var option in Options.Keys.Where(option => !isShort || option is "plain" or "everything ragged cells"))
            {
                if (!option.Contains("projection", StringComparison.Ordinal) || !CellCatalog.Layout(cell).States[0].CarriesGradient)
                {
                    data.Add(cell, option);
                }
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gradients_agree_with_finite_differences(string cell, string option)
    {
        var isResidual = option.Contains("residual", StringComparison.Ordinal) || option.StartsWith("everything", StringComparison.Ordinal);
        var input = !isResidual ? 3 : option.Contains("concatenate", StringComparison.Ordinal) ? 6 : Hidden;
        var options = For(CellCatalog.Layout(cell), Options[option]);
        Check(
            RecurrentLayer<double>.Create(cell, input, Hidden, options, option.Contains("projection", StringComparison.Ordinal) ? 2 : 0), option,
            HasKink(cell) ? 1e-5 : 1e-4);
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("stacked")]
    [InlineData("concatenate ragged cells")]
    [InlineData("sum ragged")]
    [InlineData("zoneout")]
    [InlineData("everything ragged cells")]
    public void Gradients_of_own_cells_agree_with_finite_differences(string option)
    {
        Check(Create<LeakyCell>(option), option);
        Check(Create<LightCell>(option), option);
        Check(Create<ThreeStateCell>(option), option);
        Check(Create<TwoLevelCell>(option), option);
        Check(Create<TwoReadersCell>(option), option);
    }

    private static RecurrentLayer<double> Create<TCell>(string option)
        where TCell : struct, ICell =>
        RecurrentLayer<double>.Create<TCell>(option.StartsWith("everything", StringComparison.Ordinal) ? Hidden : 3, Hidden, For(TCell.Layout, Options[option]));

    private static void Check(RecurrentLayer<double> layer, string option, double step = 1e-4)
    {
        var random = new RandomSource(11);
        foreach (var parameter in layer.Parameters)
        {
            random.FillUniform(parameter.Value.AsSpan(), -0.8, 0.8);
        }

        var input = Tensor<double>.RandomNormal(random, 0, 1, 3, 4, layer.InputSize);
        int[] lengths = option.Contains("ragged", StringComparison.Ordinal) ? [2, 4, 0] : [];
        var state = layer.Options.LearnedInitialState ? null : layer.ZeroState(3);
        var leaves = new List<(string Name, Tensor<double> Value)> { ("input", input) };
        foreach (var tensor in state?.Tensors ?? [])
        {
            random.FillNormal(tensor.AsSpan());
            leaves.Add(($"state {leaves.Count}", tensor));
        }

        if (option.Contains("evaluate", StringComparison.Ordinal))
        {
            layer.Evaluate();
        }

        leaves.AddRange(layer.NamedParameters.Select(pair => (pair.Key, pair.Value.Value)));
        var weights = new List<Tensor<double>>();
        var masks = layer.Random.GetState();
        var result = GradientCheck.Run(
            () =>
            {
                layer.Random.SetState(masks);
                var output = layer.Forward(input, lengths, state, cellStates: option.Contains("cells", StringComparison.Ordinal));
                Tensor<double>[] wanted = [output.Output, output.Last, .. output.FinalState.Tensors, .. output.CellStates ?? [], .. output.Directions ?? []];
                var loss = Tensor<double>.Scalar(0);
                for (var i = 0; i < wanted.Length; i++)
                {
                    if (weights.Count == i)
                    {
                        weights.Add(Tensor<double>.RandomNormal(random, 0, 1, wanted[i].Shape));
                    }

                    loss += (wanted[i] * weights[i]).Sum();
                }

                return loss;
            },
            leaves,
            new() { MaximumEntries = 5, Step = step });
        Assert.True(result.WorstError < 1e-7, result.ToString());
    }

    // The options without those that the cell refuses, since they would do nothing.
    private static RecurrentOptions For(CellLayout layout, RecurrentOptions options) => options with
    {
        Seed = 7,
        CellZoneout = layout.States.Count > 1 ? options.CellZoneout : 0,
        RecurrentDropout = layout.Products.Any(product => product.Source == Operand.Previous(0)) ? options.RecurrentDropout : 0,
        WeightDrop = layout.Products.Count > 0 ? options.WeightDrop : 0,
    };

    // A step across a kink, of the slope too, would measure both sides: take small ones.
    private static bool HasKink(string cell) => cell.Contains("elu", StringComparison.Ordinal) || cell.Contains("hard", StringComparison.Ordinal)
        || cell.Contains("softsign", StringComparison.Ordinal);
}
