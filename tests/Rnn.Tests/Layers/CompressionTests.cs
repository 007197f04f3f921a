using Rnn.Cells;
using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Cells;

namespace Rnn.Tests.Layers;

/// <summary>Layers with compressed weights against layers of single precision whose weights are rounded, and against themselves in other forms of running.</summary>
public sealed class CompressionTests
{
    private const int Size = 9;
    private const int Steps = 5;

    public static TheoryData<string> Cells => [.. TestCells.All];

    public static TheoryData<string> Layers => [.. OtherLayers.Keys];

    private static Dictionary<string, Func<SequenceLayer<float>>> OtherLayers { get; } = new()
    {
        ["mingru"] = () => new MinGru<float>(Size, 8, new() { Seed = 1 }),
        ["minlstm"] = () => new MinLstm<float>(Size, 8, new() { Seed = 1 }),
        ["rg-lru"] = () => new RgLru<float>(8, new() { Seed = 1, Heads = 4 }),
        ["convolution"] = () => new CausalConvolution<float>(Size, 7, new() { KernelSize = 3, Seed = 1 }),
        ["wavenet"] = () => new WaveNet<float>(Size, new() { ResidualChannels = 6, DilationChannels = 8, SkipChannels = 10, LayersPerBlock = 3, Blocks = 1, Seed = 1 }),
        ["chain"] = () => new SequenceChain<float>(Size, new Lstm<float>(Size, 12, new() { Seed = 1 }), new RmsNorm<float>(12), new Linear<float>(12, 5, new() { Seed = 2 })),
    };

