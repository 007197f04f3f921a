using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Training;

public class GradientCheckTests
{
    [Fact]
    public void A_right_gradient_passes_far_below_the_tolerance()
    {
        var x = Tensor<double>.RandomNormal(new RandomSource(1), 0, 1, 3, 5);
        var w = Tensor<double>.RandomNormal(new RandomSource(2), 0, 1, 5, 2);
        var before = x.ToArray();
        var result = GradientCheck.Run(() => x.MatMul(w).Tanh().Sum(), [("x", x), ("w", w)]);
        Assert.True(result.Passed);
        Assert.InRange(result.WorstError, 0, 1e-10);
        Assert.Equal(["x", "w"], result.Entries.Select(e => e.Name));
        Assert.Equal([15, 10], result.Entries.Select(e => e.Checked));
        Assert.Equal(before, x.ToArray());
        Assert.False(x.RequiresGradient);
        Assert.StartsWith("passed: worst error ", result.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_gradient_is_found_and_named()
    {
        var x = Tensor<double>.RandomNormal(new RandomSource(1), 0, 1, 2, 3);
        var result = GradientCheck.Run(() => new WrongSquare(x).Output.Sum(), [("x", x)]);
        Assert.False(result.Passed);
        Assert.Equal("x[1, 2]", result.Worst.WorstEntry);
        Assert.Equal(2 * x[1, 2], result.Worst.Numeric, 1e-9);
        Assert.Equal((2 * x[1, 2]) + 0.001, result.Worst.Analytic, 1e-12);
        var largest = x.ToArray().Max(v => Math.Abs(2 * v));
        Assert.Equal(0.001 / largest, result.WorstError, 1e-5);
        Assert.Contains("FAILED: worst error", result.ToString(), StringComparison.Ordinal);
        Assert.Contains("x[1, 2] of [2, 3]: analytic", result.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_failure_says_where_the_differences_themselves_are_uncertain()
    {
        // The gradient is right, but a thousandth away from the point the cube root goes through its vertical tangent.
        var x = Tensor<double>.From([0.001]);
        var result = GradientCheck.Run(() => x.Power(1.0 / 3).Sum(), [("x", x)]);
        Assert.False(result.Passed);
        Assert.InRange(result.Worst.NumericUncertainty, result.WorstError / 10, 1);
        Assert.Contains("uncertain by", result.ToString(), StringComparison.Ordinal);
        var closer = GradientCheck.Run(() => x.Power(1.0 / 3).Sum(), [("x", x)], new() { Step = 1e-5 });
        Assert.True(closer.Passed, closer.ToString());
        Assert.Equal(0, closer.Worst.NumericUncertainty);

        // A wrong gradient where the function is smooth: the differences are certain.
        var y = Tensor<double>.From([1.0, 2]);
        Assert.DoesNotContain("uncertain", GradientCheck.Run(() => new WrongSquare(y).Output.Sum(), [("y", y)]).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Not_a_number_fails()
    {
        var x = Tensor<double>.From([-1.0, 1]);
        var result = GradientCheck.Run(() => x.Sqrt().Sum(), [("x", x)]);
        Assert.False(result.Passed);
        Assert.Equal("x[0]", result.Worst.WorstEntry);
    }

    [Fact]
    public void Modules_are_checked_with_frozen_parameters_left_out()
    {
        var layer = new Linear<double>(4, 3, new() { Seed = 0 });
        layer.Bias!.Frozen = true;
        var x = Tensor<double>.RandomNormal(new RandomSource(1), 0, 1, 2, 4);
        var result = GradientCheck.Run(layer, () => layer.Forward(x), [("x", x)]);
        Assert.True(result.Passed, result.ToString());
        Assert.Equal(["weight", "x"], result.Entries.Select(e => e.Name));
        Assert.True(layer.Bias.Frozen);
    }

    [Fact]
    public void Large_tensors_can_be_sampled()
    {
        var x = Tensor<double>.RandomNormal(new RandomSource(1), 0, 1, 100, 100);
        var calls = 0;
        var result = GradientCheck.Run(Function, [("x", x)], new() { MaximumEntries = 7, Seed = 3 });
        Assert.True(result.Passed);
        Assert.Equal(7, result.Worst.Checked);
        Assert.Equal(1 + (7 * 4), calls);

        Tensor<double> Function()
        {
            calls++;
            return x.Square().Sum();
        }
    }

    [Fact]
    public void Independent_and_empty_tensors_pass_and_mistakes_are_named()
    {
        var x = Tensor<double>.From([1.0, 2]);
        var empty = Tensor<double>.Zeros(0);
        var other = Tensor<double>.Ones(2);
        Assert.True(GradientCheck.Run(() => x.Square().Sum(), [("x", x), ("empty", empty), ("other", other)]).Passed);
        var error = Assert.Throws<ArgumentException>(() => GradientCheck.Run(() => other.Sum(), [("x", x)]));
        Assert.StartsWith("function: its value does not depend on any of the inputs.", error.Message, StringComparison.Ordinal);
        x.RequiresGradient = true;
        error = Assert.Throws<ArgumentException>(() => GradientCheck.Run(() => x.Sum(), [("y", x * 2.0)]));
        Assert.StartsWith("inputs: 'y' is the result of an operation", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => GradientCheck.Run(() => x.Sum(), []));
    }

    private sealed class WrongSquare : GraphNode<double>
    {
        private readonly Tensor<double> _input;

        internal WrongSquare(Tensor<double> input)
            : base([input])
        {
            _input = input;
            Output = input.RequiresGradient && !NoGradient.IsActive ? Attach(input.Detach().Square()) : input.Detach().Square();
        }

        internal Tensor<double> Output { get; }

        internal override void Backward()
        {
            var gradient = InputGradient(0);
            for (var i = 0; i < gradient.Length; i++)
            {
                gradient[i] += OutputGradient()[i] * ((2 * _input.AsReadOnlySpan()[i]) + (i == gradient.Length - 1 ? 0.001 : 0));
            }
        }
    }
}
