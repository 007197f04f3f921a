using System.Numerics;
using Rnn.Autograd;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.UserTests.Autograd;

/// <summary>Operations of a user's own with textbook formulas: a cube root, which needs its result alone, and a smooth absolute error of two inputs.</summary>
public sealed class UserOperationTests
{
    [Fact]
    public void A_cube_root_has_values_and_gradients_on_both_sides_of_zero()
    {
        var x = Tensor<double>.From([-27.0, -1, -0.125, 0.027, 8, 64], 2, 3);
        var y = new CubeRoot<double>().Apply(x);
        Assert.True(y.AllClose(Tensor<double>.From([-3.0, -1, -0.5, 0.3, 2, 4], 2, 3), 1e-14, 0));
        Assert.False(y.RequiresGradient);

        var check = GradientCheck.Run(() => new CubeRoot<double>().Apply(x), [("x", x)], new() { Step = 1e-4 });
        Assert.True(check.Passed, check.ToString());
    }

    [Fact]
    public void A_cube_root_serves_single_precision_too()
    {
        var x = Tensor<float>.From([-8f, 27]);
        x.RequiresGradient = true;
        new CubeRoot<float>().Apply(x).Sum().Backward();
        Assert.True(x.Gradient!.AllClose(Tensor<float>.From([1f / 12, 1f / 27]), 1e-5));
    }

    [Theory]
    [InlineData(0.3)]
    [InlineData(1)]
    [InlineData(4)]
    public void A_smooth_absolute_error_is_square_where_it_is_small_and_linear_elsewhere(double beta)
    {
        var prediction = Tensor<double>.RandomNormal(new RandomSource(1), 0, 2, 7, 5);
        var target = Tensor<double>.RandomNormal(new RandomSource(2), 0, 2, 7, 5);
        var loss = new SmoothL1<double>(beta);

        var distances = prediction.ToArray().Zip(target.ToArray(), (a, b) => Math.Abs(a - b));
        double[] expected = [.. distances.Select(d => d < beta ? d * d / (2 * beta) : d - (beta / 2))];
        Assert.Equal(expected, loss.Apply(prediction, target).ToArray(), (a, b) => Math.Abs(a - b) < 1e-14);

        var check = GradientCheck.Run(() => loss.Apply(prediction, target), [("prediction", prediction), ("target", target)]);
        Assert.True(check.Passed, check.ToString());
    }

    [Fact]
    public void A_smooth_absolute_error_trains()
    {
        var weight = Tensor<double>.Zeros(1);
        weight.RequiresGradient = true;
        var (x, target) = (Tensor<double>.From([1.0, 2, 3]), Tensor<double>.From([2.0, 4, 6]));
        var loss = new SmoothL1<double>(1);
        for (var step = 0; step < 200; step++)
        {
            loss.Apply(x * weight, target).Mean().Backward();
            using (var edit = weight.Edit())
            {
                edit.Span[0] -= 0.1 * weight.Gradient![0];
            }

            weight.ZeroGradient();
        }

        Assert.Equal(2, weight[0], 1e-6);
    }

    // y = ∛x, whose slope 1/(3 y²) needs the result alone. At zero it is infinite, as it should be.
    private sealed class CubeRoot<T> : DifferentiableOperation<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        protected override Tensor<T>[] Forward(OperationContext<T> context)
        {
            var root = context.Input(0).Clone();
            using (var edit = root.Edit())
            {
                foreach (ref var value in edit.Span)
                {
                    value = T.Cbrt(value);
                }
            }

            return [root];
        }

        protected override Tensor<T>?[] Backward(OperationContext<T> context) =>
            [context.OutputGradient() / (T.CreateChecked(3) * context.Output().Square())];
    }

    // d²/2β where |d| is below β, else |d| − β/2, of the difference d of two inputs.
    private sealed class SmoothL1<T>(double beta) : DifferentiableOperation<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly T _beta = T.CreateChecked(beta);
        private readonly T _half = T.CreateChecked(beta / 2);

        protected override Tensor<T>[] Forward(OperationContext<T> context)
        {
            var difference = context.Save(context.Input(0) - context.Input(1));
            var size = difference.Abs();
            var isSmall = size.LessThan(Tensor<T>.Scalar(_beta));
            return [Tensor<T>.Where(isSmall, difference.Square() / (_beta + _beta), size - _half)];
        }

        protected override Tensor<T>?[] Backward(OperationContext<T> context)
        {
            var slope = context.OutputGradient() * (context.Saved(0) / _beta).Clamp(-1, 1);
            return [slope, context.NeedsGradient(1) ? -slope : null];
        }
    }
}
