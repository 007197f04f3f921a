using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Oracles;
using Rnn.Training;
using static Rnn.Tests.Layers.LayerSteps;

namespace Rnn.Tests.Layers;

/// <summary>Causal convolutions and WaveNet against plain loops over their formulas; states, steps, chunks and threads.</summary>
public sealed class ConvolutionLayerTests
{
    private static readonly Dictionary<string, Func<SequenceLayer<double>>> Makers = new(StringComparer.Ordinal)
    {
        ["pointwise"] = () => new CausalConvolution<double>(3, 5, new() { KernelSize = 1, Seed = 1 }),
        ["two taps"] = () => new CausalConvolution<double>(1, 1, new() { Seed = 1 }),
        ["dilated"] = () => new CausalConvolution<double>(3, 17, new() { KernelSize = 3, Dilation = 4, Seed = 2 }),
        ["no bias"] = () => new CausalConvolution<double>(17, 37, new() { KernelSize = 4, Dilation = 2, Bias = false, Seed = 3 }),
        ["WaveNet"] = () => new WaveNet<double>(3, new() { ResidualChannels = 5, DilationChannels = 3, SkipChannels = 7, LayersPerBlock = 3, Blocks = 2, Seed = 1 }),
        ["WaveNet conditioned"] = () => new WaveNet<double>(5, new() { ResidualChannels = 3, DilationChannels = 17, SkipChannels = 1, KernelSize = 3, LayersPerBlock = 2, Blocks = 1, ConditionSize = 4, Seed = 2 }),
        ["WaveNet of a layer"] = () => new WaveNet<double>(1, new() { ResidualChannels = 37, DilationChannels = 1, SkipChannels = 3, LayersPerBlock = 1, Blocks = 1, Seed = 3 }),
    };

