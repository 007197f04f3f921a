using Rnn.Layers;
using Rnn.Models;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.UserTests.Layers;

/// <summary>A sequence layer of a user's own does what recurrent layers do.</summary>
public sealed class SequenceLayerTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(3, 17, 2)]
    [InlineData(5, 4, 7)]
    public void A_layer_of_ones_own_computes_its_equation(int rows, int steps, int width)
    {
        var random = new RandomSource(1);
        var layer = Layer(3, width);
        var x = Tensor<double>.RandomNormal(random, 0, 1, rows, steps, 3);
        int[] lengths = [.. Enumerable.Range(0, rows).Select(row => row * steps / Math.Max(1, rows - 1) % (steps + 1))];
        var output = layer.Forward(x, lengths);
        for (var row = 0; row < rows; row++)
        {
            for (var step = 0; step < steps; step++)
            {
                for (var i = 0; i < 3; i++)
                {
                    var sum = 0.0;
                    for (var k = 0; k < width && step < lengths[row]; k++)
                    {
                        sum += step - k >= 0 ? layer.Kernel.Value[k, i] * x[row, step - k, i] : 0;
                    }

                    Assert.Equal(sum, output.Output[row, step, i], 1e-13);
                }
            }

            var last = lengths[row] == 0 ? new double[3] : output.Output.Row(row, lengths[row] - 1).ToArray();
            Assert.Equal(last, output.Last.Row(row).ToArray());
        }
    }

    [Fact]
    public void Gradients_of_windows_and_states_are_right()
    {
        var layer = Layer(2, 3);
        var x = Tensor<double>.RandomNormal(new RandomSource(2), 0, 1, 3, 5, 2);
        var state = new SequenceState<double>(3, ("window", Tensor<double>.RandomNormal(new RandomSource(3), 0, 1, 3, 2, 2)));
        var result = GradientCheck.Run(layer, () =>
        {
            var (y, next) = layer.Forward(x, [2, 5, 0], state);
            var second = layer.Forward(x, next);
            return y.Square().Sum() + second.Output.Square().Sum() + second.FinalState["window"].Square().Sum() + second.Last.Square().Sum();
        }, [("x", x), ("window", state["window"])]);
        Assert.True(result.Passed, result.ToString());
    }

    [Fact]
    public async Task A_language_model_trains_scores_and_writes_with_it()
    {
        // The token that follows is the one of two steps before: a window of three sees it, and nothing is recurrent.
        var chain = new SequenceChain<float>(new MovingAverage<float>(8, 3), new Linear<float>(8, 16, new() { Seed = 1 }), new ActivationLayer<float>(Activation.Tanh));
        var model = new LanguageModel<float>(4, chain, new() { Seed = 1 });
        int[] tokens = [.. Enumerable.Range(0, 200).Select(i => i % 4 == 3 ? 1 : i % 4)];
        var trainer = new Trainer<float>(model, new Adam<float> { LearningRate = 0.02 }) { BatchSize = 4, SequenceLength = 8 };
        await trainer.FitAsync(tokens, epochs: 30);
        Assert.InRange(model.Score(tokens).Loss, 0, 0.05);
        Assert.Equal([2, 1, 0, 1, 2], model.Generate([0, 1], 5, new() { Temperature = 0 }));
        var whole = model.Score(tokens);
        Assert.Equal(whole.Loss, model.Score(tokens, new TextScoreOptions { Steps = 7 }).Loss, 1e-6);

        ModuleCatalog.Register<float>("moving-average", reader => new MovingAverage<float>(reader.GetInt32("features"), reader.GetInt32("width")));
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        var opened = LanguageModel<float>.Open(stream);
        Assert.Equal(whole, opened.Score(tokens));
        Assert.Contains("0: MovingAverage(features: 8, width: 3) 24 parameters", opened.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_batches_and_states_are_refused()
    {
        var layer = Layer(2, 3);
        var x = Tensor<double>.Zeros(3, 5, 2);
        Assert.Equal("input", Assert.Throws<ArgumentException>(() => layer.Forward(Tensor<double>.Zeros(3, 5, 3))).ParamName);
        Assert.Equal("lengths", Assert.Throws<ArgumentException>(() => layer.Forward(x, [1, 2])).ParamName);
        Assert.Equal("initialState", Assert.Throws<ArgumentException>(() => layer.Forward(x, layer.ZeroState(2))).ParamName);
        Assert.Equal("initialState", Assert.Throws<ArgumentException>(() => layer.Forward(x, Layer(2, 4).ZeroState(3))).ParamName);
        Assert.Equal("initialState", Assert.Throws<ArgumentException>(() => layer.Forward(x, new Gru<double>(2, 2).ZeroState(3))).ParamName);
    }

    [Fact]
    public void A_stepper_without_one_of_its_own_keeps_its_state_when_scopes_end_and_users_write()
    {
        var layer = new MovingAverage<double>(3, 4);
        using (var edit = layer.Kernel.Value.Edit())
        {
            new RandomSource(1).FillUniform(edit.Span, -1, 1);
        }

        var x = Tensor<double>.RandomNormal(new RandomSource(2), 0, 1, 2, 5, 3);
        var expected = layer.Forward(x);
        var stepper = layer.CreateStepper(2);
        var mine = layer.ZeroState(2);
        stepper.SetState(mine);
        using (var edit = mine.Tensors[0].Edit())
        {
            edit.Span.Fill(7);
        }

        for (var step = 0; step < 5; step++)
        {
            using var scope = TensorScope.Enter();
            var output = new double[stepper.Rows * stepper.OutputSize];
            stepper.Step(x.Select(1, step).AsReadOnlySpan(), output);
            Assert.Equal(expected.Select(1, step).ToArray(), output, (a, b) => Math.Abs(a - b) < 1e-13);
        }
    }

    private static MovingAverage<double> Layer(int features, int width)
    {
        var layer = new MovingAverage<double>(features, width);
        using var edit = layer.Kernel.Value.Edit();
        new RandomSource(7).FillNormal(edit.Span);
        return layer;
    }
}
