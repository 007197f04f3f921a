using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Training;

/// <summary>What <see cref="GradientFlow"/> refuses, and how it says so.</summary>
public class GradientFlowRefusalTests
{
    private readonly Gru<float> _layer = new(3, 4, new() { Seed = 1 });
    private readonly Tensor<float> _input = Tensor<float>.RandomNormal(new RandomSource(1), 0, 1, 2, 5, 3);

    [Fact]
    public void Layers_that_need_the_future_are_refused()
    {
        foreach (var layer in new SequenceLayer<float>[]
        {
            new Gru<float>(3, 4, new() { Bidirectional = true }), new Gru<float>(3, 4, new() { Reverse = true }), new SequenceChain<float>(new Gru<float>(3, 4), new Gru<float>(4, 4, new() { Reverse = true })),
        })
        {
            Refuses("layer: a bidirectional or reversed layer has no state that runs forward in time", () => GradientFlow.Measure(layer, _input));
            Refuses("layer: a bidirectional or reversed layer has no state that runs forward in time", () => GradientFlow.Jacobian(layer, _input.Select(0, 0)));
        }
    }

    [Fact]
    public void A_layer_without_a_state_is_refused()
    {
        var chain = new SequenceChain<float>(new Linear<float>(3, 2));
        Refuses("layer: expected a layer with a state", () => GradientFlow.Measure(chain, _input));
        Refuses("layer: expected a layer with a state", () => GradientFlow.Jacobian(chain, _input.Select(0, 0)));
        Assert.Throws<ArgumentNullException>(() => GradientFlow.Measure(null!, _input));
        Assert.Throws<ArgumentNullException>(() => GradientFlow.Measure(_layer, null!));
        Assert.Throws<ArgumentNullException>(() => GradientFlow.Jacobian(_layer, null!));
    }

    [Fact]
    public void Batches_that_do_not_fit_are_refused()
    {
        Refuses("input: expected [batch, steps, 3] but got [2, 5, 2]", () => GradientFlow.Measure(_layer, Tensor<float>.Zeros(2, 5, 2)));
        Refuses("input: expected one sequence [steps, 3] but got [2, 5, 3]", () => GradientFlow.Jacobian(_layer, _input));
        Refuses("lengths: expected 2 lengths", () => Measure(new() { Lengths = [5] }));
        Refuses("lengths", () => Measure(new() { Lengths = [5, 6] }));
        Refuses("input: expected one row or more with a step but got [2, 5, 3] with lengths of zero", () => Measure(new() { Lengths = [0, 0] }));
        Refuses("input: expected one row or more with a step but got [0, 5, 3]", () => GradientFlow.Measure(_layer, Tensor<float>.Zeros(0, 5, 3)));
        Refuses("input: expected one row or more with a step but got [2, 0, 3]", () => GradientFlow.Measure(_layer, Tensor<float>.Zeros(2, 0, 3)));
        Refuses("initialState: expected 2 rows", () => Measure(new() { InitialState = _layer.ZeroState(3) }));
        Refuses("initialState: expected a state of h_l0", () => Measure(new() { InitialState = new Lstm<float>(3, 4).ZeroState(2) }));
        Refuses("initialState: expected [1, 4]", () => GradientFlow.Jacobian(_layer, _input.Select(0, 0), new Gru<float>(3, 5).ZeroState(1)));
    }

    [Fact]
    public void Losses_that_are_none_are_refused()
    {
        Refuses("Loss: expected a tensor with one element but got [2, 5, 4]", () => Measure(new() { Loss = y => y }));
        Refuses("Loss: expected a tensor with one element but got null", () => Measure(new() { Loss = _ => null! }));
        Refuses("Loss: its value does not depend on the outputs", () => Measure(new() { Loss = _ => Tensor<float>.Scalar(1) }));
        Refuses("Loss: its value does not depend on the outputs", () => Measure(new() { Loss = _ => _layer.Parameters.First().Value.Sum() }));
        Assert.All(_layer.Parameters, parameter => Assert.Null(parameter.Gradient));
        Assert.All(_layer.Parameters, parameter => Assert.False(parameter.Frozen));
    }

    [Fact]
    public void Jacobians_that_are_not_there_are_refused()
    {
        Refuses("JacobianRow: expected a row with a step but row 2 of 2 has no place", () => Measure(new() { JacobianRow = 2 }));
        Refuses("JacobianRow: expected a row with a step but row 0 of 2 has none", () => Measure(new() { JacobianRow = 0, Lengths = [0, 2] }));
        Refuses("JacobianStep: expected at most the length of row 1, 2, but got 3", () => Measure(new() { JacobianRow = 1, JacobianStep = 3, Lengths = [5, 2] }));
        Refuses("JacobianState: the state has no 'c_l0'; it has h_l0", () => Measure(new() { JacobianState = "c_l0" }));
        Refuses("layer: its state has 4 numbers; Jacobians of more than 3 are refused", () => Measure(new() { MaximumStateSize = 3 }));
        Assert.Empty(Measure(new() { MaximumStateSize = 3, Jacobians = false, Spectra = false }).JacobianNorms);
        Assert.Equal([1.0], Measure(new() { JacobianStep = 0 }).JacobianNorms);
        Assert.Equal(double.NaN, Measure(new() { JacobianStep = 0 }).JacobianFactor);
        Refuses("JacobianRow", () => new GradientFlowOptions<float> { JacobianRow = -1 });
        Refuses("JacobianStep", () => new GradientFlowOptions<float> { JacobianStep = -1 });
        Refuses("MaximumStateSize", () => new GradientFlowOptions<float> { MaximumStateSize = 0 });
        Refuses("DeadRange", () => new GradientFlowOptions<float> { DeadRange = double.NaN });
    }

    // A network that has exploded is measured too: the figures say that there are none.
    [Fact]
    public void Numbers_that_are_not_finite_give_none()
    {
        GradientFlowTests.Edit(_layer.Parameters.ElementAt(1).Value, (value, i) => i == 0 ? float.NaN : value);
        var report = Measure(new());
        Assert.Equal(double.NaN, report.StateGradients[0]);
        Assert.Equal(double.NaN, report.JacobianNorms[0]);
        Assert.Equal(double.NaN, report.Spectra[0].SpectralRadius);
        Assert.Equal(double.NaN, report.Spectra[0].Norm);
        Assert.Contains("NaN", report.ToString(), StringComparison.Ordinal);
        Assert.NotEmpty(report.ToChart().ToSvg());
    }

    private static void Refuses(string message, Func<object> action)
    {
        var error = Assert.ThrowsAny<ArgumentException>(action);
        Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
    }

    private GradientFlowReport Measure(GradientFlowOptions<float> options) => GradientFlow.Measure(_layer, _input, options);
}
