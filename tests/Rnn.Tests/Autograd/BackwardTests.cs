using Rnn.Tensors;

namespace Rnn.Tests.Autograd;

public class BackwardTests
{
    private static Tensor<double> Leaf(params double[] values)
    {
        var tensor = Tensor<double>.From(values);
        tensor.RequiresGradient = true;
        return tensor;
    }

    [Fact]
    public void Gradients_of_a_small_expression_are_those_by_hand()
    {
        var x = Leaf(1, 2, 3);
        var y = Leaf(4, 5, 6);
        var loss = ((x * y) + (2.0 * x) - (y / x)).Sum();
        loss.Backward();
        Assert.Equal([4 + 2 + 4.0, 5 + 2 + (5.0 / 4), 6 + 2 + (6.0 / 9)], x.Gradient!.ToArray(), Near);
        Assert.Equal([1 - 1.0, 2 - 0.5, 3 - (1.0 / 3)], y.Gradient!.ToArray(), Near);
    }

    [Fact]
    public void Gradients_add_up_over_uses_and_over_calls_until_cleared()
    {
        var x = Leaf(3);
        (x * x * x).Sum().Backward();
        Assert.Equal(27, x.Gradient!.Item(), 12);
        (x + x).Sum().Backward();
        Assert.Equal(29, x.Gradient!.Item(), 12);
        x.ZeroGradient();
        Assert.Null(x.Gradient);
        (x - (2.0 * x)).Sum().Backward();
        Assert.Equal(-1, x.Gradient!.Item(), 12);
    }

    [Fact]
    public void A_gradient_that_someone_holds_is_not_changed_by_passes_after_it_was_cleared()
    {
        var x = Leaf(3, 4);
        x.Square().Sum().Backward();
        var first = x.Gradient!;
        x.Square().Sum().Backward();
        Assert.Same(first, x.Gradient);
        Assert.Equal([12.0, 16], first.ToArray());
        x.ZeroGradient();
        x.Exp().Sum().Backward();
        Assert.Equal([12.0, 16], first.ToArray());
        Assert.NotSame(first, x.Gradient);
        Assert.Equal([Math.Exp(3), Math.Exp(4)], x.Gradient!.ToArray(), Near);

        // That of a parameter that an optimiser holds is one tensor for good.
        var module = new Training.TestModule<double>([1, 2]);
        var optimizer = new Rnn.Training.Sgd<double>(module);
        var weight = module.Parameters.Single().Value;
        var gradient = weight.Gradient!;
        weight.Square().Sum().Backward();
        Assert.Equal([2.0, 4], gradient.ToArray());
        var kept = gradient.Clone();
        optimizer.ZeroGradients();
        Assert.Equal([0.0, 0], gradient.ToArray());
        (3.0 * weight).Sum().Backward();
        Assert.Same(gradient, weight.Gradient);
        Assert.Equal([3.0, 3], gradient.ToArray());
        Assert.Equal([2.0, 4], kept.ToArray());
    }