    [Theory]
    [MemberData(nameof(Cells))]
    public void Every_cell_with_bfloat16_has_the_bits_of_rounded_weights(string cell)
    {
        foreach (var test in Cases(cell))
        {
            var (layer, rounded) = (Layer(cell, test), Layer(cell, test));
            layer.Compress(WeightFormat.BFloat16);
            Round(rounded, PackedFormat.BFloat16);
            foreach (var rows in new[] { 1, 5, 17 })
            {
                Assert.Equal(Run(rounded, rows, test.IsRagged), Run(layer, rows, test.IsRagged));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void Every_cell_with_int8_is_close_to_rounded_weights(string cell)
    {
        foreach (var test in Cases(cell))
        {
            var (layer, rounded) = (Layer(cell, test), Layer(cell, test));
            layer.Compress(WeightFormat.Int8);
            Round(rounded, PackedFormat.Int8);
            Assert.Equal(rounded.Parameters.SelectMany(p => p.Value.ToArray()), layer.Parameters.SelectMany(p => p.Value.ToArray()));

            // Rows of up to 18 numbers are rounded to 1/32767 of their largest.
            var (expected, actual) = (Run(rounded, 5, test.IsRagged), Run(layer, 5, test.IsRagged));
            for (var i = 0; i < expected.Length; i++)
            {
                Assert.Equal(expected[i], actual[i], 2e-3f * Math.Max(1, Math.Abs(expected[i])));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void Steps_have_the_bits_of_the_sequence_for_any_rows_and_threads(string cell)
    {
        foreach (var format in new[] { WeightFormat.BFloat16, WeightFormat.Int8 })
        {
            foreach (var test in Cases(cell).Where(test => !test.IsRagged && !test.Options.Bidirectional))
            {
                var layer = Layer(cell, test);
                layer.Compress(format);
                LayerSteps.SameForThreads(() => Run(layer, 17, ragged: false));
                var all = Run(layer, 17, ragged: false);
                var width = Steps * layer.OutputSize;
                Assert.Equal(all[..(3 * width)], Run(layer, 3, ragged: false));
                Assert.Equal(all[..width], Stepped(layer, 1));
                Assert.Equal(all[..(5 * width)], Stepped(layer, 5));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void Other_layers_with_bfloat16_have_the_bits_of_rounded_weights_and_step_as_they_run(string name)
    {
        var (layer, rounded) = (OtherLayers[name](), OtherLayers[name]());
        layer.Compress(WeightFormat.BFloat16);
        Round(rounded, PackedFormat.BFloat16);
        Assert.Equal(Run(rounded, 5, ragged: true), Run(layer, 5, ragged: true));
        foreach (var format in new[] { WeightFormat.BFloat16, WeightFormat.Int8 })
        {
            layer = OtherLayers[name]();
            layer.Compress(format);
            layer.Evaluate();
            Assert.Equal(Run(layer, 5, ragged: false), Stepped(layer, 5));
        }
    }

    [Theory]
    [InlineData(WeightFormat.BFloat16)]
    [InlineData(WeightFormat.Int8)]
    public void Large_layers_share_products_among_threads_with_the_same_bits(WeightFormat format)
    {
        var layer = new Lstm<float>(300, 270, new() { Seed = 1 });
        layer.Compress(format);
        var x = Tensor<float>.RandomNormal(new RandomSource(2), 0, 1, 1, 6, 300);
        LayerSteps.SameForThreads(() =>
        {
            var (stream, output) = (layer.CreateStream(), new float[6 * 270]);
            for (var step = 0; step < 6; step++)
            {
                stream.Step(x.AsReadOnlySpan().Slice(step * 300, 300), output.AsSpan(step * 270, 270));
            }

            Assert.Equal(layer.Forward(x).ToArray(), output);
            return output;
        });
    }

    [Theory]
    [InlineData(WeightFormat.BFloat16)]
    [InlineData(WeightFormat.Int8)]
    public void A_step_allocates_nothing(WeightFormat format)
    {
        var layer = new Lstm<float>(20, 33, new() { Seed = 1, Layers = 2 });
        layer.Compress(format);
        var stepper = layer.CreateStepper(9);
        var (input, output) = (new float[9 * 20], new float[9 * 33]);
        input.AsSpan().Fill(0.5f);
        stepper.Step(input, output);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var step = 0; step < 5; step++)
        {
            stepper.Step(input, output);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Streams_go_on_with_what_the_weights_have_become()
    {
        var (layer, compressed) = (new Gru<float>(4, 20, new() { Seed = 1 }), new Gru<float>(4, 20, new() { Seed = 1 }));
        compressed.Compress(WeightFormat.Int8);
        var (stream, other) = (layer.CreateStream(), compressed.CreateStream());
        float[] first = [1, 2, 3, 4], second = [2, -1, 0, 1];
        var (output, expected) = (new float[20], new float[20]);
        stream.Step(first, output);
        layer.Compress(WeightFormat.Int8);
        stream.Reset();
        foreach (var x in new[] { first, second })
        {
            stream.Step(x, output);
            other.Step(x, expected);
            Assert.Equal(expected, output);
        }

        layer.Compress(WeightFormat.Single);
        Assert.All(layer.Parameters, parameter => Assert.Equal(WeightFormat.Single, parameter.Format));
        var single = new Gru<float>(4, 20, new() { Seed = 1 });
        Round(single, PackedFormat.Int8);
        stream.Reset();
        stream.Step(first, output);
        single.CreateStream().Step(first, expected);
        Assert.Equal(expected, output);
    }

    [Fact]
    public void Gradients_of_inputs_are_those_of_rounded_weights()
    {
        var (layer, rounded) = (new Lstm<float>(4, 20, new() { Seed = 1 }), new Lstm<float>(4, 20, new() { Seed = 1 }));
        layer.Compress(WeightFormat.BFloat16);
        Round(rounded, PackedFormat.BFloat16);
        float[] Gradient(Lstm<float> lstm)
        {
            var x = Tensor<float>.RandomNormal(new RandomSource(2), 0, 1, 3, 5, 4);
            x.RequiresGradient = true;
            lstm.Forward(x).Sum().Backward();
            return x.Gradient!.ToArray();
        }

        Assert.Equal(Gradient(rounded), Gradient(layer));
        Assert.All(layer.Parameters, parameter => Assert.Null(parameter.Gradient));
    }

    [Fact]
    public void Compressed_weights_are_not_trained()
    {
        var layer = new Lstm<float>(4, 20, new() { Seed = 1 });
        layer.Compress(WeightFormat.Int8);
        Assert.All(layer.Parameters, parameter => Assert.True(parameter.Frozen));
        var (weights, bias) = (layer.Parameters.First(), layer.Parameters.Last());
        Assert.Equal(WeightFormat.Int8, weights.Format);
        Assert.Equal(WeightFormat.Single, bias.Format);
        var message = Assert.Throws<InvalidOperationException>(() => weights.Frozen = false).Message;
        Assert.Equal("'weight_ih_l0' is compressed to Int8 for inference and cannot be trained; train the model first and compress a copy, or bring it back by Compress(WeightFormat.Single).", message);
        Assert.Contains("Int8", layer.ToString(), StringComparison.Ordinal);
        layer.Compress(WeightFormat.Single);
        weights.Frozen = false;
        Assert.False(weights.Frozen);
    }

    [Fact]
    public void What_cannot_be_compressed_is_refused_and_stays()
    {
        Assert.Throws<ArgumentException>("module", () => new Dropout<float>(0.5).Compress(WeightFormat.Int8));
        Assert.Throws<ArgumentOutOfRangeException>("format", () => new Linear<float>(2, 3).Compress((WeightFormat)7));
        var model = new Sequential<float>(new Linear<float>(2, 3, new() { Seed = 1 }), new Linear<float>(3, 2, new() { Seed = 2 }));
        var before = model.Parameters.First().Value.ToArray();
        var last = (Linear<float>)model.Children[1].Value;
        last.Weight.Value[1, 2] = float.NaN;
        Assert.Contains("NaN", Assert.Throws<InvalidOperationException>(() => model.Compress(WeightFormat.BFloat16)).Message, StringComparison.Ordinal);
        Assert.Equal(before, model.Parameters.First().Value.ToArray());
        Assert.False(model.Parameters.First().Frozen);
    }

    [Fact]
    public void The_report_says_what_compression_does_and_leaves_the_module()
    {
        var layer = new Lstm<float>(4, 30, new() { Seed = 1 });
        var x = Tensor<float>.RandomNormal(new RandomSource(2), 0, 1, 3, 5, 4);
        var before = layer.Forward(x).ToArray();
        var report = layer.MeasureCompression(WeightFormat.Int8, () => layer.Forward(x));
        Assert.Equal(before, layer.Forward(x).ToArray());
        Assert.All(layer.Parameters, parameter => Assert.True(parameter.Format == WeightFormat.Single && !parameter.Frozen));

        var compressed = new Lstm<float>(4, 30, new() { Seed = 1 });
        compressed.Compress(WeightFormat.Int8);
        var after = compressed.Forward(x).ToArray();
        var errors = after.Zip(before, (a, b) => (double)a - b).ToArray();
        Assert.Equal(WeightFormat.Int8, report.Format);
        Assert.Equal(errors.Max(Math.Abs), report.LargestError);
        Assert.Equal(Math.Sqrt(errors.Average(e => e * e)), report.RootMeanSquareError, 1e-12);
        Assert.Equal(Math.Sqrt(before.Average(b => (double)b * b)), report.RootMeanSquare, 1e-12);
        Assert.Equal(errors.Average(), report.MeanDifference, 1e-9);
        Assert.Equal(4 * ((120 * 34) + 120), report.FullBytes);
        Assert.Equal((120 * 34) + (2 * 4 * 120) + (4 * 120), report.CompressedBytes);
        Assert.InRange(report.LargestError, 1e-6, 0.02);
        Assert.StartsWith("Int8: 16,800 bytes become 5,520; results differ by ", report.ToString(), StringComparison.Ordinal);

        var loss = layer.MeasureCompression(WeightFormat.BFloat16, () => layer.Forward(x).Mean().Item());
        Assert.Equal(Math.Abs(loss.MeanDifference), loss.LargestError);
        Assert.Throws<InvalidOperationException>(() => compressed.MeasureCompression(WeightFormat.Int8, () => 1.0));
        Assert.Throws<NotSupportedException>(() => layer.MeasureCompression(WeightFormat.Int8, double () => throw new NotSupportedException()));
        Assert.Equal(before, layer.Forward(x).ToArray());
    }

    private static IEnumerable<LayerCase> Cases(string cell)
    {
        yield return new(new RecurrentOptions());
        yield return new(new RecurrentOptions { Bidirectional = true, Layers = 2 }) { IsRagged = true };
        yield return new(new RecurrentOptions { Residual = true, Layers = 2, LearnedInitialState = true, HiddenZoneout = 0.3 });
        yield return new(new RecurrentOptions { Heads = 3 });
        var projected = new LayerCase(new RecurrentOptions()) { ProjectionSize = 5 };
        if (CellCatalog.Layout(cell).States.Count > 1 && projected.Suits(cell))
        {
            yield return projected;
        }
    }

    private static RecurrentLayer<float> Layer(string cell, LayerCase test)
    {
        var layer = RecurrentLayer<float>.Create(cell, Size, Size, test.OptionsOf(CellCatalog.Layout(cell)), test.ProjectionSize);
        TestCells.FillParameters(new RandomSource(6), layer, 0.7);
        layer.Evaluate();
        return layer;
    }

    private static void Round(Module<float> module, PackedFormat format)
    {
        foreach (var parameter in module.Parameters.Where(parameter => parameter.IsWeightMatrix))
        {
            WeightRounding.Round(parameter.Value.AsSpan(), parameter.Shape[1], format);
        }
    }

    // Rows are the same however many there are.
    private static Tensor<float> Input(SequenceLayer<float> layer, int rows) =>
        Tensor<float>.From(Tensor<float>.RandomNormal(new RandomSource(2), 0, 1, 20, Steps, layer.InputSize).AsReadOnlySpan()[..(rows * Steps * layer.InputSize)], rows, Steps, layer.InputSize);

    private static float[] Run(SequenceLayer<float> layer, int rows, bool ragged)
    {
        layer.Evaluate();
        return layer.Forward(Input(layer, rows), ragged ? [.. Enumerable.Range(0, rows).Select(row => (row * 3) % (Steps + 1))] : []).Output.ToArray();
    }

    private static float[] Stepped(SequenceLayer<float> layer, int rows)
    {
        var (input, stepper) = (Input(layer, rows), layer.CreateStepper(rows));
        var result = new float[rows * Steps * layer.OutputSize];
        var output = new float[rows * layer.OutputSize];
        for (var step = 0; step < Steps; step++)
        {
            stepper.Step(input.Select(1, step).AsReadOnlySpan(), output);
            for (var row = 0; row < rows; row++)
            {
                output.AsSpan(row * layer.OutputSize, layer.OutputSize).CopyTo(result.AsSpan(((row * Steps) + step) * layer.OutputSize));
            }
        }

        return result;
    }
}
