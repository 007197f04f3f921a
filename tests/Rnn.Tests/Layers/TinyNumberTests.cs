using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Cells;

namespace Rnn.Tests.Layers;

/// <summary>
/// Nothing denormal is stored and computed with again: states that decay, inputs, weights and initial states below 2⁻¹⁰⁰ count as zero, in
/// batches and streams alike, with the same bits.
/// </summary>
public sealed class TinyNumberTests
{
    private const float Tiny = 1e-39f;

    public static TheoryData<string> Cells => [.. TestCells.All];

    [Theory]
    [MemberData(nameof(Cells))]
    public void States_end_in_zeros_and_not_in_denormal_numbers(string cell)
    {
        // Three loud steps, then silence: most cells without biases decay to nothing.
        var layer = RecurrentLayer<float>.Create(cell, 3, 19, new() { Bias = false, Seed = 1 });
        var (steps, stream) = (600, layer.CreateStream());
        var x = Tensor<float>.Zeros(1, steps, 3);
        x.AsSpan()[..9].Fill(2);
        using var none = NoGradient.Enter();
        var batch = layer.Forward(x, []);
        var output = new float[19];
        for (var step = 0; step < steps; step++)
        {
            stream.Step(x.AsReadOnlySpan().Slice(step * 3, 3), output);
            Assert.Equal(batch.Output.Row(0, step).ToArray(), output);
            Assert.All(output, value => Assert.False(IsTiny(value), $"{value} at step {step}"));
            Assert.All(stream.GetState().Tensors, state => Assert.All(state.ToArray(), value => Assert.False(IsTiny(value), $"{value} at step {step}")));
        }
    }