    [Fact]
    public void A_gradient_that_a_graph_reads_is_a_value_too()
    {
        var module = new Training.TestModule<double>([1, 2]);
        var optimizer = new Rnn.Training.Sgd<double>(module);
        var weight = module.Parameters.Single().Value;
        weight.Square().Sum().Backward();
        foreach (var change in new Action[] { optimizer.ZeroGradients, weight.ZeroGradient, () => weight.Sum().Backward() })
        {
            var product = (Leaf(1, 2) * weight.Gradient!).Sum();
            change();
            Assert.Contains("has been written to since", Assert.Throws<InvalidOperationException>(() => product.Backward()).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_node_whose_output_is_used_twice_is_visited_once_after_both()
    {
        var x = Leaf(0.5);
        var y = x * x;
        var z = (y * y) + y;
        z.Sum().Backward();
        Assert.Equal((4 * 0.125) + (2 * 0.5), x.Gradient!.Item(), 12);
    }

    [Fact]
    public void A_graph_of_100_000_nodes_does_not_overflow_the_stack()
    {
        var x = Leaf(1);
        var y = x;
        for (var i = 0; i < 100_000; i++)
        {
            y = y + x;
        }

        y.Backward();
        Assert.Equal(100_001, x.Gradient!.Item());
    }

    [Fact]
    public void The_gradient_of_an_output_can_be_given()
    {
        var x = Leaf(1, 2, 3);
        (x * x).Backward(Tensor<double>.From([1.0, 10, 100]));
        Assert.Equal([2.0, 40, 600], x.Gradient!.ToArray());
        var error = Assert.Throws<ArgumentException>(() => (x * x).Backward(Tensor<double>.From([1.0])));
        Assert.StartsWith("gradient: expected the shape of the output, [3], but got [1].", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Backward_of_a_leaf_adds_to_its_own_gradient()
    {
        var x = Tensor<double>.Scalar(5);
        x.RequiresGradient = true;
        x.Backward();
        Assert.Equal(1, x.Gradient!.Item());
    }

    [Fact]
    public void A_freed_graph_says_so_and_a_kept_one_allows_another_backward_pass()
    {
        var x = Leaf(2);
        var y = (x * x).Sum();
        y.Backward(keepGraph: true);
        y.Backward();
        Assert.Equal(8, x.Gradient!.Item());
        var error = Assert.Throws<InvalidOperationException>(() => y.Backward());
        Assert.Contains("already freed", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<InvalidOperationException>(() => (y * y).Backward());
        Assert.Contains("already freed", error.Message, StringComparison.Ordinal);
        Assert.Equal(8, x.Gradient!.Item());
    }

    [Fact]
    public void Mistakes_are_named()
    {
        var x = Leaf(1, 2);
        var error = Assert.Throws<InvalidOperationException>(() => (x * x).Backward());
        Assert.Contains("expected a tensor with one element but this one is [2]", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<InvalidOperationException>(() => Tensor<double>.Scalar(1).Backward());
        Assert.Contains("no history", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<InvalidOperationException>(() => (x * x).Detach().Sum().Backward());
        Assert.Contains("no history", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_that_changed_since_they_were_used_are_noticed()
    {
        var x = Leaf(1, 2);
        var y = (x * x).Sum();
        x[0] = 5;
        var error = Assert.Throws<InvalidOperationException>(() => y.Backward());
        Assert.Contains("has been written to since", error.Message, StringComparison.Ordinal);

        // A sum does not need the values that it added.
        var z = x.Slice(..1).Sum();
        x[0] = 1;
        z.Backward();
        Assert.Equal([1.0, 0], x.Gradient!.ToArray());

        // Nor do sums and multiples of whole tensors, even while they are being edited.
        x.ZeroGradient();
        var b = Leaf(5);
        z = ((2.0 * x) - (x / 4.0) + b - (3.0 - x) + (-x)).Sum();
        x[0] = 9;
        using (x.Edit())
        {
            using (b.Edit())
            {
                z.Backward();
            }
        }

        Assert.Equal([1.75, 1.75], x.Gradient!.ToArray());
        Assert.Equal([2.0], b.Gradient!.ToArray());
    }

    [Fact]
    public void Whole_numbers_mix_with_tensors_as_they_do_with_numbers()
    {
        var x = Tensor<float>.From([1f, 2]);
        Assert.Equal([2.5f, 4], ((2 * x) - (x / 2) + 1).ToArray());
    }

    [Fact]
    public void Nothing_is_recorded_inside_a_no_gradient_scope()
    {
        var x = Leaf(1);
        using (NoGradient.Enter())
        {
            Assert.True(NoGradient.IsActive);
            using (NoGradient.Enter())
            {
                Assert.False((x * x).RequiresGradient);
            }

            Assert.True(NoGradient.IsActive);
            Assert.False((x + 1.0).RequiresGradient);
        }

        Assert.False(NoGradient.IsActive);
        Assert.True((x * x).RequiresGradient);
    }

    [Fact]
    public void A_no_gradient_scope_that_is_disposed_again_ends_no_later_one()
    {
        var first = NoGradient.Enter();
        first.Dispose();
        using (NoGradient.Enter())
        {
            first.Dispose();
            Assert.True(NoGradient.IsActive);
        }

        Assert.False(NoGradient.IsActive);
    }

    [Fact]
    public async Task A_no_gradient_scope_follows_awaited_calls_and_ends_with_its_method()
    {
        var x = Leaf(1);
        await Inner();
        Assert.True((x * x).RequiresGradient);

        async Task Inner()
        {
            using (NoGradient.Enter())
            {
                await Task.Yield();
                Assert.False((x * x).RequiresGradient);
                await Task.Run(() => Assert.False((x * x).RequiresGradient));
            }

            Assert.True((x * x).RequiresGradient);
        }
    }

    private static bool Near(double expected, double actual) => Math.Abs(expected - actual) <= 1e-12 * Math.Max(1, Math.Abs(expected));
}
