using Rnn.Cells;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Cells;
using Rnn.UserTests.Cells;

namespace Rnn.Tests.Layers;

/// <summary>
/// Several backward passes through one graph that is kept: gradients add up to those of the sum, for every cell and every option of the engine.
/// </summary>
public sealed class SecondBackwardTests
{
    private static readonly Dictionary<string, LayerCase> Runs = new()
    {
        ["plain"] = new(),
        ["stacked, bidirectional, ragged"] = new(new() { Layers = 2, Bidirectional = true }) { IsRagged = true },
        ["zoneout"] = new(new() { HiddenZoneout = 0.3, CellZoneout = 0.2 }),
        ["recurrent dropout, ragged"] = new(new() { RecurrentDropout = 0.4 }) { IsRagged = true },
        ["projection"] = new() { ProjectionSize = 2 },
    };

    public static TheoryData<string, string> Cases()
    {
        var data = new TheoryData<string, string>();
        foreach (var cell in TestCells.All)
        {
            foreach (var (name, _) in Runs.Where(run => run.Value.Suits(cell)))
            {
                data.Add(cell, name);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Two_losses_of_one_graph_add_up(string cell, string run) =>
        Check(RecurrentLayer<double>.Create(cell, 3, 5, Runs[run].OptionsOf(CellCatalog.Layout(cell)), Runs[run].ProjectionSize), Runs[run]);

    [Theory]
    [InlineData("plain")]
    [InlineData("stacked, bidirectional, ragged")]
    [InlineData("zoneout")]
    public void Two_losses_of_one_graph_of_own_cells_add_up(string run)
    {
        Check<LeakyCell>(Runs[run]);
        Check<LightCell>(Runs[run]);
        Check<ThreeStateCell>(Runs[run]);
    }

    [Fact]
    public void The_rows_of_a_Jacobian_come_out_one_by_one()
    {
        var layer = new Lstm<double>(2, 3, new() { Seed = 1 });
        var x = Tensor<double>.RandomNormal(new RandomSource(2), 0, 1, 1, 4, 2);
        x.RequiresGradient = true;
        var last = layer.Forward(x, []).Last;
        for (var unit = 0; unit < 3; unit++)
        {
            x.ZeroGradient();
            last.Select(1, unit).Sum().Backward(keepGraph: true);
            var row = x.Gradient!.ToArray();

            x.ZeroGradient();
            layer.Forward(x, []).Last.Select(1, unit).Sum().Backward();
            Assert.Equal(x.Gradient!.ToArray(), row);
        }
    }

    [Fact]
    public void A_graph_that_was_not_kept_is_refused()
    {
        var layer = new Lstm<double>(2, 3, new() { Seed = 1 });
        var x = Tensor<double>.RandomNormal(new RandomSource(2), 0, 1, 2, 4, 2);
        var first = layer.Forward(x, []);
        var second = layer.Forward(x, [], first.FinalState);
        first.Output.Sum().Backward();
        Assert.Contains("already freed", Assert.Throws<InvalidOperationException>(() => second.Output.Sum().Backward()).Message, StringComparison.Ordinal);
    }

    private static void Check<TCell>(LayerCase run)
        where TCell : struct, ICell => Check(RecurrentLayer<double>.Create<TCell>(3, 5, run.OptionsOf(TCell.Layout)), run);

    private static void Check(RecurrentLayer<double> layer, LayerCase run)
    {
        var random = new RandomSource(11);
        var x = Tensor<double>.RandomNormal(random, 0, 1, 3, 4, 3);
        int[] lengths = run.IsRagged ? [2, 4, 0] : [];
        var state = layer.ZeroState(3);
        Tensor<double>[] leaves = [x, .. state.Tensors, .. layer.Parameters.Select(parameter => parameter.Value)];
        foreach (var leaf in leaves)
        {
            random.FillUniform(leaf.AsSpan(), -0.8, 0.8);
            leaf.RequiresGradient = true;
        }

        TestCells.FillStates(random, state);

        var masks = layer.Random.GetState();
        var (square, sum) = Losses();
        (square + sum).Backward();
        var expected = Gradients();

        (square, sum) = Losses();
        square.Backward(keepGraph: true);
        var once = Gradients(clear: false);
        sum.Backward(keepGraph: true);
        Close(expected, Gradients());

        // A third pass over the kept graph gives what the first gave; the last one frees it.
        square.Backward(keepGraph: true);
        Close(once, Gradients());
        (square + sum).Backward();
        Close(expected, Gradients());

        (Tensor<double> Square, Tensor<double> Sum) Losses()
        {
            layer.Random.SetState(masks);
            var output = layer.Forward(x, lengths, state, cellStates: true);
            Tensor<double>[] all = [output.Output, .. output.FinalState.Tensors, .. output.CellStates ?? []];
            return (all.Select(y => y.Square().Sum()).Aggregate((a, b) => a + b), all.Select(y => y.Sum()).Aggregate((a, b) => a + b));
        }

        double[][] Gradients(bool clear = true)
        {
            var values = leaves.Select(leaf => leaf.Gradient!.ToArray()).ToArray();
            foreach (var leaf in leaves.Where(_ => clear))
            {
                leaf.ZeroGradient();
            }

            return values;
        }

        void Close(double[][] wanted, double[][] got)
        {
            for (var i = 0; i < wanted.Length; i++)
            {
                Assert.All(wanted[i].Zip(got[i]), pair => Assert.Equal(pair.First, pair.Second, 1e-11));
            }
        }
    }
}
