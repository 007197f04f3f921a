using Rnn.Autograd;
using Rnn.Cells;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Layers;

/// <summary>Every cell and option against finite differences in double.</summary>
public sealed class RecurrentGradientTests
{
    public static TheoryData<string, string> Cases()
    {
        var data = new TheoryData<string, string>();
        foreach (var cell in CellCatalog.Names)
        {
            foreach (var option in new[] { "plain", "stacked", "bidirectional", "ragged", "reverse", "ragged-bidirectional-stacked", "nobias", "widths", "learned", "projection" })
            {
                if (option != "projection" || !CellCatalog.Layout(cell).States[0].FlowsDirectly)
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
        var options = new RecurrentOptions { Seed = 7 };
        options = option switch
        {
            "stacked" => options with { Layers = 2 },
            "bidirectional" => options with { Bidirectional = true },
            "reverse" => options with { Reverse = true },
            "ragged-bidirectional-stacked" => options with { Bidirectional = true, Layers = 2 },
            "nobias" => options with { Bias = false },
            "widths" => options with { HiddenSizes = [5, 3] },
            "learned" => options with { LearnedInitialState = true },
            _ => options,
        };
        var layer = RecurrentLayer<double>.Create(cell, 3, 5, options, option == "projection" ? 2 : 0);
        var random = new RandomSource(11);
        var input = Tensor<double>.RandomNormal(random, 0, 1, 3, 4, 3);
        int[] lengths = option.Contains("ragged", StringComparison.Ordinal) ? [2, 4, 1] : [];
        var state = option == "learned" ? null : layer.ZeroState(3);
        var weights = new List<Tensor<double>>();
        var leaves = new List<(string Name, Tensor<double> Value)> { ("input", input) };
        foreach (var tensor in state?.Tensors ?? [])
        {
            random.FillNormal(tensor.AsSpan());
            tensor.RequiresGradient = true;
            leaves.Add(($"state {leaves.Count}", tensor));
        }

        input.RequiresGradient = true;
        leaves.AddRange(layer.NamedParameters.Select(pair => (pair.Key, pair.Value.Value)));
        var result = GradientCheck.Run(
            () =>
            {
                var output = layer.Forward(input, lengths, state, cellStates: true);
                var wanted = new List<Tensor<double>> { output.Output };
                wanted.AddRange(output.FinalState.Tensors);
                wanted.AddRange(output.CellStates ?? []);
                var loss = Tensor<double>.Scalar(0);
                for (var i = 0; i < wanted.Count; i++)
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
            new() { MaximumEntries = 10, Step = HasKink(cell) ? 1e-5 : 1e-3 });
        Assert.True(result.WorstError < 1e-7, result.ToString());
    }

    // A step across a kink, of the slope too, would measure both sides: take small ones.
    private static bool HasKink(string cell) => cell.Contains("elu", StringComparison.Ordinal) || cell.Contains("hard", StringComparison.Ordinal)
        || cell.Contains("softsign", StringComparison.Ordinal);
}
