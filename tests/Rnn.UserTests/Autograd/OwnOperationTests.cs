using Rnn.Autograd;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.UserTests.Autograd;

/// <summary>Differentiable operations of a user's own: gradients, several results, optional inputs, and what is refused.</summary>
public class OwnOperationTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 17)]
    [InlineData(37, 5)]
    [InlineData(0, 3)]
    public void An_operation_has_the_values_and_gradients_of_the_composed_one(int rows, int columns)
    {
        var (x, beta) = (Leaf("x", rows, columns), Leaf("beta", columns));
        var expected = x * (beta * x).Sigmoid();
        expected.Square().Sum().Backward();
        var (dx, dbeta) = (x.Gradient!.ToArray(), beta.Gradient!.ToArray());
        x.ZeroGradient();
        beta.ZeroGradient();
        var y = new SwishOperation().Apply(x, beta);
        Assert.Equal(expected.ToArray(), y.ToArray());
        y.Square().Sum().Backward();
        Assert.Equal(dx, x.Gradient!.ToArray(), Near);
        Assert.Equal(dbeta, beta.Gradient!.ToArray(), Near);
        if (rows > 0)
        {
            var check = GradientCheck.Run(
                () => new SwishOperation().Apply(x, beta), [("x", x), ("beta", beta)], new() { Tolerance = 1e-9 });
            Assert.True(check.Passed, check.ToString());
        }
    }

    [Fact]
    public void One_operation_serves_many_calls()
    {
        var swish = new SwishOperation();
        var (a, b, beta) = (Leaf("a", 3), Leaf("b", 3), Leaf("beta", 3));
        var first = swish.Apply(a, beta);
        var second = swish.Apply(b, beta);
        (first * second).Sum().Backward();
        var gradients = new[] { a, b, beta }.Select(leaf => leaf.Gradient!.ToArray()).ToArray();
        foreach (var leaf in new[] { a, b, beta })
        {
            leaf.ZeroGradient();
        }

        (a * (beta * a).Sigmoid() * b * (beta * b).Sigmoid()).Sum().Backward();
        Assert.Equal(gradients[0], a.Gradient!.ToArray(), Near);
        Assert.Equal(gradients[1], b.Gradient!.ToArray(), Near);
        Assert.Equal(gradients[2], beta.Gradient!.ToArray(), Near);
    }

    [Fact]
    public void Several_results_share_one_backward_pass_and_unused_ones_have_zero_gradients()
    {
        var x = Leaf("x", 3, 4);
        var polar = new SumAndProduct();
        var y = Leaf("y", 3, 4);
        var both = polar.ApplyAll(x, y);
        (both[0] * both[1]).Sum().Backward();
        Assert.Equal([true, true], polar.Used);
        Assert.Equal(Values((a, b) => (a * b) + ((a + b) * b), x, y), x.Gradient!.ToArray(), Near);
        Assert.Equal(Values((a, b) => (a * b) + ((a + b) * a), x, y), y.Gradient!.ToArray(), Near);
        x.ZeroGradient();
        y.ZeroGradient();
        polar.ApplyAll(x, y)[1].Sum().Backward();
        Assert.Equal([false, true], polar.Used);
        Assert.Equal(y.ToArray(), x.Gradient!.ToArray());
        Assert.Equal(x.ToArray(), y.Gradient!.ToArray());
        var error = Assert.Throws<InvalidOperationException>(() => polar.Apply(x, y));
        Assert.StartsWith("SumAndProduct.Apply: expected Forward to return one tensor but got 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Optional_inputs_may_be_left_out()
    {
        var (x, bias) = (Leaf("x", 3), Leaf("bias", 3));
        new Shift().Apply(x, bias).Sum().Backward();
        Assert.Equal([1.0, 1, 1], bias.Gradient!.ToArray());
        var y = new Shift().Apply(x, null);
        Assert.Equal(x.ToArray(), y.ToArray());
        Assert.NotSame(x, y);
        y.Sum().Backward();
        Assert.Equal([2.0, 2, 2], x.Gradient!.ToArray());
    }

    [Fact]
    public void Where_nothing_is_recorded_nothing_is_kept()
    {
        var own = new Probe();
        var x = Leaf("x", 3);
        using (NoGradient.Enter())
        {
            Assert.False(own.Apply(x).RequiresGradient);
        }

        Assert.False(own.Apply(x.Detach()).RequiresGradient);
        Assert.Equal([false, false], own.Recorded);
        Assert.Throws<InvalidOperationException>(() => own.Apply(x.Detach()).Sum().Backward());
        Assert.False(own.WasBackward);
    }

    [Fact]
    public void What_the_methods_compute_is_not_recorded()
    {
        var own = new Probe();
        var x = Leaf("x", 3);
        var y = own.Apply(x);
        Assert.True(y.RequiresGradient);
        y.Sum().Backward();
        Assert.True(own.WasBackward);
        Assert.False(own.InnerIsRecorded);
        Assert.False(NoGradient.IsActive);
    }

    [Fact]
    public void A_kept_graph_gives_the_same_gradients_again_also_where_they_are_edited()
    {
        var x = Leaf("x", 5);
        var loss = new Shift { EditsGradient = true }.Apply(x, null).Square().Sum();
        loss.Backward(keepGraph: true);
        var first = x.Gradient!.ToArray();
        x.ZeroGradient();
        loss.Backward();
        Assert.Equal(first, x.Gradient!.ToArray());
        Assert.Throws<InvalidOperationException>(() => loss.Backward());
    }

    [Fact]
    public void A_saved_tensor_that_was_written_to_stops_the_backward_pass()
    {
        var swish = new SwishOperation();
        var (x, beta) = (Leaf("x", 3), Leaf("beta", 3));
        var y = swish.Apply(x, beta);
        swish.LastGate![0] = 1;
        Assert.Contains("has been written to since", Assert.Throws<InvalidOperationException>(() => y.Sum().Backward()).Message, StringComparison.Ordinal);
        Assert.Null(x.Gradient);
        y = swish.Apply(x, beta);
        x[0] = 1;
        Assert.Throws<InvalidOperationException>(() => y.Sum().Backward());
        y = swish.Apply(x, beta);
        Assert.Throws<InvalidOperationException>(() => y[0] = 1);
    }

    [Fact]
    public void Wrong_results_are_named()
    {
        var x = Leaf("x", 3);
        Refuses("Free.Forward: expected one tensor or more, none of them null.", () => new Free(_ => [], _ => []).Apply(x));
        Refuses("Free.Forward: expected one tensor or more, none of them null.", () => new Free(_ => null!, _ => []).Apply(x));
        Refuses("Free.Forward: expected one tensor or more, none of them null.", () => new Free(_ => [null!], _ => []).Apply(x));
        Refuses("Free.Backward: expected 1 gradients, one for each input, but got 0.", () => new Free(c => [c.Input(0)], _ => []).Apply(x).Sum().Backward());
        Refuses("Free.Backward: expected 1 gradients, one for each input, but got 0.", () => new Free(c => [c.Input(0)], _ => null!).Apply(x).Sum().Backward());
        Refuses(
            "Free.Backward: expected the shape of input 0, [3], for its gradient but got [1, 3].",
            () => new Free(c => [c.Input(0)], c => [c.OutputGradient().Reshape(1, 3)]).Apply(x).Sum().Backward());
        Refuses("Input: input 1 was not given.", () => new Free(c => [c.Input(1)], _ => []).Apply(x, null));
        Refuses("Save: tensors are saved in Forward, for Backward to read.", () => new Free(c => [c.Input(0)], c => [c.Save(x)]).Apply(x).Sum().Backward());
        Refuses("Saved: good inside Backward only.", () => new Free(c => [c.Saved(0)], _ => []).Apply(x));
        Refuses("Output: good inside Backward only.", () => new Free(c => [c.OutputGradient()], _ => []).Apply(x));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Free(c => [c.Input(1)], _ => []).Apply(x));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Free(c => [c.Input(0)], c => [c.Saved(0)]).Apply(x).Sum().Backward());
        Assert.Throws<ArgumentOutOfRangeException>(() => new Free(c => [c.Input(0)], c => [c.OutputGradient(1)]).Apply(x).Sum().Backward());
        OperationContext<double>? context = null;
        new Free(c => [c.Input(0)], c => [(context = c).OutputGradient()]).Apply(x).Sum().Backward();
        Assert.Contains("freed", Assert.Throws<InvalidOperationException>(() => context!.Input(0)).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => context!.OutputGradient());

        static void Refuses(string message, Action action) => Assert.Equal(message, Assert.Throws<InvalidOperationException>(action).Message);
    }

    [Fact]
    public void An_exception_leaves_no_gradient_behind_and_recording_on()
    {
        var x = Leaf("x", 3);
        var y = new Free(c => [c.Input(0) * 2.0], _ => throw new NotSupportedException()).Apply(x);
        Assert.Throws<NotSupportedException>(() => y.Sum().Backward());
        Assert.Throws<NotSupportedException>(() => new Free(_ => throw new NotSupportedException(), _ => []).Apply(x));
        Assert.False(NoGradient.IsActive);
        Assert.Null(x.Gradient);
        (2.0 * x).Sum().Backward();
        Assert.Equal([2.0, 2, 2], x.Gradient!.ToArray());
    }

    [Fact]
    public void No_gradient_counts_as_zero_and_those_that_nobody_needs_are_dropped()
    {
        var (x, constant) = (Leaf("x", 3), Tensor<double>.Ones(3));
        new Free(c => [c.Input(0) * c.Input(1)], c => [null, c.OutputGradient()]).Apply(x, constant).Sum().Backward();
        Assert.Null(x.Gradient);
        Assert.Null(constant.Gradient);
    }

    [Fact]
    public void State_of_a_call_is_there_in_its_backward_pass()
    {
        var x = Leaf("x", 3);
        var free = new Free(
            c =>
            {
                c.State = c.Input(0).ToArray();
                return [c.Input(0).Square()];
            },
            c => [c.OutputGradient() * 2.0 * Tensor<double>.From((double[])c.State!)]);
        free.Apply(x).Sum().Backward();
        Assert.Equal(x.ToArray().Select(value => 2 * value), x.Gradient!.ToArray());
    }

    private static Tensor<double> Leaf(string name, params int[] shape)
    {
        var x = Tensor<double>.RandomNormal(new RandomSource(7).Split(name), 0, 1, shape);
        x.RequiresGradient = true;
        return x;
    }

    private static double[] Values(Func<double, double, double> function, Tensor<double> x, Tensor<double> y) => [.. x.ToArray().Zip(y.ToArray(), function)];

    private static bool Near(double expected, double actual) => Math.Abs(expected - actual) <= 1e-13 * Math.Max(1, Math.Abs(expected));

    private sealed class SumAndProduct : DifferentiableOperation<double>
    {
        internal bool[] Used { get; private set; } = [];

        protected override Tensor<double>[] Forward(OperationContext<double> context) =>
            [context.Input(0) + context.Input(1), context.Input(0) * context.Input(1)];

        protected override Tensor<double>?[] Backward(OperationContext<double> context)
        {
            Used = [context.HasOutputGradient(0), context.HasOutputGradient(1)];
            var (sum, product) = (context.OutputGradient(0), context.OutputGradient(1));
            return [sum + (product * context.Input(1)), sum + (product * context.Input(0))];
        }
    }

    private sealed class Shift : DifferentiableOperation<double>
    {
        internal bool EditsGradient { get; init; }

        protected override Tensor<double>[] Forward(OperationContext<double> context) =>
            [context.HasInput(1) ? context.Input(0) + context.Input(1) : context.Input(0)];

        protected override Tensor<double>?[] Backward(OperationContext<double> context)
        {
            var gradient = context.OutputGradient();
            if (EditsGradient)
            {
                gradient[0] += 1;
            }

            return [gradient, context.HasInput(1) ? context.OutputGradient() : null];
        }
    }

    private sealed class Probe : DifferentiableOperation<double>
    {
        internal List<bool> Recorded { get; } = [];

        internal bool WasBackward { get; private set; }

        internal bool InnerIsRecorded { get; private set; }

        protected override Tensor<double>[] Forward(OperationContext<double> context)
        {
            Recorded.Add(context.IsRecorded);
            Assert.Equal(context.IsRecorded, context.NeedsGradient(0));
            var square = context.Save(context.Input(0).Square());
            InnerIsRecorded |= square.RequiresGradient;
            return [square];
        }

        protected override Tensor<double>?[] Backward(OperationContext<double> context)
        {
            WasBackward = true;
            var gradient = context.OutputGradient() * context.Input(0) * 2.0;
            InnerIsRecorded |= gradient.RequiresGradient || context.Output().RequiresGradient;
            return [gradient];
        }
    }

    private sealed class Free(
        Func<OperationContext<double>, Tensor<double>[]> forward, Func<OperationContext<double>, Tensor<double>?[]> backward) : DifferentiableOperation<double>
    {
        protected override Tensor<double>[] Forward(OperationContext<double> context) => forward(context);

        protected override Tensor<double>?[] Backward(OperationContext<double> context) => backward(context);
    }
}
