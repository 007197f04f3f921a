using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Tests.Layers;

/// <summary>
/// A single step from zeros reads no weights of earlier states and does not pack them. Whatever comes next, a state or a second step, must find
/// them as they are by then.
/// </summary>
public sealed class CarriedStateTests
{
    [Theory]
    [MemberData(nameof(InferenceTests.Cells), MemberType = typeof(InferenceTests))]
    public void Step_by_step_gives_the_bits_of_the_whole(string cell)
    {
        const int Rows = 3, Steps = 4;
        foreach (var training in new[] { false, true })
        {
            var layer = RecurrentLayer<float>.Create(cell, 5, 17, new() { Layers = 2, Seed = 1 });
            if (!training)
            {
                layer.Evaluate();
            }

            using var off = training ? null : (IDisposable)NoGradient.Enter();
            var random = new RandomSource(2);
            for (var change = 0; change < 3; change++)
            {
                // Between the rounds the weights change, as an optimiser changes them, and each round begins with a step from zeros.
                foreach (var parameter in layer.Parameters)
                {
                    random.FillUniform(parameter.Value.AsSpan(), -0.5f, 0.5f);
                }

                var input = Tensor<float>.RandomNormal(random, 0, 1, Rows, Steps, 5);
                input.RequiresGradient = training;
                SequenceState<float>? state = null;
                var steps = new Tensor<float>[Steps];
                for (var step = 0; step < Steps; step++)
                {
                    var output = layer.Forward(input.Slice(1, step..(step + 1)), default, state);
                    (steps[step], state) = (output.Output, output.FinalState);
                }

                var whole = layer.Forward(input, default).Output;
                var joined = Tensor<float>.Concat(steps, 1);
                Assert.Equal(whole.ToArray(), joined.ToArray());
                if (!training)
                {
                    continue;
                }

                var weight = Tensor<float>.RandomNormal(random, 0, 1, whole.Shape);
                (whole * weight).Sum().Backward();
                var expected = Gradients(layer, input);
                (joined * weight).Sum().Backward();
                foreach (var (a, b) in expected.Zip(Gradients(layer, input)))
                {
                    // The weights' gradients sum over steps in another order.
                    var largest = a.Max(MathF.Abs);
                    Assert.All(a.Zip(b), pair => Assert.InRange(pair.Second, pair.First - (1e-5f * largest), pair.First + (1e-5f * largest)));
                }
            }
        }
    }

    private static List<float[]> Gradients(RecurrentLayer<float> layer, Tensor<float> input)
    {
        var gradients = layer.Parameters.Select(parameter => parameter.Value.Gradient!.ToArray()).Append(input.Gradient!.ToArray()).ToList();
        foreach (var parameter in layer.Parameters)
        {
            parameter.Value.ZeroGradient();
        }

        input.ZeroGradient();
        return gradients;
    }
}