    [Theory]
    [InlineData("lstm", "")]
    [InlineData("gru", "")]
    [InlineData("lstm", "zoneout")]
    [InlineData("gru-before", "zoneout")]
    [InlineData("lstm", "projection")]
    [InlineData("indrnn-relu", "")]
    public void Silence_after_sound_ends_in_zeros_with_every_option(string cell, string option)
    {
        var options = new RecurrentOptions { Bias = false, Seed = 1, HiddenZoneout = option == "zoneout" ? 0.5 : 0 };
        var layer = RecurrentLayer<float>.Create(cell, 3, 19, options, option == "projection" ? 5 : 0);
        layer.Evaluate();
        foreach (var parameter in layer.Parameters)
        {
            new RandomSource(3).FillUniform(parameter.Value.AsSpan(), -0.2, 0.2);
        }

        var x = Tensor<float>.Zeros(2, 900, 3);
        x.AsSpan()[..3].Fill(2);
        using var none = NoGradient.Enter();
        var batch = layer.Forward(x, []);
        Assert.All(batch.Output.ToArray(), value => Assert.False(IsTiny(value)));
        Assert.All(batch.FinalState.Tensors, state => Assert.All(state.ToArray(), value => Assert.Equal(0, value)));
        var (stream, output) = (layer.CreateStream(), new float[layer.OutputSize]);
        for (var step = 0; step < 900; step++)
        {
            stream.Step(x.AsReadOnlySpan().Slice(step * 3, 3), output);
            Assert.Equal(batch.Output.Row(0, step).ToArray(), output);
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void Tiny_inputs_weights_and_states_count_as_zeros(string cell)
    {
        foreach (var isReverse in new[] { false, true })
        {
            var layer = RecurrentLayer<float>.Create(cell, 5, 19, new() { Reverse = isReverse, Seed = 1 });
            var x = Tensor<float>.RandomNormal(new RandomSource(1), 0, 1, 3, 40, 5);
            var state = layer.ZeroState(3);
            var zeroed = Zeroed(new RandomSource(2), [x, .. state.Tensors, .. layer.Parameters.Select(parameter => parameter.Value)]);
            foreach (int[] lengths in new int[][] { [], [40, 7, 0] })
            {
                var (output, gradients) = Gradients(layer, x, state, lengths);
                Set(zeroed, Tiny);
                var (tiny, tinyGradients) = Gradients(layer, x, state, lengths);
                Set(zeroed, 0);
                Assert.Equal(output, tiny);

                // What is tiny may still get a gradient; what it passes on is that of zeros.
                for (var i = 0; i < gradients.Length; i++)
                {
                    Assert.Equal(gradients[i], tinyGradients[i]);
                }
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Inputs_that_were_looked_through_are_looked_through_again_after_a_write(bool bidirectional)
    {
        var layer = new Lstm<float>(37, 17, new() { Bidirectional = bidirectional, Seed = 1 });
        var x = Tensor<float>.RandomNormal(new RandomSource(2), 0, 1, 3, 5, 37);
        using var none = NoGradient.Enter();
        var first = layer.Forward(x).ToArray();
        Assert.Equal(first, layer.Forward(x).ToArray());

        // What lies past the ends of the rows is not looked at, and counts once the rows are longer.
        x[2, 4, 36] = Tiny;
        x[1, 0, 3] = 0;
        int[] lengths = [5, 5, 4];
        layer.Forward(x, lengths);
        var expected = x.Clone();
        expected[2, 4, 36] = 0;
        Assert.Equal(layer.Forward(expected).ToArray(), layer.Forward(x).ToArray());
        using (var edit = x.Edit())
        {
            edit.Span.Fill(Tiny);
        }

        Assert.Equal(layer.Forward(Tensor<float>.Zeros(3, 5, 37)).ToArray(), layer.Forward(x).ToArray());
    }

    [Fact]
    public void Gradients_that_vanish_over_a_long_sequence_end_in_zeros()
    {
        var layer = new Lstm<float>(2, 19, new() { Seed = 1 });
        var x = Tensor<float>.RandomNormal(new RandomSource(1), 0, 1, 2, 1400, 2);
        x.RequiresGradient = true;
        layer.Forward(x, []).Last.Sum().Backward();
        var gradient = x.Gradient!.ToArray();
        Assert.All(gradient, value => Assert.False(value != 0 && MathF.Abs(value) < 1.2e-38f, $"{value}"));
        Assert.NotEqual(0, gradient[(1400 * 2) - 1]);
        Assert.Equal(0, gradient[0]);
    }

    [Fact]
    public unsafe void Vectors_flush_what_is_below_the_limit_and_nothing_else()
    {
        float[] values =
        [
            0, -0f, 1, -1, float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.Epsilon, -float.Epsilon, 1.2e-38f, -1e-31f, MathF.ScaleB(1, -100),
            -MathF.ScaleB(1, -100), MathF.BitDecrement(MathF.ScaleB(1, -100)), -MathF.BitDecrement(MathF.ScaleB(1, -100)), float.MaxValue, 3,
        ];
        var flushed = (float[])values.Clone();
        fixed (float* from = values, to = flushed)
        {
            Tiny<float>.CopyFlushed(from, to, values.Length);
            Assert.True(Tiny<float>.IsAny(from, values.Length));
            Assert.False(Tiny<float>.IsAny(to, values.Length));
            for (var i = 0; i < values.Length; i++)
            {
                Assert.Equal(MathF.Abs(values[i]) is > 0 and < 7.888609e-31f ? 0 : values[i], flushed[i]);
                Assert.Equal(flushed[i], Vec1<float>.FlushToZero(new(values[i])).Value);
                Assert.Equal(MathF.Abs(values[i]) is > 0 and < 7.888609e-31f, Tiny<float>.IsAny(from + i, 1));
            }
        }
    }

    private static (float[] Output, float[][] Gradients) Gradients(RecurrentLayer<float> layer, Tensor<float> x, SequenceState<float> state, int[] lengths)
    {
        Tensor<float>[] leaves = [x, .. state.Tensors, .. layer.Parameters.Select(parameter => parameter.Value)];
        foreach (var leaf in leaves)
        {
            leaf.RequiresGradient = true;
            leaf.ZeroGradient();
        }

        var output = layer.Forward(x, lengths, state);
        output.Output.Square().Sum().Backward();
        return (output.Output.ToArray(), [.. leaves.Select(leaf => leaf.Gradient!.ToArray())]);
    }

    // Sets every third element to zero and says where.
    private static List<(Tensor<float> Tensor, int Index)> Zeroed(RandomSource random, IEnumerable<Tensor<float>> tensors)
    {
        var places = new List<(Tensor<float>, int)>();
        foreach (var tensor in tensors)
        {
            random.FillUniform(tensor.AsSpan(), -0.8, 0.8);
            for (var i = 0; i < tensor.Length; i += 3)
            {
                tensor.AsSpan()[i] = 0;
                places.Add((tensor, i));
            }
        }

        return places;
    }

    private static void Set(List<(Tensor<float> Tensor, int Index)> places, float value) => places.ForEach(place => place.Tensor.AsSpan()[place.Index] = value);

    private static bool IsTiny(float value) => value != 0 && MathF.Abs(value) < 7.8e-31f;
}
