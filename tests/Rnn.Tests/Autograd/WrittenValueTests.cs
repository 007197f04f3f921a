using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Training;
using Rnn.Training;

namespace Rnn.Tests.Autograd;

/// <summary>Values that a backward pass needs cannot change unnoticed, however they are written to.</summary>
public class WrittenValueTests
{
    public static TheoryData<string> Operations => OperationCases.Names;

    [Theory]
    [MemberData(nameof(Operations))]
    public void A_result_with_history_refuses_writes_until_its_graph_is_freed(string name)
    {
        var y = OperationCases.Make(name).Run();
        Assert.True(y.HasHistory);
        var first = new int[y.Rank];
        Refuses(() => y[first] = 1);
        Refuses(() => Touch(y));
        Refuses(() => Tensor<double>.Zeros(y.Shape).CopyTo(y));
        var view = y.Reshape(y.Length);
        Refuses(() => view[0] = 1);
        var values = y.ToArray();
        y.Backward(Tensor<double>.Ones(y.Shape));
        Assert.Equal(values, y.ToArray());
        y[first] = 7;
        Assert.Equal(7, y[first]);
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public void A_result_that_was_written_to_through_an_alias_stops_the_backward_pass_before_it_begins(string name)
    {
        foreach (var write in new Action<Tensor<double>>[]
        {
            alias => alias[0] = 1,
            Touch,
            alias => Tensor<double>.Zeros(alias.Length).CopyTo(alias),
            alias => alias.AsSpan(),
        })
        {
            var operation = OperationCases.Make(name);
            var y = operation.Run();
            var sharesInput = operation.Leaves.Any(leaf => ReferenceEquals(leaf.Memory, y.Memory));
            var alias = y.Detach().Reshape(y.Length);
            write(alias);
            if (sharesInput)
            {
                // A leaf in another shape: nothing has read its values.
                y.Sum().Backward();
                continue;
            }

            Notices(() => y.Sum().Backward());
            Assert.All(operation.Leaves, leaf => Assert.Null(leaf.Gradient));
        }
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public void An_input_that_was_written_to_is_noticed_or_was_not_needed(string name)
    {
        var count = OperationCases.Make(name).Leaves.Length;
        for (var i = 0; i < count; i++)
        {
            var (changed, same) = (OperationCases.Make(name), OperationCases.Make(name));
            var y = changed.Run();
            Touch(changed.Leaves[i].Detach());
            changed.Leaves[i].Detach().AsSpan().Fill(0.123);
            same.Run().Sum().Backward();
            try
            {
                y.Sum().Backward();
            }
            catch (InvalidOperationException exception)
            {
                Assert.Contains("has been written to since", exception.Message, StringComparison.Ordinal);
                continue;
            }

            Assert.Equal(same.Gradients, changed.Gradients);
        }
    }

    [Fact]
    public void The_masks_targets_and_weights_of_losses_are_values_too()
    {
        var mask = Tensor<double>.From([0.0, 1]);
        var x = Leaf(1, 2);
        var y = x.MaskedFill(mask, -1).Sum();
        mask[0] = 1;
        Notices(() => y.Backward());
        mask = Tensor<double>.From([0.0, 1]);
        y = Tensor<double>.Where(mask, x, x * 2.0).Sum();
        mask[0] = 1;
        Notices(() => y.Backward());

        foreach (var loss in new Func<Tensor<double>, Tensor<double>, Tensor<double>>[]
        {
            (p, t) => Loss.MeanSquaredError(p, t),
            (p, t) => Loss.MeanAbsoluteError(p, t),
            (p, t) => Loss.Huber(p, t),
            (p, t) => Loss.BinaryCrossEntropy(p, t),
        })
        {
            var target = Tensor<double>.From([0.25, 0.5]);
            y = loss(x, target);
            target[1] = 0.75;
            Notices(() => y.Backward());
        }
    }

    [Fact]
    public void Indices_and_lengths_are_copied()
    {
        var random = new RandomSource(1);
        foreach (var loss in new Func<Tensor<double>, int[], int[], Tensor<double>>[]
        {
            (x, indices, _) => x.IndexSelect(0, indices).Square().Sum(),
            (x, indices, _) => x.Reshape(6, 4).Embedding(indices).Square().Sum(),
            (x, indices, _) => x.Reshape(2, 12).Gather(indices).Square().Sum(),
            (x, indices, _) => Loss.CrossEntropy(x.Select(1, 0), indices),
            (x, _, lengths) => Loss.MeanSquaredError(x, Tensor<double>.Ones(2, 3, 4), lengths),
            (x, _, lengths) => Loss.BinaryCrossEntropy(x, Tensor<double>.Ones(2, 3, 4), lengths),
            (x, _, lengths) => Loss.CrossEntropy(x, [1, 2, 3, 0, 1, 2], lengths),
            (x, indices, _) => Loss.LinearCrossEntropy(x.Select(1, 0), new Linear<double>(4, 3, new() { Seed = 1 }), indices),
            (x, _, lengths) => new Lstm<double>(4, 4, new() { Seed = 1, Residual = true, Layers = 2 }).Forward(x, lengths).Output.Square().Sum(),
            (x, _, lengths) => new Lstm<double>(4, 4, new() { Seed = 1, Residual = true }).Forward(x, lengths).Last.Square().Sum(),
        })
        {
            var gradients = new double[2][];
            for (var change = 0; change < 2; change++)
            {
                var x = Tensor<double>.RandomNormal(new RandomSource(3), 0, 1, 2, 3, 4);
                x.RequiresGradient = true;
                int[] indices = [1, 0];
                int[] lengths = [2, 1];
                var result = loss(x, indices, lengths);
                if (change > 0)
                {
                    indices.AsSpan().Fill(random.Next(1));
                    lengths.AsSpan().Fill(3);
                }

                result.Backward();
                gradients[change] = x.Gradient!.ToArray();
            }

            Assert.Equal(gradients[0], gradients[1]);
        }
    }

    [Fact]
    public void Every_output_and_state_of_a_recurrent_layer_counts()
    {
        var layer = new Lstm<double>(4, 3, new() { Seed = 1 });
        var random = new RandomSource(2);
        var x = Tensor<double>.RandomNormal(random, 0, 1, 2, 5, 4);
        foreach (var pick in new Func<RecurrentOutput<double>, SequenceState<double>, Tensor<double>>[]
        {
            (result, _) => result.Output,
            (result, _) => result.FinalState.Hidden(),
            (result, _) => result.FinalState.Cell(),
            (result, _) => result.CellStates![0],
            (_, state) => state.Hidden(),
            (_, state) => state.Cell(),
            (_, _) => x,
            (_, _) => layer.Parameters.First().Value,
        })
        {
            foreach (var read in new Func<RecurrentOutput<double>, Tensor<double>>[] { result => result.Output, result => result.FinalState.Cell() })
            {
                var state = layer.CreateState(
                    Tensor<double>.RandomNormal(random, 0, 1, 2, 3), Tensor<double>.RandomNormal(random, 0, 1, 2, 3));
                var result = layer.Forward(x, default, state, cellStates: true);
                Touch(pick(result, state).Detach());
                Notices(() => read(result).Sum().Backward());
            }
        }
    }

    [Fact]
    public void A_state_is_reset_as_another_value()
    {
        var layer = new Lstm<double>(4, 3, new() { Seed = 1 });
        var result = layer.Forward(Tensor<double>.Ones(2, 5, 4), default);
        var state = result.FinalState;
        var values = state.Cell().ToArray();
        Assert.Equal([0, 0, 0, .. values[3..]], state.ResetRows([true, false]).Cell().ToArray());
        Assert.Equal([.. values[..3], 0, 0, 0], state.Detach().ResetRows([false, true]).Cell().ToArray());
        Assert.Equal(values, state.Cell().ToArray());

        // A write through an alias is noticed.
        Touch(state.Detach().Cell());
        Notices(() => result.Output.Sum().Backward());
    }

    [Fact]
    public void Steps_of_an_optimiser_between_passes_disturb_only_graphs_of_its_parameters()
    {
        var (generator, critic) = (new TestModule<double>([1, 2], [3]), new TestModule<double>([4, 5]));
        var (first, second) = (new Sgd<double>(generator) { LearningRate = 0.1 }, new Adam<double>(critic));
        for (var step = 0; step < 3; step++)
        {
            var loss = generator.Parameters.First().Value.Square().Sum();
            var other = critic.Parameters.First().Value.Square().Sum();
            second.ZeroGradients();
            other.Backward();
            second.Step();
            first.ZeroGradients();
            loss.Backward();
            first.Step();
        }

        // Frozen parameters are not written to, and each parameter counts for itself.
        var (a, b) = (generator.Parameters.First(), generator.Parameters.Last());
        var graph = a.Value.Square().Sum();
        var version = a.Value.Version;
        b.Value[0] = 9;
        Touch(b.Value);

        Assert.Equal(version, a.Value.Version);
        a.Frozen = true;
        first.Step();
        a.Frozen = false;
        Assert.Equal(version, a.Value.Version);
        graph.Backward();
        graph = a.Value.Square().Sum();
        first.Step();
        Notices(() => graph.Backward());
    }

    private static Tensor<double> Leaf(params double[] values)
    {
        var tensor = Tensor<double>.From(values);
        tensor.RequiresGradient = true;
        return tensor;
    }

    private static void Touch(Tensor<double> tensor)
    {
        using (tensor.Edit())
        {
        }
    }

    private static void Refuses(Action write) =>
        Assert.Contains("is the result of a recorded operation", Assert.Throws<InvalidOperationException>(write).Message, StringComparison.Ordinal);

    private static void Notices(Action backward) =>
        Assert.Contains("has been written to since", Assert.Throws<InvalidOperationException>(backward).Message, StringComparison.Ordinal);
}
