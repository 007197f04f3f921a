using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Autograd;

public class SecondBackwardTests
{
    public static TheoryData<string> All => OperationCases.Names;

    // The recurrent layer has second walks of its own to pass.
    public static TheoryData<string> Operations => [.. OperationCases.All];

    [Theory]
    [MemberData(nameof(Operations))]
    public void A_kept_graph_gives_the_same_gradients_again(string name)
    {
        var operation = OperationCases.Make(name);
        var loss = Weigh(operation.Run());
        loss.Backward(keepGraph: true);
        var first = operation.Gradients;
        Assert.Contains(first.SelectMany(gradient => gradient), value => value != 0);
        operation.ZeroGradients();
        loss.Backward(keepGraph: true);
        Assert.Equal(first, operation.Gradients);
        loss.Backward();
        for (var i = 0; i < first.Length; i++)
        {
            Assert.Equal(first[i].Select(value => 2 * value), operation.Gradients[i], Near);
        }
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public void Two_losses_of_one_result_give_the_gradients_of_their_sum(string name)
    {
        var operation = OperationCases.Make(name);
        var y = operation.Run();
        (y.Square().Sum() + y.Sum()).Backward();
        var expected = operation.Gradients;
        operation.ZeroGradients();
        y = operation.Run();
        y.Square().Sum().Backward(keepGraph: true);
        y.Sum().Backward();
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], operation.Gradients[i], Near);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void The_gradient_that_is_given_stays_as_it_is(string name)
    {
        // Memory of a scope is pinned, so that the walk reads it where it is.
        using var scope = TensorScope.Enter();
        var y = OperationCases.Make(name).Run();
        var given = Tensor<double>.RandomNormal(new RandomSource(3), 0, 1, y.Shape);
        var values = given.ToArray();
        y.Backward(given);
        Assert.Equal(values, given.ToArray());
    }

    [Fact]
    public void The_gradient_of_a_leaf_can_be_given_to_a_graph_of_that_leaf()
    {
        var x = Tensor<double>.FromRows([1, 2], [3, 4]);
        var w = Tensor<double>.FromRows([0, 1], [2, 3]);
        x.RequiresGradient = true;
        x.Square().Sum().Backward();
        x.MatMul(w).Backward(x.Gradient!);

        // dx = 2x + 2x Wᵀ
        Assert.Equal([2.0 + 4, 4 + 16, 6 + 8, 8 + 36], x.Gradient!.ToArray());
    }

    [Fact]
    public void Every_kind_of_node_has_a_case()
    {
        var seen = new HashSet<Type>();
        foreach (var name in OperationCases.All)
        {
            Collect(OperationCases.Make(name).Run(), seen);
        }

        var all = typeof(Tensor<>).Assembly.GetTypes().Where(type => !type.IsAbstract && IsNode(type)).ToHashSet();
        Assert.True(all.Count > 20);
        var missing = all.Except(seen).Select(type => type.FullName).ToList();
        Assert.True(missing.Count == 0, $"{string.Join(", ", missing)} has no case; add one to OperationCases.");
    }

    [Fact]
    public void Gradients_of_a_loss_may_be_of_any_size_and_leave_what_a_second_backward_pass_needs()
    {
        var (input, layer, targets) = Training.LinearCrossEntropyTests.Problem(7, 3, 5);
        var loss = Loss.LinearCrossEntropy(input, layer, targets);
        loss.Backward(keepGraph: true);
        var (dx, dw, db) = (input.Gradient!.ToArray(), layer.Weight.Gradient!.ToArray(), layer.Bias!.Gradient!.ToArray());
        foreach (var factor in new[] { 1e-300, 0, 1e300, double.NaN, double.PositiveInfinity })
        {
            loss.Backward(Tensor<double>.Scalar(factor), keepGraph: true);
        }

        Clear();
        loss.Backward(keepGraph: true);
        Assert.Equal(dx, input.Gradient!.ToArray());
        Assert.Equal(dw, layer.Weight.Gradient!.ToArray());
        Assert.Equal(db, layer.Bias!.Gradient!.ToArray());
        Clear();
        loss.Backward(Tensor<double>.Scalar(0));
        Assert.Equal(new double[15], layer.Weight.Gradient!.ToArray());

        void Clear()
        {
            input.ZeroGradient();
            layer.Weight.Value.ZeroGradient();
            layer.Bias!.Value.ZeroGradient();
        }
    }

    [Fact]
    public void A_graph_whose_backward_pass_failed_allows_no_other()
    {
        var x = Tensor<double>.From([1.0, 2]);
        x.RequiresGradient = true;
        var trunk = x.Exp();
        var broken = new FailingNode(trunk).Attach(Tensor<double>.Scalar(1));
        foreach (var keepGraph in new[] { true, false })
        {
            var loss = broken + trunk.Sum();
            Assert.Throws<NotSupportedException>(() => loss.Backward(keepGraph));
            Assert.Contains("already freed", Assert.Throws<InvalidOperationException>(() => loss.Backward()).Message, StringComparison.Ordinal);
            Assert.Contains("already freed", Assert.Throws<InvalidOperationException>(() => trunk.Sum().Backward()).Message, StringComparison.Ordinal);
            trunk = x.Exp();
            broken = new FailingNode(trunk).Attach(Tensor<double>.Scalar(1));
        }
    }

    private static void Collect(Tensor<double> tensor, HashSet<Type> seen)
    {
        if (tensor.Node is { } node)
        {
            seen.Add(node.GetType().GetGenericTypeDefinition());
            foreach (var input in node.Inputs)
            {
                if (input is not null)
                {
                    Collect(input, seen);
                }
            }
        }
    }

    private static bool IsNode(Type type)
    {
        for (var parent = type.BaseType; parent is not null; parent = parent.BaseType)
        {
            if (parent.IsGenericType && parent.GetGenericTypeDefinition() == typeof(GraphNode<>))
            {
                return true;
            }
        }

        return false;
    }

    private static Tensor<double> Weigh(Tensor<double> y) => (y * Tensor<double>.RandomNormal(new RandomSource(3), 0, 1, y.Shape)).Sum();

    private static bool Near(double expected, double actual) => Math.Abs(expected - actual) <= 1e-12 * Math.Max(1, Math.Abs(expected));

    private sealed class FailingNode(Tensor<double> input) : GraphNode<double>([input])
    {
        internal override void Backward() => throw new NotSupportedException();
    }
}
