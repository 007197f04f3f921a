using Rnn.Cells;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Cells;
using Rnn.Tests.Oracles;
using Rnn.Training;
using Rnn.UserTests.Cells;

namespace Rnn.Tests.Layers;

/// <summary>Every cell with every option against finite differences in double, by samples of each parameter, the input and the states.</summary>
public sealed class RecurrentGradientTests
{
    private const int Hidden = 5;

    private static readonly RecurrentOptions AllNoise = new() { Dropout = 0.2, HiddenZoneout = 0.2, CellZoneout = 0.3, RecurrentDropout = 0.3, WeightDrop = 0.2 };

    private static readonly Dictionary<string, LayerCase> Runs = new()
    {
        ["plain"] = new(),
        ["stacked"] = new(new() { Layers = 2, Dropout = 0.3 }),
        ["widths"] = new(new() { HiddenSizes = [5, 3] }),
        ["no bias, reverse, ragged"] = new(new() { Bias = false, Reverse = true }) { IsRagged = true },
        ["learned, ragged"] = new(new() { LearnedInitialState = true }) { IsRagged = true },
        ["concatenate, ragged"] = new(new() { Bidirectional = true }) { IsRagged = true, ReturnsCellStates = true },
        ["sum, ragged"] = new(new() { Bidirectional = true, Merge = DirectionMerge.Sum, Layers = 2 }) { IsRagged = true },
        ["mean, residual, ragged"] = new(new() { Bidirectional = true, Merge = DirectionMerge.Mean, Residual = true }) { InputSize = Hidden, IsRagged = true },
        ["separate"] = new(new() { Bidirectional = true, Merge = DirectionMerge.Separate }),
        ["residual, ragged"] = new(new() { Residual = true, Layers = 2 }) { InputSize = Hidden, IsRagged = true },
        ["residual, concatenate, ragged"] = new(new() { Bidirectional = true, Residual = true, HiddenSizes = [3, 3] }) { InputSize = 6, IsRagged = true },
        ["zoneout"] = new(new() { HiddenZoneout = 0.4, CellZoneout = 0.3 }),
        ["zoneout, evaluated, ragged"] = new(new() { HiddenZoneout = 0.4, CellZoneout = 0.3 }) { IsEvaluated = true, IsRagged = true, ReturnsCellStates = true },
        ["recurrent dropout, ragged"] = new(new() { RecurrentDropout = 0.4 }) { IsRagged = true },
        ["heads, ragged"] = new(new() { HiddenSizes = [4, 6], Heads = 2, RecurrentDropout = 0.3 }) { IsRagged = true, ReturnsCellStates = true },
        ["weight drop"] = new(new() { WeightDrop = 0.4 }),
        ["everything"] = new(AllNoise with { Layers = 2, Bidirectional = true, Residual = true, Merge = DirectionMerge.Sum })
        {
            InputSize = Hidden,
            IsRagged = true,
            ReturnsCellStates = true,
        },
        ["projection"] = new() { ProjectionSize = 2 },
        ["projection, everything"] = new(AllNoise with { Layers = 2, Bidirectional = true }) { ProjectionSize = 2, IsRagged = true },
    };

    public static TheoryData<string, string> Cases()
    {
        var data = new TheoryData<string, string>();
        foreach (var cell in TestCells.All)
        {
            // Cells that differ in the activation only share all the rest.
            var isShort = CellOracle.Named(cell).NamedActivation is not (null or Activation.Tanh or Activation.Gelu);
            foreach (var (name, _) in Runs.Where(run => run.Value.Suits(cell) && (!isShort || run.Key is "plain" or "everything")))
            {
                data.Add(cell, name);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gradients_agree_with_finite_differences(string cell, string run)
    {
        var how = Runs[run];
        Check(RecurrentLayer<double>.Create(cell, how.InputSize, Hidden, how.OptionsOf(CellCatalog.Layout(cell)), how.ProjectionSize), how, HasKink(cell) ? 1e-5 : 1e-4);
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("stacked")]
    [InlineData("concatenate, ragged")]
    [InlineData("sum, ragged")]
    [InlineData("zoneout")]
    [InlineData("everything")]
    public void Gradients_of_own_cells_agree_with_finite_differences(string run)
    {
        Check<LeakyCell>(Runs[run]);
        Check<LightCell>(Runs[run]);
        Check<ThreeStateCell>(Runs[run]);
        Check<TwoLevelCell>(Runs[run]);
        Check<TwoReadersCell>(Runs[run]);
    }

    private static void Check<TCell>(LayerCase run)
        where TCell : struct, ICell =>
        Check(RecurrentLayer<double>.Create<TCell>(run.InputSize, Hidden, run.OptionsOf(TCell.Layout)), run);

    private static void Check(RecurrentLayer<double> layer, LayerCase run, double step = 1e-4)
    {
        var random = new RandomSource(11);
        TestCells.FillParameters(random, layer, 0.8);

        var input = Tensor<double>.RandomNormal(random, 0, 1, 3, 4, layer.InputSize);
        int[] lengths = run.IsRagged ? [2, 4, 0] : [];
        var state = layer.Options.LearnedInitialState ? null : layer.ZeroState(3);
        var leaves = new List<(string Name, Tensor<double> Value)> { ("input", input) };
        if (state is not null)
        {
            TestCells.FillStates(random, state);
        }

        foreach (var tensor in state?.Tensors ?? [])
        {
            leaves.Add(($"state {leaves.Count}", tensor));
        }

        if (run.IsEvaluated)
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
                var output = layer.Forward(input, lengths, state, cellStates: run.ReturnsCellStates);
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

    // A step across a kink, of the slope too, would measure both sides: take small ones.
    private static bool HasKink(string cell) => CellOracle.Named(cell).NamedActivation is
        Activation.Relu or Activation.LeakyRelu or Activation.Elu or Activation.Gelu or Activation.HardSigmoid or Activation.Softsign;
}