    public static TheoryData<string> Kinds => [.. Makers.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Outputs_and_states_are_those_of_the_formula(string kind)
    {
        var layer = Make(kind);
        foreach (var (steps, lengths) in new[] { (9, new[] { 5, 0, 9, 1 }), (211, [211, 97, 0, 192]), (1, [1, 1, 0, 1]) })
        {
            var x = Leaf(2, 4, steps, layer.InputSize);
            for (var row = 0; row < 4; row++)
            {
                x.AsSpan().Slice(((row * steps) + lengths[row]) * layer.InputSize, (steps - lengths[row]) * layer.InputSize).Fill(double.NaN);
            }

            var initial = RandomState(layer, 4);
            var (output, state) = layer.Forward(x, lengths, initial);
            Assert.Equal(layer.ZeroState(4).ToString(), state.ToString());
            for (var row = 0; row < 4; row++)
            {
                var inputs = Enumerable.Range(0, lengths[row]).Select(step => x.Row(row, step).ToArray()).ToArray();
                var (outputs, last) = ConvolutionOracle.Run(layer, inputs, row, initial);
                for (var step = 0; step < steps; step++)
                {
                    Close(step < lengths[row] ? outputs[step] : new double[layer.OutputSize], output.Row(row, step).ToArray());
                }

                Assert.All(state.Tensors.Zip(last), pair => Close(pair.Second, pair.First.Select(0, row).ToArray()));
            }

            // Nothing of a NaN comes to the weights.
            (output.Sum() + state.Tensors[^1].Sum()).Backward();
            Assert.All(layer.Parameters, parameter => Assert.All(parameter.Gradient!.ToArray(), value => Assert.True(double.IsFinite(value))));
            layer.ZeroGradients();
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Gradients_agree_with_finite_differences(string kind)
    {
        var layer = Make(kind);
        var x = Leaf(2, 3, 7, layer.InputSize);
        var initial = RandomState(layer, 3);
        foreach (var tensor in initial.Tensors)
        {
            tensor.RequiresGradient = true;
        }

        (string, Tensor<double>)[] leaves = [("x", x), .. initial.Names.Zip(initial.Tensors), .. layer.NamedParameters.Select(pair => (pair.Key, pair.Value.Value))];
        var weight = Tensor<double>.RandomNormal(new RandomSource(6), 0, 1, 3, 7, layer.OutputSize);
        var result = GradientCheck.Run(
            () =>
            {
                var (output, state) = layer.Forward(x, [7, 0, 4], initial);
                return state.Tensors.Aggregate((output * weight).Sum(), (sum, tensor) => sum + tensor.Square().Sum());
            },
            [.. leaves.Where(leaf => leaf.Item2.Length > 0)]);
        Assert.True(result.Passed, result.ToString());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Steps_and_chunks_have_the_bits_of_the_whole_sequence(string kind)
    {
        var layer = Make(kind);
        var x = Tensor<double>.RandomNormal(new RandomSource(2), 0, 1, 3, 23, layer.InputSize);
        var initial = RandomState(layer, 3);
        var (output, state) = layer.Forward(x, initial);
        var stepper = layer.CreateStepper(2);
        stepper.SetState(initial);
        var next = initial;
        for (var step = 0; step < 23; step++)
        {
            Assert.Equal(output.Select(1, step).ToArray(), Step(stepper, x.Select(1, step)));
            (var y, next) = layer.Step(x.Select(1, step), next);
            Assert.Equal(output.Select(1, step).ToArray(), y.ToArray());
        }

        Same(state, stepper.GetState());
        Same(state, next);
        var (first, middle) = layer.Forward(x.Slice(1, ..10), initial);
        var (second, end) = layer.Forward(x.Slice(1, 10..), middle);
        Assert.Equal(output.ToArray(), Tensor<double>.Concat([first, second], 1).ToArray());
        Same(state, end);

        // Rows in another order, one of them twice; then some begin anew; then all.
        var saved = stepper.GetState();
        stepper.SelectRows(2, 0, 2, 1);
        var input = x.Select(1, 0).IndexSelect(0, [1, 1, 1, 1]);
        Assert.Equal(layer.Step(input, saved.SelectRows(2, 0, 2, 1)).Output.ToArray(), Step(stepper, input));
        saved = stepper.GetState();
        stepper.ResetRows([true, false, false, true]);
        Same(saved.ResetRows([true, false, false, true]), stepper.GetState());
        stepper.Reset();
        Assert.Equal(layer.Step(input, null).Output.ToArray(), Step(stepper, input));

        // A step follows the parameters when they change.
        foreach (var parameter in layer.Parameters)
        {
            parameter.Value.AsSpan()[0] += 0.5;
        }

        stepper.Reset();
        Assert.Equal(layer.Step(input, null).Output.ToArray(), Step(stepper, input));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Recorded_steps_have_the_gradients_of_the_sequence(string kind)
    {
        var layer = Make(kind);
        var x = Leaf(2, 2, 8, layer.InputSize);
        Tensor<double>[] leaves = [x, .. layer.Parameters.Select(parameter => parameter.Value)];
        layer.Forward(x).Square().Sum().Backward();
        var expected = Take(leaves);
        var (outputs, state) = (new List<Tensor<double>>(), layer.ZeroState(2));
        for (var step = 0; step < 8; step++)
        {
            (var y, state) = layer.Step(x.Select(1, step), state);
            outputs.Add(y);
        }

        Tensor<double>.Stack([.. outputs], 1).Square().Sum().Backward();
        foreach (var (wanted, actual) in expected.Zip(Take(leaves)))
        {
            Close(wanted, actual);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Steps_allocate_nothing(string kind)
    {
        var stepper = Make(kind).CreateStepper(3);
        var (input, output) = (new double[3 * stepper.InputSize], new double[3 * stepper.OutputSize]);
        for (var step = 0; step < 3; step++)
        {
            stepper.Step(input, output);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var step = 0; step < 20; step++)
        {
            stepper.Step(input, output);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_number_of_threads_changes_no_bit(string kind)
    {
        SameForThreads(Run);

        double[] Run()
        {
            var layer = Make(kind);
            var x = Leaf(2, 5, 1500, layer.InputSize);
            var output = layer.Forward(x, [1500, 3, 0, 1111, 700]).Output;
            output.Square().Sum().Backward();
            return [.. output.ToArray(), .. x.Gradient!.ToArray(), .. layer.Parameters.SelectMany(parameter => parameter.Value.Gradient!.ToArray())];
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Files_bring_the_layer_back(string kind)
    {
        var layer = new SequenceChain<double>(Make(kind));
        using var memory = new MemoryStream();
        layer.Save(memory);
        memory.Position = 0;
        var opened = (SequenceChain<double>)Module<double>.Open(memory);
        var x = Tensor<double>.RandomNormal(new RandomSource(2), 0, 1, 2, 5, layer.InputSize);
        Assert.Equal(layer.Forward(x).ToArray(), opened.Forward(x).ToArray());
        Assert.Equal(layer[0].ToString(), opened[0].ToString());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Batches_without_rows_or_steps_pass(string kind)
    {
        var layer = Make(kind);
        Assert.Equal(new Shape(0, 4, layer.OutputSize), layer.Forward(Tensor<double>.Zeros(0, 4, layer.InputSize)).Shape);
        var initial = RandomState(layer, 2);
        var (output, state) = layer.Forward(Tensor<double>.Zeros(2, 0, layer.InputSize), initial);
        Assert.Equal(new Shape(2, 0, layer.OutputSize), output.Shape);
        Same(initial, state);
        var none = Leaf(3, 2, 3, layer.InputSize);
        layer.Forward(none, [0, 0]).Output.Sum().Backward();
        Assert.All(none.Gradient!.ToArray(), value => Assert.Equal(0, value));
    }

    [Fact]
    public void The_receptive_field_is_what_an_output_depends_on()
    {
        Assert.Equal(9, new CausalConvolution<float>(1, 1, new() { KernelSize = 3, Dilation = 4 }).ReceptiveField);
        Assert.Equal(2047, new WaveNet<float>(1, new() { LayersPerBlock = 10, Blocks = 2 }).ReceptiveField);
        var layer = new WaveNet<double>(1, new() { ResidualChannels = 8, DilationChannels = 8, SkipChannels = 32, LayersPerBlock = 3, Blocks = 2, KernelSize = 3, Seed = 5 });
        Assert.Equal([1, 2, 4, 1, 2, 4], layer.Dilations);
        Assert.Equal(29, layer.ReceptiveField);
        var x = Leaf(2, 1, 40, 1);
        layer.Forward(x).Select(1, 35).Sum().Backward();
        var gradient = x.Gradient!.ToArray();
        for (var step = 0; step < 40; step++)
        {
            Assert.Equal(step is >= 7 and <= 35, gradient[step] != 0);
        }
    }

    [Fact]
    public void Mistakes_are_named()
    {
        Assert.Contains("KernelSize: expected 1 or more but got 0", Assert.Throws<ArgumentOutOfRangeException>(() => new CausalConvolutionOptions { KernelSize = 0 }).Message, StringComparison.Ordinal);
        Assert.Contains("Dilation: expected 1 or more but got -1", Assert.Throws<ArgumentOutOfRangeException>(() => new CausalConvolutionOptions { Dilation = -1 }).Message, StringComparison.Ordinal);
        Assert.Contains("KernelSize: expected 2 or more but got 1", Assert.Throws<ArgumentOutOfRangeException>(() => new WaveNetOptions { KernelSize = 1 }).Message, StringComparison.Ordinal);
        Assert.Contains("LayersPerBlock: expected 24 or less", Assert.Throws<ArgumentOutOfRangeException>(() => new WaveNetOptions { LayersPerBlock = 25 }).Message, StringComparison.Ordinal);
        Assert.Contains("inputSize: expected more than 4", Assert.Throws<ArgumentOutOfRangeException>(() => new WaveNet<float>(4, new() { ConditionSize = 4 })).Message, StringComparison.Ordinal);
        Assert.Contains("fewer blocks", Assert.Throws<ArgumentException>(() => new WaveNet<float>(4, new() { LayersPerBlock = 24, Blocks = 200 })).Message, StringComparison.Ordinal);
        Assert.Contains("KernelSize and Dilation", Assert.Throws<ArgumentException>(() => new CausalConvolution<float>(1, 1, new() { KernelSize = 1 << 20, Dilation = 1 << 20 })).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new CausalConvolution<float>(0, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => new CausalConvolution<float>(3, 0));
        foreach (var layer in Makers.Values.Select(make => make()))
        {
            Assert.Contains(
                $"InputSize ({layer.InputSize})", Assert.Throws<ArgumentException>(() => layer.Forward(Tensor<double>.Zeros(2, 5, layer.InputSize + 1))).Message, StringComparison.Ordinal);
            Assert.Contains("lengths", Assert.ThrowsAny<ArgumentException>(() => layer.Forward(Tensor<double>.Zeros(2, 5, layer.InputSize), [6, 1])).Message, StringComparison.Ordinal);
            Assert.Contains(
                "expected a state of x", Assert.Throws<ArgumentException>(() => layer.Forward(Tensor<double>.Zeros(2, 5, layer.InputSize), new Gru<double>(3, 4).ZeroState(2))).Message, StringComparison.Ordinal);
        }
    }

    private static SequenceLayer<double> Make(string kind)
    {
        var layer = Makers[kind]();
        var random = new RandomSource(9);
        foreach (var (_, parameter) in layer.NamedParameters.Where(pair => pair.Key.EndsWith("bias", StringComparison.Ordinal)))
        {
            random.FillUniform(parameter.Value.AsSpan(), -0.2, 0.7);
        }

        return layer;
    }

    private static SequenceState<double> RandomState(SequenceLayer<double> layer, int rows)
    {
        var (zero, random) = (layer.ZeroState(rows), new RandomSource(5));
        return new(rows, [.. zero.Names.Select(name => (name, Tensor<double>.RandomNormal(random, 0, 1, zero[name].Shape)))]);
    }

    private static void Same(SequenceState<double> expected, SequenceState<double> actual) =>
        Assert.All(expected.Names, name => Assert.Equal(expected[name].ToArray(), actual[name].ToArray()));
}
